"""Wake-up of readers on the embedded broker: soon there, seldom asking, and kept from nothing."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.common.kafka.clients import consumer
from services.common.kafka.publisher import Publisher, publisher
from services.common.kafka.wake_up import LOOK_S
from services.common.settings import KafkaSettings
from services.contracts.topics import HEARTBEATS, TICKS
from tests.broker import produce
from tests.brokers.kafka import Cluster

pytestmark = pytest.mark.integration

PLACE = TopicPartition("ticks", 0)


class Reader:
    """A consumer whose fetches are counted."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self.consumer = consumer
        self.fetches = 0
        self._send = consumer._client.send
        consumer._client.send = self._count_and_send

    async def _count_and_send(self, node: int, request: Any, **options: Any) -> Any:
        self.fetches += type(request).__name__.startswith("Fetch")
        return await self._send(node, request, **options)

    async def read(self, count: int = 1) -> list[bytes]:
        """Return the next `count` messages or more."""
        values = list[bytes]()
        async with asyncio.timeout(30):
            while len(values) < count:
                for records in (await self.consumer.getmany(timeout_ms=1_000)).values():
                    values += [record.value for record in records]
        return values


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run


@pytest.fixture
def settings(broker: str) -> Any:
    with tempfile.TemporaryDirectory(prefix="pairstream-wake-") as name:
        yield KafkaSettings(brokers=broker, wake_directory=Path(name))


@asynccontextmanager
async def reading(settings: KafkaSettings) -> AsyncIterator[tuple[Reader, Publisher]]:
    """Yield a reader that has read all there is, and who publishes more."""
    async with consumer(settings, TICKS, HEARTBEATS) as started, publisher(settings) as made:
        reader = Reader(started)
        await made.send("ticks", value=b"first", partition=0)
        assert await reader.read() == [b"first"]
        yield reader, made


@in_loop
async def test_a_reader_fetches_seldom_while_nothing_comes(settings: KafkaSettings) -> None:
    async with reading(settings) as (reader, _):
        reader.fetches = 0
        assert await reader.consumer.getmany(timeout_ms=2_000) == {}
        assert 1 <= reader.fetches <= 30


@in_loop
async def test_what_is_announced_is_read_within_milliseconds_without_a_fetch(
    settings: KafkaSettings,
) -> None:
    async with reading(settings) as (reader, made):
        waited_s, fetches = [], []
        for number in range(60):
            reader.fetches, began_s = 0, time.monotonic()
            await made.send("ticks", value=b"%d" % number, partition=number % 4)
            assert await reader.read() == [b"%d" % number]
            waited_s.append(time.monotonic() - began_s)
            fetches.append(reader.fetches)
        assert statistics.median(waited_s) < LOOK_S / 3
        assert statistics.median(fetches) == 0


@in_loop
async def test_what_nobody_announces_is_read_at_the_next_look(settings: KafkaSettings) -> None:
    async with reading(settings) as (reader, _):
        for number in range(5):
            reader.fetches = 0
            await asyncio.to_thread(produce, settings.brokers, "ticks", [(b"%d" % number, 1)])
            assert await reader.read() == [b"%d" % number]
            # Until it was there for the producer, some may have been in vain.
            assert reader.fetches <= 20


@in_loop
async def test_a_backlog_is_read_without_a_wait(settings: KafkaSettings) -> None:
    values = [(b"%d" % number + b" " * 60_000, 3) for number in range(60)]
    async with reading(settings) as (reader, made):
        reader.consumer.pause(*reader.consumer.assignment())
        for value, partition in values:
            await made.send("ticks", value=value, partition=partition)
        await made.flush()
        reader.fetches = 0
        reader.consumer.resume(*reader.consumer.assignment())
        assert await reader.read(60) == [value for value, _ in values]
        # One for each batch, and some that tell where the end is.
        assert reader.fetches <= 62


@in_loop
async def test_a_seek_is_not_held_back_by_a_fetch_that_waits(settings: KafkaSettings) -> None:
    async with reading(settings) as (reader, _):
        for _ in range(5):
            await reader.consumer.getmany(timeout_ms=10)
            reader.fetches = 0
            reader.consumer.seek(PLACE, 0)
            assert await reader.read() == [b"first"]
            assert reader.fetches <= 2


@in_loop
async def test_a_pause_ends_the_fetches_and_after_it_comes_what_was_announced_meanwhile(
    settings: KafkaSettings,
) -> None:
    async with reading(settings) as (reader, made):
        reader.consumer.pause(*reader.consumer.assignment())
        assert await reader.consumer.getmany(timeout_ms=200) == {}
        reader.fetches = 0
        for number in range(4):
            await made.send("ticks", value=b"%d" % number, partition=number)
        await made.flush()
        assert await reader.consumer.getmany(timeout_ms=300) == {}
        assert reader.fetches == 0
        reader.consumer.resume(*reader.consumer.assignment())
        assert sorted(await reader.read(4)) == [b"0", b"1", b"2", b"3"]
        assert reader.fetches <= 3


@in_loop
async def test_members_of_a_group_read_on_when_another_joins(kafka: Cluster) -> None:
    with tempfile.TemporaryDirectory(prefix="pairstream-wake-") as name:
        settings = KafkaSettings(brokers=kafka.servers, wake_directory=Path(name))
        options: dict[str, Any] = {"group_id": "readers", "session_timeout_ms": 6_000, "later": ["ticks"]}
        async with publisher(settings) as made, consumer(settings, **options) as one:
            one.subscribe(["ticks"])
            await made.send("ticks", value=b"first", partition=0)
            assert await Reader(one).read() == [b"first"]
            async with consumer(settings, **options) as other:
                other.subscribe(["ticks"])
                async with asyncio.timeout(60):
                    while not other.assignment() or len(one.assignment()) == 4:
                        await one.getmany(timeout_ms=100)
                expected = {b"%d" % number for number in range(40)}
                for value in sorted(expected):
                    await made.send("ticks", value=value, partition=int(value) % 4)
                halves = await asyncio.gather(Reader(one).read(20), Reader(other).read(20))
        assert {value for half in halves for value in half} >= expected
