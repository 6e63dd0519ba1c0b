"""Source of the sink, on a scripted consumer."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from services.common import clock
from services.common.cancellation import end
from services.common.codec import encode
from services.common.errors import TransientError
from services.common.kafka.lag import Lag
from services.contracts.messages import Tick
from services.sink.batch import PartitionBatch, SinkBatch
from services.sink.settings import SinkSettings
from services.sink.source import TopicSource
from tests import builders

PLACE = TopicPartition("ticks", 0)


class Message(NamedTuple):
    """As much of a ConsumerRecord as the source looks at."""

    offset: int
    value: bytes
    timestamp: int


class Broker:
    """One partition that holds `earliest` to `latest`, read in the portions a test gives."""

    def __init__(self, earliest: int, latest: int, portions: Iterable[Iterable[int]] = ()) -> None:
        self.earliest = earliest
        self.latest = latest
        self.portions = [list(portion) for portion in portions]
        self.sought: list[int] = []
        self.away = False
        self.listener: Any = None
        self.running = True
        self.value = b"{}"
        self.reached = 0
        self.said: list[tuple[str, int, int]] = []
        self._fetcher, self._request_timeout_ms = self, 1_000

    def subscribe(self, topics: list[str], listener: object) -> None:
        self.listener = listener

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    async def beginning_offsets(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self.earliest)

    async def end_offsets(
        self, places: Iterable[TopicPartition], timeout_ms: int = 0
    ) -> dict[TopicPartition, int]:
        if self.away:
            raise KafkaConnectionError
        return dict.fromkeys(places, self.latest)

    def paused(self) -> set[TopicPartition]:
        return set() if self.running else {PLACE}

    def pause(self, *places: TopicPartition) -> None:
        self.running = PLACE not in places

    def resume(self, *places: TopicPartition) -> None:
        self.running = self.running or PLACE in places

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        assert offsets.keys() == {PLACE}

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.sought.append(offset)
        self.reached = offset

    async def position(self, place: TopicPartition) -> int:
        return self.reached

    def outrun(self, *loss: Any) -> None:
        self.said.append(loss)

    async def getmany(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Message]]:
        if not self.portions or not self.running:
            return {}
        offsets = self.portions.pop(0)
        self.reached = offsets[-1] + 1
        return {PLACE: [Message(offset, self.value, clock.now_us() // 1000 - 5_000) for offset in offsets]}


def tick(event_us: int) -> Tick:
    return builders.tick(event_us=event_us, buyer_is_maker=True)


def placed(
    broker: Broker, stored: dict[PartitionBatch, int], rows: int = 100, keep: timedelta | None = None
) -> TopicSource:
    settings = SinkSettings(batch_rows=rows, batch_ms=50, retention_ticks=keep)
    source = TopicSource(broker, settings, broker.outrun)
    asyncio.run(source.place(stored))
    return source


def read(source: TopicSource) -> SinkBatch:
    return asyncio.run(source.read())


@pytest.mark.parametrize(
    ("stored", "expected", "lost"),
    [
        ({}, 10, []),
        ({PartitionBatch("ticks", 0): 15}, 15, []),
        ({PartitionBatch("ticks", 0): 20}, 20, []),
        ({PartitionBatch("ticks", 0): 4}, 10, [("ticks", 0, 6)]),
        ({PartitionBatch("ticks", 0): 21}, 10, []),
    ],
    ids=["nothing stored", "stored", "at the end", "deleted meanwhile", "beyond the end"],
)
def test_it_goes_on_where_the_database_says_or_at_the_earliest(
    stored: dict[PartitionBatch, int], expected: int, lost: list[tuple[str, int, int]]
) -> None:
    broker = Broker(10, 20)
    source = placed(broker, stored)
    assert (broker.sought, broker.said, source.placed) == ([expected], lost, True)


def test_a_batch_is_full_at_its_size() -> None:
    source = placed(Broker(0, 6, [[0, 1], [2, 3], [4, 5]]), {}, rows=4)
    assert read(source).read == {("ticks", 0): 4}
    assert read(source).read == {("ticks", 0): 6}


def test_a_batch_is_full_after_its_time() -> None:
    source = placed(Broker(0, 2, [[0, 1]]), {})
    assert len(read(source)) == 2


def test_offsets_skipped_without_a_loss_are_no_matter() -> None:
    source = placed(Broker(0, 9, [[0, 1], [3, 4]]), {}, rows=4)
    assert read(source).read == {("ticks", 0): 5}
    assert source.placed


def test_messages_deleted_before_they_were_read_are_counted_and_those_that_are_left_are_read() -> None:
    broker = Broker(0, 30, [[10, 11], [20, 21], [22]])
    source = placed(broker, {PartitionBatch("ticks", 0): 10}, rows=5)
    broker.earliest = 20
    assert (read(source).read, source.placed) == ({("ticks", 0): 23}, True)
    assert broker.said == [("ticks", 0, 8)]


def test_what_was_counted_is_not_counted_again_where_the_batch_could_not_be_written() -> None:
    broker = Broker(0, 30, [[20, 21], [25, 26]])
    source = placed(broker, {PartitionBatch("ticks", 0): 10}, rows=2)
    broker.earliest = 20
    assert read(source)
    asyncio.run(source.place({PartitionBatch("ticks", 0): 10}))
    broker.earliest = 25
    assert read(source)
    assert broker.said == [("ticks", 0, 10), ("ticks", 0, 5)]


def test_where_nothing_is_left_the_loss_is_counted_and_its_offsets_are_passed() -> None:
    broker = Broker(0, 30)
    source = placed(broker, {PartitionBatch("ticks", 0): 10})
    broker.earliest = broker.latest = broker.reached = 30
    batch = read(source)
    assert (bool(batch), len(batch), batch.read) == (True, 0, {("ticks", 0): 30})
    assert broker.said == [("ticks", 0, 20)]
    asyncio.run(source.commit(batch.read))
    assert asyncio.run(source.lag()).messages == 0
    assert not read(source)


def test_a_broker_that_moves_it_back_makes_it_ask_to_be_placed() -> None:
    broker = Broker(0, 30, [[7, 8]])
    source = placed(broker, {PartitionBatch("ticks", 0): 10})
    assert not read(source)
    assert (source.placed, broker.said) == (False, [])


def test_a_rebalance_drops_what_was_read_and_asks_to_be_placed() -> None:
    broker = Broker(0, 2, [[0, 1]])
    source = placed(broker, {})
    broker.listener.on_partitions_assigned([PLACE])
    assert not read(source)
    assert not source.placed


def test_nothing_is_fetched_between_two_batches() -> None:
    broker = Broker(0, 4, [[0, 1], [2, 3]])
    source = placed(broker, {}, rows=2)
    for number in (2, 4):
        assert read(source).read == {("ticks", 0): number}
        assert not broker.running


def test_a_batch_of_large_messages_is_full_at_its_size_in_bytes() -> None:
    broker = Broker(0, 6, [[0, 1], [2, 3], [4, 5]])
    broker.value = b" " * 5_000_000
    source = placed(broker, {})
    assert read(source).read == {("ticks", 0): 4}


def test_ticks_that_would_be_deleted_at_once_are_only_counted() -> None:
    broker = Broker(0, 2, [[0]])
    now_us = clock.now_us()
    for age_us, expired in ((48 * clock.HOUR, 1), (46 * clock.HOUR, 0)):
        broker.value, broker.portions = encode(tick(now_us - age_us)), [[0]]
        batch = read(placed(broker, {}, keep=timedelta(hours=48)))
        assert (batch.expired, len(batch.records["ticks"]), len(batch)) == (expired, 1 - expired, 1)


def test_lag_is_what_is_still_to_be_written() -> None:
    broker = Broker(0, 10, [[0, 1]])
    source = placed(broker, {}, rows=2)
    batch = read(source)
    assert asyncio.run(source.lag()).messages == 10
    asyncio.run(source.commit(batch.read))
    messages, seconds = asyncio.run(source.lag())
    assert messages == 8
    assert seconds == pytest.approx(5, abs=1)
    broker.away = True
    assert asyncio.run(source.lag()) == Lag()


def test_a_source_that_stands_still_while_messages_come_is_an_error_but_not_between_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.sink.source._STALLED_S", 0.0)
    broker = Broker(10, 20)
    source = placed(broker, {})

    async def grow() -> None:
        for _ in range(3):
            await source.lag()
            broker.latest += 1

    asyncio.run(grow())  # the database takes its time
    waiting = asyncio.Event()

    async def wait_for_ever(**_: Any) -> dict[TopicPartition, list[Message]]:
        waiting.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(broker, "getmany", wait_for_ever)

    async def scene() -> None:
        reading = asyncio.create_task(source.read())
        await waiting.wait()
        with pytest.raises(
            TransientError, match="expected ticks/0 to be read, but offset 10 has stood still"
        ):
            await grow()
        await end(reading)

    asyncio.run(scene())
