"""Batch that the sink writes in one transaction: decoded messages, and the offsets they reach."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any, NamedTuple

from msgspec import Struct

from services.common.codec import decode_all
from services.common.plausibility import decode_ticks
from services.contracts.messages import Alert, Signal, TapeEvent, Tick
from services.contracts.topics import ALERTS, SIGNALS, TAPE_EVENTS, TICKS
from services.sink import gaps, losses
from services.store.offsets import PartitionBatch as PartitionBatch

KINDS: dict[str, type[Struct]] = {
    TICKS.name: Tick,
    SIGNALS.name: Signal,
    ALERTS.name: Alert,
    TAPE_EVENTS.name: TapeEvent,
}
LOSSES = "losses"
"""Table of messages that readers lost: they come on `tape-events`, whose other messages have their own table."""


class RefusedMessage(NamedTuple):
    """Bytes that can never be stored, where they came from, and why they cannot."""

    raw: bytes
    partition: PartitionBatch
    offset: int
    reason: str


class RecordRun(NamedTuple):
    """Messages of one partition: their place among all of the topic, and the bytes they came as at their offsets."""

    first: int
    partition: PartitionBatch
    offsets: Sequence[int]
    raws: Sequence[bytes]


class ReadRecords:
    """The messages of one topic in the order they came; where each came from is only looked for if it is refused."""

    def __init__(self) -> None:
        self.messages: list[Struct] = []
        self._runs: list[RecordRun] = []

    def __len__(self) -> int:
        return len(self.messages)

    def add(
        self,
        partition: PartitionBatch,
        messages: Sequence[Struct],
        offsets: Sequence[int],
        raws: Sequence[bytes],
    ) -> None:
        """Add messages with the bytes and offsets of each."""
        if messages:
            self._runs.append(RecordRun(len(self.messages), partition, offsets, raws))
            self.messages += messages

    def refused(self, place: int, reason: str) -> RefusedMessage:
        """Return the message at `place`, which cannot be stored."""
        run = self._runs[bisect_right(self._runs, place, key=lambda run: run.first) - 1]
        return RefusedMessage(
            run.raws[place - run.first], run.partition, run.offsets[place - run.first], reason
        )


class SinkBatch:
    """Messages of many partitions, each partition's in order; ticks from before `oldest_us` only counted.

    With `now_us` ticks whose times cannot be true are refused.
    """

    def __init__(self, oldest_us: int = 0, now_us: int | None = None) -> None:
        self._oldest_us = oldest_us
        self._now_us = now_us
        self.records: dict[str, ReadRecords] = {name: ReadRecords() for name in (*KINDS, LOSSES)}
        self.refused: list[RefusedMessage] = []
        self.passed = 0
        """Messages that are not stored: only their offsets are."""
        self.expired = 0
        """Number of ticks that are not stored because they are older than the retention."""
        self.size = 0
        """Bytes of all messages."""
        self.read: dict[PartitionBatch, int] = {}
        """The offset after the last one read: where the next batch begins."""

    def add(self, partition: PartitionBatch, offset: int, raw: bytes | None) -> None:
        """Decode `raw` and keep the message; what cannot be decoded is kept in ``refused``."""
        self.extend(partition, [offset], [raw])

    def extend(
        self, partition: PartitionBatch, offsets: Sequence[int], received: Sequence[bytes | None]
    ) -> None:
        """Add at least one message, with its offset, as ``add`` does."""
        raws: Sequence[bytes] = [b"" if raw is None else raw for raw in received]
        self.size += sum(map(len, raws))
        self.read[partition] = offsets[-1] + 1
        messages: Sequence[Struct]
        if partition.topic == TICKS.name and self._now_us is not None:
            messages, bad = decode_ticks(raws, self._now_us)
        else:
            messages, bad = decode_all(raws, KINDS[partition.topic])
        if bad:
            self.refused += (
                RefusedMessage(raws[place], partition, offsets[place], str(error))
                for place, error in bad.items()
            )
            offsets = [offset for place, offset in enumerate(offsets) if place not in bad]
            raws = [raw for place, raw in enumerate(raws) if place not in bad]
        if partition.topic == TAPE_EVENTS.name:
            is_loss = [event.kind == losses.KIND for event in messages]  # type: ignore[attr-defined]
            self.records[LOSSES].add(partition, *_only(is_loss, messages, offsets, raws))
            messages, offsets, raws = _only([not one for one in is_loss], messages, offsets, raws)
        is_kept = self._kept(partition.topic, messages)
        if not all(is_kept):
            messages, offsets, raws = _only(is_kept, messages, offsets, raws)
        self.records[partition.topic].add(partition, messages, offsets, raws)

    def __bool__(self) -> bool:
        """Return whether there is something to write, be it that messages need not be read again."""
        return bool(self.read)

    def __len__(self) -> int:
        return self.passed + self.expired + len(self.refused) + sum(map(len, self.records.values()))

    def __iter__(self) -> Iterator[tuple[str, ReadRecords]]:
        """Yield each topic that has messages, with them; losses by themselves."""
        return ((name, records) for name, records in self.records.items() if records)

    def _kept(self, topic: str, messages: Sequence[Any]) -> Sequence[bool]:
        """Tell of each message whether it is stored: of the tape what happens to gaps, of signals the final ones."""
        if topic == TICKS.name and self._oldest_us:
            is_kept = [tick.event_us >= self._oldest_us for tick in messages]
            self.expired += len(is_kept) - sum(is_kept)
            return is_kept
        if topic == TAPE_EVENTS.name:
            is_kept = [event.kind in gaps.STATES for event in messages]
        elif topic == SIGNALS.name:
            is_kept = [signal.closed for signal in messages]
        else:
            return ()
        self.passed += len(is_kept) - sum(is_kept)
        return is_kept


def _only(
    is_wanted: Sequence[bool], messages: Sequence[Struct], offsets: Sequence[int], raws: Sequence[bytes]
) -> tuple[list[Struct], list[int], list[bytes]]:
    return (
        list(compress(messages, is_wanted)),
        list(compress(offsets, is_wanted)),
        list(compress(raws, is_wanted)),
    )
