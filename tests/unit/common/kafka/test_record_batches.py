"""Damaged batches: the records around are read, the damage is reported, and reading goes on."""

import struct
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from hypothesis import given
from hypothesis import strategies as st

from services.common import unreadable
from services.common.kafka import batch_decompression, record_batches
from services.common.unreadable import Unreadable

PLACE = TopicPartition("ticks", 3)
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
LENGTH, FORMAT, CHECKSUM, ATTRIBUTES, RECORDS = slice(8, 12), 16, 17, 21, 61
codecs = st.sampled_from(sorted(CODECS.values()))

record_batches.install()


def value(offset: int) -> bytes:
    return b"message %d " % offset * 3


def batch(first: int, count: int, codec: int = 0, producer: int = -1) -> bytes:
    """Return messages as a producer sends them and a broker numbers them; with a `producer` in a transaction."""
    builder = DefaultRecordBatchBuilder(2, codec, int(producer >= 0), producer, 0, 0, 1 << 20)
    for number in range(count):
        builder.append(number, 1_000 + number, b"key", value(first + number), [])
    return numbered(builder.build(), first)


def numbered(raw: bytes, first: int) -> bytes:
    return struct.pack(">q", first) + raw[8:]


def sealed(raw: bytes) -> bytes:
    """Return a batch with the checksum of what is in it."""
    return raw[:CHECKSUM] + struct.pack(">I", calc_crc32c(raw[ATTRIBUTES:])) + raw[ATTRIBUTES:]


def mark(first: int, producer: int, kind: int) -> bytes:
    """Return the mark with which a broker ends a transaction: 0 aborts, 1 commits it."""
    builder = DefaultRecordBatchBuilder(2, 0, 1, producer, 0, 0, 1 << 20)
    builder.append(0, 0, struct.pack(">HH", 0, kind), b"\0" * 6, [])
    raw = bytearray(numbered(builder.build(), first))
    raw[ATTRIBUTES + 1] |= 0x20
    return sealed(bytes(raw))


class Log:
    """Batches in a broker, of which each may have been damaged; it knows where they lie."""

    def __init__(self, *parts: tuple[int, bytes], aborted: Sequence[tuple[int, int]] = ()) -> None:
        """Take the number of messages of each batch, and its bytes."""
        self.counts = [count for count, _ in parts]
        self.parts = [raw for _, raw in parts]
        self.end = sum(self.counts)
        self.told_end = self.end
        self._aborted = aborted

    def fetch(self, offset: int, size: int) -> Any:
        """Return what is read of an answer of `size` bytes, but one batch at least."""
        first = 0
        for number, count in enumerate(self.counts):
            if offset < first + count:
                raw = b"".join(self.parts[number:])[: max(size, len(self.parts[number]))]
                break
            first += count
        read = record_batches.ReadableRecords(
            PLACE, record_batches.Answer(raw), self._aborted, offset, None, None, True, fetcher.READ_COMMITTED
        )
        state = SimpleNamespace(highwater=self.told_end)
        record_batches.FetchedRecords(
            PLACE,
            assignment=SimpleNamespace(state_value=lambda _: state),
            partition_records=read,
            backoff=0,
        )
        return read

    def read(self, size: int = 1 << 20) -> Iterator[Any]:
        """Yield all records, as a reader that fetches until it has passed the end."""
        offset = 0
        while offset < self.end:
            found = self.fetch(offset, size)
            yield from found
            assert found.next_fetch_offset > offset
            offset = found.next_fetch_offset


def messages(records: Sequence[Any]) -> dict[int, bytes]:
    return {one.offset: one.value for one in records if not isinstance(one.value, Unreadable)}


def said(records: Sequence[Any]) -> dict[int, str]:
    """Return the reasons by offset."""
    return {
        offset: one.value.reason
        for one in records
        if isinstance(one.value, Unreadable)
        for offset in range(one.value.first, one.offset + 1)
    }


def true(*offsets: int) -> dict[int, bytes]:
    return {offset: value(offset) for offset in offsets}


@given(
    st.lists(st.tuples(st.integers(1, 4), codecs), min_size=1, max_size=4),
    st.integers(1, 400),
)
def test_what_is_whole_is_read_whatever_its_codec_and_however_the_answers_are_cut(
    shapes: list[tuple[int, int]], size: int
) -> None:
    records = list(log(shapes).read(size))
    assert [(one.offset, one.value) for one in records] == list(true(*range(len(records))).items())
    assert len(records) == sum(count for count, _ in shapes)


@given(
    st.lists(st.tuples(st.integers(1, 4), codecs), min_size=1, max_size=4),
    st.integers(1, 400),
    st.integers(0, 15),
)
def test_what_has_come_since_the_end_was_told_is_read_like_all_else(
    shapes: list[tuple[int, int]], size: int, since: int
) -> None:
    growing = log(shapes)
    growing.told_end = max(0, growing.end - since)
    assert messages(list(growing.read(size))) == true(*range(growing.end))


def log(shapes: Sequence[tuple[int, int]]) -> Log:
    first, parts = 0, []
    for count, codec in shapes:
        parts.append((count, batch(first, count, codec)))
        first += count
    return Log(*parts)


