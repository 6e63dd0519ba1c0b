"""What the sink writes in one transaction: decoded messages, and how far each partition was read."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct

from services.common.errors import BadMessageError
from services.common.messages import Alert, Signal, TapeEvent, Tick, decode
from services.common.topics import ALERTS, SIGNALS, TAPE_EVENTS, TICKS
from services.sink import gaps

KINDS: dict[str, type[Struct]] = {
    TICKS.name: Tick,
    SIGNALS.name: Signal,
    ALERTS.name: Alert,
    TAPE_EVENTS.name: TapeEvent,
}


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Record(Struct, frozen=True, gc=False):
    """One message with the bytes it came as, and where they came from; nothing the collector would walk."""

    message: Struct
    raw: bytes
    partition: Partition
    offset: int


class Refused(NamedTuple):
    """Bytes that can never be stored, where they came from, and why they cannot."""

    raw: bytes
    partition: Partition
    offset: int
    reason: str


class Batch:
    """Messages of many partitions, each partition's in order; ticks from before `oldest_us` only counted."""

    def __init__(self, oldest_us: int = 0) -> None:
        self._oldest_us = oldest_us
        self.records: dict[str, list[Record]] = {topic: [] for topic in KINDS}
        self.refused: list[Refused] = []
        self.passed = 0
        """Messages that are not stored: only their offsets are."""
        self.expired = 0
        """Ticks that are not stored because they are older than ticks are kept."""
        self.size = 0
        """Bytes of all messages."""
        self.read: dict[Partition, int] = {}
        """The offset after the last one read: where the next batch begins."""

    def add(self, partition: Partition, offset: int, raw: bytes | None) -> None:
        """Decode `raw` and keep the message; what cannot be decoded is kept in ``refused``."""
        self.extend(partition, [(offset, raw)])

    def extend(self, partition: Partition, messages: Iterable[tuple[int, bytes | None]]) -> None:
        """Add at least one message, with its offset; what is the same for all of them is looked up once."""
        kind, records = KINDS[partition.topic], self.records[partition.topic]
        all_stored = kind is not TapeEvent and kind is not Signal
        for offset, received in messages:
            raw = received or b""
            self.size += len(raw)
            try:
                message = decode(raw, kind)
            except BadMessageError as error:
                self.refused.append(Refused(raw, partition, offset, str(error)))
                continue
            if isinstance(message, Tick) and message.event_us < self._oldest_us:
                self.expired += 1
            elif all_stored or _has_row(message):
                records.append(Record(message, raw, partition, offset))
            else:
                self.passed += 1
        self.read[partition] = offset + 1

    def __bool__(self) -> bool:
        """Return whether there is something to write, be it that messages need not be read again."""
        return bool(self.read)

    def __len__(self) -> int:
        return self.passed + self.expired + len(self.refused) + sum(map(len, self.records.values()))

    def __iter__(self) -> Iterator[tuple[str, list[Record]]]:
        """Yield each topic that has messages, with them."""
        return ((topic, records) for topic, records in self.records.items() if records)


def _has_row(message: Struct) -> bool:
    """Return whether a message is stored: of the tape only what happens to gaps, of signals only final ones."""
    if isinstance(message, TapeEvent):
        return message.kind in gaps.STATES
    return not isinstance(message, Signal) or message.closed
