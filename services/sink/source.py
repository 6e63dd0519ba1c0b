"""The sink's side of Kafka: batches of the assigned partitions, from where the database says to go on."""

import asyncio
import time
from collections.abc import Iterable, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from services.sink.batch import KINDS, Batch, Partition

GROUP = "sink"
# The shortest a broker accepts by default: a member that was killed holds its partitions for so long.
SESSION_TIMEOUT_MS = 6_000
_IDLE_MS = 1_000
_LAG_TIMEOUT_S = 2.0

log = structlog.get_logger()


class Source(ConsumerRebalanceListener):  # type: ignore[misc]
    """Reads batches; only while ``placed`` is true do its positions come from the stored offsets."""

    def __init__(self, consumer: AIOKafkaConsumer, batch_rows: int, batch_ms: int) -> None:
        """`consumer` is started, a member of GROUP and not yet subscribed."""
        self.placed = False
        self.lost = 0
        """Messages that the broker had deleted before they were read."""
        self._consumer = consumer
        self._batch_rows = batch_rows
        self._batch_ms = batch_ms
        self._next: dict[Partition, int] = {}
        consumer.subscribe(list(KINDS), listener=self)

    async def place(self, stored: Mapping[Partition, int]) -> None:
        """Go to the stored offset of each assigned partition, to the earliest one where none is stored.

        An offset the broker does not have means that messages are lost: said in the log and in ``lost``.
        """
        self.placed = True
        assigned = self._consumer.assignment()
        earliest = await self._consumer.beginning_offsets(assigned)
        latest = await self._consumer.end_offsets(assigned)
        if not self.placed:
            return
        self._next = {}
        for topic_partition in assigned:
            partition, first = Partition(*topic_partition), earliest[topic_partition]
            offset = stored.get(partition, first)
            if not first <= offset <= latest[topic_partition]:
                self.lost += max(0, first - offset)
                log.error(
                    "messages are lost: the broker does not have the stored offset, going on at its earliest",
                    topic=partition.topic,
                    partition=partition.partition,
                    stored=offset,
                    earliest=first,
                    latest=latest[topic_partition],
                )
                offset = first
            self._consumer.seek(topic_partition, offset)
            self._next[partition] = offset

    async def read(self) -> Batch:
        """Return the next batch, empty after a second without messages or when ``placed`` has become false."""
        batch = Batch()
        if not self.placed and self._consumer.assignment():
            return batch
        wait_ms, deadline = _IDLE_MS, 0.0
        while len(batch) < self._batch_rows and wait_ms > 0:
            received = await self._consumer.getmany(
                timeout_ms=wait_ms, max_records=self._batch_rows - len(batch)
            )
            for topic_partition, records in received.items():
                await self._check(topic_partition, records[0].offset)
                self._add(batch, Partition(*topic_partition), records)
            if not self.placed:
                return Batch()
            if not batch:
                break
            deadline = deadline or time.monotonic() + self._batch_ms / 1000
            wait_ms = round((deadline - time.monotonic()) * 1000)
        return batch

    async def lag(self) -> int | None:
        """Return how many messages of the assigned partitions are still to be read, None if that is unknown."""
        if not self.placed or not self._next:
            return None
        places = [TopicPartition(*partition) for partition in self._next]
        try:
            async with asyncio.timeout(_LAG_TIMEOUT_S):
                ends: dict[TopicPartition, int] = await self._consumer.end_offsets(places)
        except (KafkaError, TimeoutError):
            return None
        return sum(max(0, end - self._next.get(Partition(*place), end)) for place, end in ends.items())

    async def commit(self, read: Mapping[Partition, int]) -> None:
        """Tell the group how far we are: a hint for whoever watches lag, never what the sink goes by."""
        try:
            await self._consumer.commit(
                {TopicPartition(*partition): offset for partition, offset in read.items()}
            )
        except KafkaError as error:
            log.info("the group did not take the offsets", error=repr(error))

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Stop trusting the positions."""
        self.placed = False

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Ask to be placed: the positions are the group's, not the database's."""
        self.placed = False

    async def _check(self, topic_partition: TopicPartition, offset: int) -> None:
        """Ask to be placed again if the broker has moved us: back, or past messages it has deleted."""
        expected = self._next.get(Partition(*topic_partition))
        if offset == expected or not self.placed:
            return
        # Offsets may also be skipped where nothing was lost: a transaction's markers take one each.
        earliest = await self._consumer.beginning_offsets([topic_partition])
        if expected is None or offset < expected or expected < earliest[topic_partition]:
            self.placed = False

    def _add(self, batch: Batch, partition: Partition, records: Iterable[ConsumerRecord]) -> None:
        for record in records:
            batch.add(partition, record.offset, record.value)
        self._next[partition] = batch.read[partition]
