"""What the sink writes in one transaction: decoded messages, and how far each partition was read."""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct

from services.common.errors import BadMessageError
from services.common.messages import Alert, Signal, Tick, decode
from services.common.topics import ALERTS, SIGNALS, TICKS

KINDS: dict[str, type[Struct]] = {TICKS.name: Tick, SIGNALS.name: Signal, ALERTS.name: Alert}


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Record(NamedTuple):
    """One message with the bytes it came as, and where they came from."""

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
    """Messages of many partitions, each partition's in order."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {topic: [] for topic in KINDS}
        self.refused: list[Refused] = []
        self.read: dict[Partition, int] = {}
        """The offset after the last one read: where the next batch begins."""

    def add(self, partition: Partition, offset: int, raw: bytes | None) -> None:
        """Decode `raw` and keep the message; what cannot be decoded is kept in ``refused``."""
        self.read[partition] = offset + 1
        try:
            message = decode(raw, KINDS[partition.topic])
        except BadMessageError as error:
            self.refused.append(Refused(raw or b"", partition, offset, str(error)))
        else:
            self.records[partition.topic].append(Record(message, raw or b"", partition, offset))

    def __len__(self) -> int:
        return len(self.refused) + sum(map(len, self.records.values()))

    def __iter__(self) -> Iterator[tuple[str, list[Record]]]:
        """Yield each topic that has messages, with them."""
        return ((topic, records) for topic, records in self.records.items() if records)