@given(
    st.lists(st.tuples(st.integers(1, 4), codecs), min_size=1, max_size=4),
    st.integers(1, 400),
    st.data(),
)
def test_a_byte_that_was_flipped_is_said_or_does_no_harm(
    shapes: list[tuple[int, int]], size: int, data: st.DataObject
) -> None:
    """But for the number of the first message, which no checksum covers: there the reading goes on, at least."""
    damaged = log(shapes)
    number = data.draw(st.integers(0, len(shapes) - 1))
    raw = bytearray(damaged.parts[number])
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    damaged.parts[number] = bytes(raw)
    records = list(damaged.read(size))
    if at >= 8:
        assert messages(records) == {
            offset: found
            for offset, found in true(*range(damaged.end)).items()
            if offset in messages(records)
        }
        assert messages(records).keys() | said(records).keys() == set(range(damaged.end))
    assert len(said(records)) <= damaged.end


@given(st.binary(max_size=400), st.integers(0, 3))
def test_any_bytes_are_passed(raw: bytes, before: int) -> None:
    records = list(Log((3, batch(0, 3)), (2, raw or b"\0"), (1, batch(5, 1))).read(size=before * 100))
    assert {**true(0, 1, 2), **true(5)}.items() >= messages(records).items() >= true(0, 1, 2).items()
    assert messages(records).keys() | said(records).keys() == set(range(6))


@given(st.integers(1, 4), codecs, st.data())
def test_a_body_that_is_damaged_under_a_right_checksum_is_said(
    count: int, codec: int, data: st.DataObject
) -> None:
    """As a producer sends it that is wrong itself: what comes out right before the damage is kept."""
    raw = bytearray(batch(0, count, codec))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(RECORDS, len(raw) - 1))] = data.draw(st.integers(0, 255))
    damaged = Log((count, sealed(bytes(raw))), (2, batch(count, 2)))
    records = list(damaged.read())
    assert messages(records).items() >= true(count, count + 1).items()
    assert messages(records).keys() | said(records).keys() >= {count - 1, count, count + 1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda raw: sealed(raw[: ATTRIBUTES + 1] + b"\5" + raw[ATTRIBUTES + 2 :]), "codec"),
        (lambda raw: sealed(raw[: ATTRIBUTES + 1] + b"\4" + raw[ATTRIBUTES + 2 :]), "expected records"),
        (lambda raw: raw[:-1] + b"!", "checksum"),
        (lambda raw: raw[:FORMAT] + b"\7" + raw[FORMAT + 1 :], "format 7"),
        (lambda raw: raw[:FORMAT] + b"\1" + raw[FORMAT + 1 :], "expected"),
        (lambda raw: b"\1" + raw[1:], "expected offsets from 3 to 7, received a batch of 72057594037927939"),
    ],
)
def test_it_says_what_is_lost_and_why(change: Any, reason: str) -> None:
    raw = change(batch(3, 3))
    records = list(Log((3, batch(0, 3)), (3, raw), (2, batch(6, 2))).read())
    assert messages(records) == true(0, 1, 2, 6, 7)
    [lost] = [one for one in records if isinstance(one.value, Unreadable)]
    assert (lost.topic, lost.partition, lost.offset, lost.key) == ("ticks", 3, 5, None)
    assert (lost.value.first, lost.value.messages, lost.value.is_lost) == (3, 3, True)
    assert lost.value == raw
    assert reason in lost.value.reason
    assert unreadable.place("ticks", 3, 5, lost.value) == "ticks/3/3-5"


@pytest.mark.parametrize("codec", [CODECS[name] for name in ("gzip", "snappy", "lz4", "zstd")])
def test_a_batch_that_would_take_the_memory_is_said_and_the_rest_is_read(codec: int) -> None:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, 0, 0, 1 << 30)
    builder.append(0, 1_000, None, bytes(batch_decompression.MOST + 1), [])
    bomb = numbered(builder.build(), 2)
    records = list(Log((2, batch(0, 2)), (1, bomb), (2, batch(3, 2, codec))).read())
    assert messages(records) == true(0, 1, 3, 4)
    assert said(records) == {2: str(batch_decompression.BatchTooLargeError())}


@pytest.mark.parametrize("codec", [1, 2, 3])
def test_one_of_an_old_format_that_would_take_the_memory_is_said(codec: int) -> None:
    builder = LegacyRecordBatchBuilder(1, codec, 1 << 30)
    builder.append(0, 1_000, None, bytes(batch_decompression.MOST + 1))
    records = list(Log((1, bytes(builder.build())), (1, batch(1, 1))).read())
    assert messages(records) == true(1)
    assert said(records) == {0: str(batch_decompression.BatchTooLargeError())}


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("codec", [0, 1, 2])
def test_batches_of_old_formats_are_read(number: int, codec: int) -> None:
    builder = LegacyRecordBatchBuilder(number, codec, 1 << 20)
    for offset in range(3):
        builder.append(offset, 1_000, None, value(offset))
    raw = bytes(builder.build())
    # A broker numbers those that are compressed by their last one.
    raw = numbered(raw, 2) if codec else raw
    records = list(Log((3, raw), (1, batch(3, 1))).read())
    assert messages(records) == true(0, 1, 2, 3)


def test_what_a_producer_took_back_is_said_and_what_it_committed_is_read() -> None:
    parts = [
        batch(0, 2, 0, producer=7),
        batch(2, 2, 1, producer=9),
        mark(4, 7, 0),
        mark(5, 9, 1),
        batch(6, 1),
    ]
    taken = Log(*zip([2, 2, 1, 1, 1], parts, strict=True), aborted=[(7, 0)])
    records = list(taken.read())
    assert messages(records) == true(2, 3, 6)
    [back] = [one for one in records if isinstance(one.value, Unreadable)]
    assert (back.value, back.offset, back.value.first, back.value.is_lost) == (b"", 1, 0, False)
    assert "aborted" in back.value.reason
