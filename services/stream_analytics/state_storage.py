"""State storage: samples and z-scores in chunks, a head for each pair, and small values, in a Faust table."""

import struct
from array import array
from collections.abc import MutableMapping

import msgspec
from msgspec import Struct

from services.stream_analytics.filled import NOTHING, Filled
from services.stream_analytics.pair_window import WindowState
from services.stream_analytics.trades import TapeTrade

Store = MutableMapping[bytes, bytes]

CHUNK_BYTES = 2048
SAMPLE = 5
Row = tuple[float, float, float, float, float]
"""A sample: the prices of both legs (y, x), the times of their trades, and the end of its second (µs)."""
# A crash that cuts a flush short leaves an older head: what it asks for must not be overwritten yet.
_SPARE_CHUNKS = 2
_NUMBER = struct.Struct("<q")


def pair_of(key: bytes) -> str:
    """Return the pair that a key of the store belongs to."""
    return key.partition(b"/")[0].decode()


class StoredState(Struct, frozen=True, array_like=True):
    """Stored head of a pair.

    `count` samples came since its beginning, of which those before `begun_at` are outdated; `tail` holds the
    samples that do not fill a chunk yet; `zscores` and `zscores_tail` are the same of the z-scores. `window` is what
    these do not tell. `loses` says of each leg
    whether the next gap in its trades is because they were lost unread. `position` is the offset in ``leg-trades``
    before which there is nothing that the head does not hold, -1 if it was not stored. `announces` says that no second
    was published yet that could say whether the rule fires.
    """

    closed_until: int
    y: TapeTrade | None
    x: TapeTrade | None
    count: int
    begun_at: int
    last_us: int | None
    firing: bool
    window: WindowState
    tail: bytes
    zscores: int = 0
    zscores_tail: bytes = b""
    loses: tuple[bool, bool] = (False, False)
    position: int = -1
    filled: Filled = NOTHING
    announces: bool = False


class StateRows:
    """The last `memory` rows of numbers of one `kind` (a type of ``array``), in `store` as a ring of chunks.

    A chunk has two kilobytes at most. Nothing is written before ``save``.
    """

    def __init__(self, store: Store, name: str, memory: int, columns: int, kind: str) -> None:
        """`name` begins the keys."""
        self._store = store
        self._name = name
        self._memory = memory
        self._empty: array[float] = array(kind)
        self._columns = columns
        self._chunk = CHUNK_BYTES // (columns * self._empty.itemsize)
        self._slots = -(-memory // self._chunk) + 1 + _SPARE_CHUNKS
        self._tail = self._empty[:]
        self._full: dict[int, bytes] = {}
        self.count = 0

    def add(self, *row: float) -> None:
        """Note a row."""
        self._tail.extend(row)
        self.count += 1
        if self.count % self._chunk == 0:
            number = self.count // self._chunk - 1
            self._full[number] = self._tail.tobytes()
            self._full.pop(number - self._slots, None)
            self._tail = self._empty[:]

    def tail(self) -> bytes:
        """Return the rows that do not fill a chunk yet."""
        return self._tail.tobytes()

    def save(self) -> None:
        """Write the chunks filled since the last time."""
        for number, rows in self._full.items():
            self._store[self._slot(number)] = _NUMBER.pack(number) + rows
        self._full.clear()

    def load(self, count: int, tail: bytes, begun_at: int = 0) -> "array[float] | None":
        """Become the rows that had this `count` and `tail`, and return those from `begun_at` on that are in memory.

        None if some are lost.
        """
        first = max(begun_at, count - self._memory, 0)
        found = self._empty[:]
        for number in range(first // self._chunk, count // self._chunk):
            chunk = self._store.get(self._slot(number))
            if chunk is None or _NUMBER.unpack_from(chunk)[0] != number:
                return None
            found.frombytes(chunk[_NUMBER.size :])
        self._tail = self._empty[:]
        self._tail.frombytes(tail)
        self.count = count
        found.extend(self._tail)
        return found[len(found) - self._columns * (count - first) :]

    def erase(self) -> None:
        """Remove them from the store."""
        for slot in range(self._slots):
            self._store.pop(self._slot(slot), None)

    def _slot(self, number: int) -> bytes:
        return f"{self._name}/{number % self._slots}".encode()


class StateStorage:
    """The last `memory` samples and the last `ranked` z-scores of a pair, kept in `store` under one head."""

    def __init__(self, store: Store, name: str, memory: int, ranked: int) -> None:
        """`name` is that of the pair and of everything that makes old samples useless when it changes."""
        self._store = store
        self._key = f"{name}/head".encode()
        self._begun_key = f"{name}/begun".encode()
        self.samples = StateRows(store, name, memory, SAMPLE, "d")
        self.zscores = StateRows(store, f"{name}/z", ranked, 1, "f")

    def add(self, y: TapeTrade, x: TapeTrade, end_us: int, ranked: float | None) -> None:
        r"""Note the sample of the second that ends at `end_us`, and its \|z\| if later ones are ranked among it."""
        self.samples.add(y.price, x.price, y.event_us, x.event_us, end_us)
        if ranked is not None:
            self.zscores.add(ranked)

    def save(self, head: StoredState) -> None:
        """Write the chunks filled since the last time, then the head, which makes them count."""
        self.samples.save()
        self.zscores.save()
        self._store[self._key] = msgspec.msgpack.encode(head)

    @property
    def is_stored(self) -> bool:
        """Tell whether there is a head."""
        return self._key in self._store

    def begin(self, at_us: int) -> int:
        """Store that the first second that is published ends after `at_us`, unless another is stored; return it.

        Who fills the pair again, because no head was stored before a crash, begins there again.
        """
        raw = None if self.is_stored else self._store.get(self._begun_key)
        if raw is None:
            raw = self._store[self._begun_key] = _NUMBER.pack(at_us)
        return int(_NUMBER.unpack(raw)[0])

    def load(self) -> "tuple[StoredState, list[Row], array[float]] | None":
        r"""Return the head, the last samples and \|z\|, oldest first; None if there are none or some are lost."""
        if (raw := self._store.get(self._key)) is None:
            return None
        head = msgspec.msgpack.decode(raw, type=StoredState)
        samples = self.samples.load(head.count, head.tail, head.begun_at)
        zscores = self.zscores.load(head.zscores, head.zscores_tail)
        if samples is None or zscores is None:
            return None
        columns = (samples[at::SAMPLE] for at in range(SAMPLE))
        return head, list(zip(*columns, strict=True)), zscores

    def erase(self) -> None:
        """Remove it all from the store."""
        self._store.pop(self._key, None)
        self._store.pop(self._begun_key, None)
        self.samples.erase()
        self.zscores.erase()
