"""What of a pair survives its worker: the samples in chunks and one head, small values in a table."""

import struct
from array import array
from collections.abc import MutableMapping

import msgspec
from msgspec import Struct

from services.stream_analytics.trades import Trade

Store = MutableMapping[bytes, bytes]

CHUNK = 128
# A crash that cuts a flush short leaves an older head: what it asks for must not be overwritten yet.
_SPARE_CHUNKS = 2
_NUMBER = struct.Struct("<q")


def pair_of(key: bytes) -> str:
    """Return the pair that a key of the store belongs to."""
    return key.partition(b"/")[0].decode()


class Head(Struct, frozen=True, array_like=True):
    """Where a pair stands.

    `count` samples came since its beginning, of which those before `begun_at` are outdated; `tail` holds the
    samples that do not fill a chunk yet; `state` is what the estimator adds to the samples. `loses` says of each leg
    whether the next gap in its trades is because they were lost unread. `position` is the offset in ``leg-trades``
    before which there is nothing that the head does not hold, -1 if it was not stored.
    """

    closed_until: int
    y: Trade | None
    x: Trade | None
    count: int
    begun_at: int
    last_us: int | None
    firing: bool
    state: tuple[list[float], int]
    tail: bytes
    loses: tuple[bool, bool] = (False, False)
    position: int = -1


class History:
    """The last `memory` samples of a pair, kept in `store` as a ring of chunks of 128 and a head.

    A value is two kilobytes at most and a sample 16 bytes. Nothing is written before ``save``.
    """

    def __init__(self, store: Store, name: str, memory: int) -> None:
        """`name` is that of the pair and of everything that makes old samples useless when it changes."""
        self._store = store
        self._name = name
        self._memory = memory
        self._slots = -(-memory // CHUNK) + 1 + _SPARE_CHUNKS
        self._tail = array("d")
        self._full: dict[int, bytes] = {}
        self.count = 0

    def add(self, y: float, x: float) -> None:
        """Note a sample."""
        self._tail.extend((y, x))
        self.count += 1
        if self.count % CHUNK == 0:
            number = self.count // CHUNK - 1
            self._full[number] = self._tail.tobytes()
            self._full.pop(number - self._slots, None)
            self._tail = array("d")

    def tail(self) -> bytes:
        """Return the samples that do not fill a chunk yet."""
        return self._tail.tobytes()

    def save(self, head: Head) -> None:
        """Write the chunks filled since the last time, then the head, which makes them count."""
        for number, samples in self._full.items():
            self._store[self._slot(number)] = _NUMBER.pack(number) + samples
        self._full.clear()
        self._store[self._key("head")] = msgspec.msgpack.encode(head)

    @property
    def is_stored(self) -> bool:
        """Tell whether there is a head."""
        return self._key("head") in self._store

    def load(self) -> tuple[Head, list[tuple[float, float]]] | None:
        """Return the head and the last samples, oldest first; None if there are none or some are lost."""
        if (raw := self._store.get(self._key("head"))) is None:
            return None
        head = msgspec.msgpack.decode(raw, type=Head)
        first = max(head.begun_at, head.count - self._memory, 0)
        prices = array("d")
        for number in range(first // CHUNK, head.count // CHUNK):
            chunk = self._store.get(self._slot(number))
            if chunk is None or _NUMBER.unpack_from(chunk)[0] != number:
                return None
            prices.frombytes(chunk[_NUMBER.size :])
        self._tail = array("d")
        self._tail.frombytes(head.tail)
        self.count = head.count
        prices.extend(self._tail)
        kept = 2 * (head.count - first)
        prices = prices[len(prices) - kept :]
        return head, list(zip(prices[::2], prices[1::2], strict=True))

    def erase(self) -> None:
        """Remove it all from the store."""
        for key in (self._key("head"), *map(self._slot, range(self._slots))):
            self._store.pop(key, None)

    def _slot(self, number: int) -> bytes:
        return self._key(str(number % self._slots))

    def _key(self, name: str) -> bytes:
        return f"{self._name}/{name}".encode()
