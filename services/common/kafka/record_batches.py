"""Record batches of a fetch: an unreadable one becomes one record in its place, and reading goes on.

aiokafka raises an error at the first damage, and raises it again at each fetch that follows: its reader stands still
or, if the error ends it, begins again and again.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch

from services.common import clock
from services.common.kafka import batch_decompression
from services.common.unreadable import Unreadable

# How a batch of any format begins: its first offset, the length of what follows, an epoch or a CRC, the format.
_START = struct.Struct(">qiib")
_BEFORE_LENGTH_COUNTS = 12
_FORMAT_AT = 16
# Of format 2: how far the last offset is from the first, and the least there is of a batch.
_DISTANCE = struct.Struct(">i")
_DISTANCE_AT, _LEAST = 23, 61


class DamageError(Exception):
    """Unreadable batch; the text tells what was expected and what was received."""


class Answer:
    """Response of a broker for one partition, as bytes; in the place of aiokafka's ``MemoryRecords``."""

    def __init__(self, raw: bytes | None) -> None:
        """Take any bytes: they are looked at when they are read."""
        self._raw = raw or b""

    def has_next(self) -> bool:
        """Tell whether something came."""
        return bool(self._raw)

    def size_in_bytes(self) -> int:
        """Return how much came."""
        return len(self._raw)

    def pieces(self) -> Iterator[bytes]:
        """Yield the batches as far as their lengths say; the last one may be cut off."""
        place, raw = 0, self._raw
        while place < len(raw):
            end = len(raw)
            if place + _START.size <= end and (length := _START.unpack_from(raw, place)[1]) > 0:
                end = min(end, place + _BEFORE_LENGTH_COUNTS + length)
            yield raw[place:end]
            place = end


class ReadableRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """Records of a fetched batch; unreadable ones are one record with the value ``Unreadable``.

    Where the next readable batch begins the damage ends; behind the last one, where its header says, if that can be
    true, and else at the next offset.
    """

    next_fetch_offset: int
    end: int
    """End offset of the partition just before it was fetched."""

    def _unpack_records(self) -> Iterator[ConsumerRecord]:
        damaged: list[bytes] = []
        reason, bound, is_first, asked = "", self.end, True, self.next_fetch_offset
        for raw in self._records.pieces():
            if _is_cut(raw) and not is_first:
                # The next fetch brings the rest. What is damaged ends where it begins.
                bound = _first(raw, bound)
                break
            is_first = False
            try:
                batch, first = self._opened(raw, asked)
            except DamageError as error:
                reason = reason or str(error)
                damaged.append(raw)
                continue
            if damaged and first > self.next_fetch_offset:
                yield self._unreadable(b"".join(damaged), first - 1, reason)
            damaged, reason = [], ""
            yield from self._read(batch, raw, first)
        if damaged:
            yield self._unreadable(b"".join(damaged), self._last(damaged, bound), reason)

    def _opened(self, raw: bytes, asked: int) -> tuple[Any, int]:
        """Return a batch and its first offset; DamageError unless its bytes are right and can be what was asked for.

        The offset that was `asked` for may be inside a batch; those that follow begin where others have ended.
        """
        if len(raw) <= _FORMAT_AT or _is_cut(raw):
            raise DamageError(f"expected a whole batch, received {len(raw)} bytes of one")
        number = raw[_FORMAT_AT]
        if number > 2 or (number == 2 and len(raw) < _LEAST):
            raise DamageError(
                f"expected a batch of format 0, 1 or 2, received {len(raw)} bytes of format {number}"
            )
        try:
            batch = DefaultRecordBatch(raw) if number == 2 else LegacyRecordBatch(raw, number)
            if not batch.validate_crc():
                raise DamageError(
                    f"expected the checksum of the {len(raw)} bytes of a batch, received another"
                )
            # One of an old format is numbered by its last record.
            first = batch.base_offset if number == 2 else next(iter(LegacyRecordBatch(raw, number))).offset
        except DamageError:
            raise
        except batch_decompression.BatchTooLargeError as error:
            raise DamageError(str(error)) from error
        except Exception as error:  # aiokafka and the codecs have none in common
            raise DamageError(f"expected a batch, received {error!r}") from error
        begin, following = self.next_fetch_offset, batch.next_offset
        # The end is told as it was before the batches were read: those that have come since go on where others end.
        goes_on = first == begin or (begin == asked and first < begin)
        if not (begin < following and (goes_on or begin < first < following <= self.end)):
            raise DamageError(
                f"expected offsets from {begin} to {self.end - 1}, "
                f"received a batch of {first} to {following - 1}"
            )
        return batch, first

    def _read(self, batch: Any, raw: bytes, first: int) -> Iterator[ConsumerRecord]:
        before, following = first - 1, batch.next_offset
        try:
            if self._is_taken_back(batch):
                reason = "expected a committed transaction, received one that its producer aborted"
                yield self._unreadable(b"", following - 1, reason, first)
            elif not batch.is_control_batch:
                for record in batch:
                    if not before < record.offset < following:
                        raise DamageError(f"offset {record.offset} between {before} and {following}")
                    before = record.offset
                    # A fetch begins inside a batch, too.
                    if before >= self.next_fetch_offset:
                        self.next_fetch_offset = before + 1
                        yield self._consumer_record(self._tp, record)
        except Exception as error:  # as above
            if self.next_fetch_offset < following:
                is_said = isinstance(error, batch_decompression.BatchTooLargeError)
                reason = str(error) if is_said else f"expected records, received {error!r}"
                yield self._unreadable(raw, following - 1, reason)
        self.next_fetch_offset = following

    def _is_taken_back(self, batch: Any) -> bool:
        """Tell whether its producer has aborted the transaction that a batch is of."""
        if self._isolation_level != fetcher.READ_COMMITTED or batch.producer_id is None:
            return False
        self._consume_aborted_up_to(batch.base_offset)
        if batch.is_control_batch and self._contains_abort_marker(batch):
            self._aborted_producers.discard(batch.producer_id)
        return bool(batch.is_transactional and batch.producer_id in self._aborted_producers)

    def _last(self, damaged: Sequence[bytes], bound: int) -> int:
        """Return the last offset that is lost with batches behind which nothing can be read."""
        if bound < self.end:
            return max(self.next_fetch_offset, bound - 1)
        following = self.next_fetch_offset
        for raw in damaged:
            last = _last(raw)
            if following <= last < self.end:
                following = last + 1
        return max(self.next_fetch_offset, following - 1)

    def _unreadable(self, raw: bytes, last: int, reason: str, first: int | None = None) -> ConsumerRecord:
        """Return the placeholder for the offsets up to the `last`; with a `first` one they were not lost."""
        begin = max(self.next_fetch_offset, first or 0)
        self.next_fetch_offset = last + 1
        value = Unreadable(raw, begin, last, reason, is_lost=first is None)
        now_ms = clock.now_us() // 1000
        topic, partition = self._tp
        return ConsumerRecord(topic, partition, last, now_ms, 0, None, value, None, -1, len(value), ())


class FetchedRecords(fetcher.FetchResult):  # type: ignore[misc]
    """Fetched records, with the end of their partition."""

    def __init__(
        self, tp: Any, *, assignment: Any, partition_records: ReadableRecords, backoff: float
    ) -> None:
        super().__init__(tp, assignment=assignment, partition_records=partition_records, backoff=backoff)
        partition_records.end = assignment.state_value(tp).highwater


def _is_cut(raw: bytes) -> bool:
    """Tell whether a batch says that it is longer."""
    return len(raw) < _START.size or len(raw) < _BEFORE_LENGTH_COUNTS + _START.unpack_from(raw)[1]


def _first(raw: bytes, otherwise: int) -> int:
    """Return with which offset a batch of which little is there begins."""
    return int.from_bytes(raw[:8]) if len(raw) >= 8 else otherwise


def _last(raw: bytes) -> int:
    """Return which offset the header of a batch says is its last one; anything if it is damaged."""
    if len(raw) < _START.size:
        return -1
    first, _, _, number = _START.unpack_from(raw)
    distance = _DISTANCE.unpack_from(raw, _DISTANCE_AT)[0] if number >= 2 and len(raw) >= _LEAST else 0
    return int(first + distance)


def install() -> None:
    """Install this reading in every consumer of aiokafka in this process, Faust's included."""
    fetcher.MemoryRecords, fetcher.PartitionRecords, fetcher.FetchResult = (
        Answer,
        ReadableRecords,
        FetchedRecords,
    )
    batch_decompression.install(DefaultRecordBatch, LegacyRecordBatch)
