"""Fake producer without a broker, whose batches are aiokafka's own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, cast

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import RecordMetadata, TopicPartition

from services.common.kafka.publisher import Publisher
from services.common.kafka.send_queue import LINGER_S
from tests import virtual_time

PARTITIONS = 4


class Taken(NamedTuple):
    """One message as a broker would hold it."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    timestamp_ms: int


class FakeProducer:
    """Takes batches as `AIOKafkaProducer` does.

    Raises the errors in `refuse`, one a call, before it takes one; `verdict` says what becomes of a batch that was
    taken; while `holds` is true nothing is answered.
    """

    def __init__(self, *refuse: KafkaError, batch_bytes: int = 1 << 18) -> None:
        self.refuse = list(refuse)
        self.verdict: Callable[[Sequence[Taken]], Exception | None] = lambda _: None
        self.holds = False
        self.batches: list[list[Taken]] = []
        self.offsets: dict[tuple[str, int], int] = {}
        self._batch_bytes = batch_bytes
        self._held: list[Callable[[], None]] = []

    @property
    def taken(self) -> list[Taken]:
        """All messages that were taken, in the order of their batches."""
        return [message for batch in self.batches for message in batch]

    def values(self, topic: str) -> list[bytes | None]:
        """Return what was taken for a topic."""
        return [message.value for message in self.taken if message.topic == topic]

    async def partitions_for(self, topic: str) -> set[int]:
        """Return the same partitions for every topic."""
        self._refuse()
        return set(range(PARTITIONS))

    def create_batch(self) -> BatchBuilder:
        """Return an empty batch."""
        return BatchBuilder(self._batch_bytes, 0)

    async def send_batch(
        self, builder: BatchBuilder, topic: str, *, partition: int
    ) -> asyncio.Future[RecordMetadata]:
        """Take a batch and return what tells where it lies."""
        assert builder.closed(), "expected a batch that nobody fills any more"
        self._refuse()
        delivery: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        messages = _messages(builder, topic, partition)

        def answer() -> None:
            if error := self.verdict(messages):
                delivery.set_exception(error)
                return
            offset = self.offsets.get((topic, partition), 0)
            self.offsets[topic, partition] = offset + len(messages)
            self.batches.append(messages)
            place = TopicPartition(topic, partition)
            delivery.set_result(RecordMetadata(topic, partition, place, offset, -1, 0, 0))

        if self.holds:
            self._held.append(answer)
        else:
            answer()
        return delivery

    def answer(self, count: int | None = None) -> None:
        """Answer the first `count` batches that are held, or all."""
        for answer in self._held[:count]:
            answer()
        del self._held[:count]

    def _refuse(self) -> None:
        if self.refuse:
            raise self.refuse.pop(0)


def _messages(builder: Any, topic: str, partition: int) -> list[Taken]:
    records, messages = MemoryRecords(bytes(builder._build())), []
    while (batch := records.next_batch()) is not None:
        messages += [Taken(topic, partition, one.key, one.value, one.headers, one.timestamp) for one in batch]
    return messages


def publisher(producer: FakeProducer, **options: Any) -> Publisher:
    """Return what publishes by `producer`."""
    return Publisher(cast("AIOKafkaProducer", producer), **options)


def publishing(
    producer: FakeProducer, work: Callable[[Publisher], Awaitable[None]], **options: Any
) -> FakeProducer:
    """Run `work` with a publisher, in no time; it is closed afterwards, well or not."""

    async def run() -> None:
        made = publisher(producer, **options)
        try:
            await work(made)
        finally:
            await made.close()

    virtual_time.run(run())
    return producer


async def settle() -> None:
    """Let everybody do what needs no time, and what is due."""
    await asyncio.sleep(LINGER_S)
    for _ in range(10):
        await asyncio.sleep(0)
