"""Source of the sink: batches of its assigned Kafka partitions, from the offsets in the database."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from services.common import clock
from services.common.errors import TransientError
from services.common.kafka import clients
from services.common.kafka.consumer_watchdog import ConsumerWatchdog
from services.common.kafka.lag import Lag, ReadingLag
from services.common.kafka.losses import Losses, Outrun
from services.contracts.topics import SINK_GROUP
from services.sink.batch import KINDS, PartitionBatch, SinkBatch
from services.sink.settings import SinkSettings

GROUP = SINK_GROUP
# Session timeout, the shortest that brokers accept by default: a killed member holds its partitions this long.
SESSION_TIMEOUT_MS = 6_000
_IDLE_MS = 1_000
# Ends a batch of unusually large messages: the sink holds two batches, and what each broker answers a fetch with.
_BATCH_BYTES = 16 << 20
# Decoded without a look at the database, which has been given the batch before and must not wait for us.
_AT_ONCE = 2_000
_ANSWER_S = 3.0
# A reader that has not moved for this long while messages came starts again.
_STALLED_S = 5.0

log = structlog.get_logger()


class TopicSource(ConsumerRebalanceListener):  # type: ignore[misc]
    """Reads batches; only while ``placed`` is true do its positions come from the stored offsets.

    Between two reads the partitions are paused: as long as the database is behind or away nothing is fetched.
    """

    answers = True
    """True if the broker answered the last request."""

    def __init__(self, consumer: AIOKafkaConsumer, settings: SinkSettings, outrun: Outrun) -> None:
        """`consumer` is started, a member of GROUP and not yet subscribed; `outrun` is told what was deleted unread."""
        self.placed = False
        self._reading = False
        self._watchdog: ConsumerWatchdog[str] = ConsumerWatchdog(_STALLED_S)
        self._losses = Losses(outrun)
        self._consumer = consumer
        self._settings = settings
        self._next: dict[PartitionBatch, int] = {}
        self._written: dict[PartitionBatch, int] = {}
        self._lag = ReadingLag[PartitionBatch](time.monotonic)
        consumer.subscribe(list(KINDS), listener=self)

    async def place(self, stored: Mapping[PartitionBatch, int]) -> None:
        """Go to the stored offset of each assigned partition, to the earliest one if none is stored or it is gone."""
        self.placed = True
        assigned = self._consumer.assignment()
        earliest = await self._consumer.beginning_offsets(assigned)
        latest = await self._consumer.end_offsets(assigned)
        if not self.placed:
            return
        self._next, self._written = {}, {}
        for topic_partition in assigned:
            partition, first = PartitionBatch(*topic_partition), earliest[topic_partition]
            offset = self._losses.resume(
                topic_partition, stored.get(partition, first), first, latest[topic_partition]
            )
            self._consumer.seek(topic_partition, offset)
            self._next[partition] = self._written[partition] = offset

    async def cluster_id(self) -> str:
        """Return the id of the cluster that the offsets belong to."""
        return await clients.cluster_id(self._settings)

    async def read(self) -> SinkBatch:
        """Return the next batch, empty after a second without messages or when ``placed`` has become false."""
        self._consumer.resume(*self._consumer.paused())
        self._reading = True
        try:
            return await self._read()
        finally:
            self._reading = False
            self._consumer.pause(*self._consumer.assignment())

    async def _read(self) -> SinkBatch:
        batch = SinkBatch(self._oldest_us(), clock.now_us())
        if not self.placed and self._consumer.assignment():
            return batch
        rows, wait_ms, deadline = self._settings.batch_rows, _IDLE_MS, 0.0
        while len(batch) < rows and batch.size < _BATCH_BYTES and wait_ms > 0:
            received = await self._consumer.getmany(timeout_ms=wait_ms, max_records=rows - len(batch))
            for topic_partition, records in received.items():
                await self._check(topic_partition, records[0].offset)
                partition = PartitionBatch(*topic_partition)
                await self._add(batch, partition, records)
                self._lag.took(partition, clock.now_us() / clock.SECOND - records[-1].timestamp / 1000)
            if not self.placed:
                return SinkBatch()
            if not batch:
                break
            deadline = deadline or time.monotonic() + self._settings.batch_ms / 1000
            wait_ms = round((deadline - time.monotonic()) * 1000)
        await self._skip(batch)
        return batch if self.placed else SinkBatch()

    async def lag(self) -> Lag:
        """Return how much of the assigned partitions is not written.

        TransientError if messages come and none is read.
        """
        written = self._written
        if not self.placed or not written:
            return Lag()
        places = [TopicPartition(*partition) for partition in written]
        try:
            async with asyncio.timeout(_ANSWER_S):
                found = await clients.ends(self._consumer, places)
                read = {TopicPartition(*one): following for one, following in self._next.items()}
                readable = await clients.readable(self._consumer, found, read)
        except (KafkaError, TimeoutError):
            self.answers = False
            return Lag()
        self.answers = True
        ends = {PartitionBatch(*place): end for place, end in found.items()}
        self._require_progress({PartitionBatch(*place): end for place, end in readable.items()})
        return self._lag.measure(written, ends)

    def _require_progress(self, ends: Mapping[PartitionBatch, int]) -> None:
        # While the database takes its time nothing is read, and rightly so.
        judged = ends if self._reading and self.placed else {}
        complaint = self._watchdog.measure(
            time.monotonic(),
            {_name(partition): following for partition, following in self._next.items()},
            {_name(partition): end for partition, end in judged.items()},
        )
        if complaint is not None:
            raise TransientError(complaint)

    async def commit(self, read: Mapping[PartitionBatch, int]) -> None:
        """Commit the offsets to the group: a hint for lag monitors, which the sink itself never reads."""
        self._written |= read
        try:
            await self._consumer.commit(
                {TopicPartition(*partition): offset for partition, offset in read.items()}
            )
        except KafkaError as error:
            log.info("offsets could not be committed to the group", error=repr(error))

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Stop trusting the positions."""
        self.placed = False

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Ask to be placed: the positions are the group's, not the database's."""
        self.placed = False

    async def _check(self, topic_partition: TopicPartition, offset: int) -> None:
        """Count what the broker has moved us past, and ask to be placed again if it has moved us back."""
        expected = self._next.get(PartitionBatch(*topic_partition))
        if expected is None or offset < expected:
            self.placed = False
        elif self.placed:
            await self._losses.passed(topic_partition, expected, offset, self._consumer.beginning_offsets)

    async def _skip(self, batch: SinkBatch) -> None:
        """Pass what nothing comes of any more: deleted messages after which there is none, marks of transactions."""
        for partition, following in self._next.items():
            position = await self._consumer.position(TopicPartition(*partition))
            if not self.placed:
                return
            if position != following:
                await self._check(TopicPartition(*partition), position)
                batch.read[partition] = position
        self._next |= batch.read

    async def _add(
        self, batch: SinkBatch, partition: PartitionBatch, records: Sequence[ConsumerRecord]
    ) -> None:
        for first in range(0, len(records), _AT_ONCE):
            some = records[first : first + _AT_ONCE]
            batch.extend(partition, [record.offset for record in some], [record.value for record in some])
            await asyncio.sleep(0)
        self._next[partition] = batch.read[partition]

    def _oldest_us(self) -> int:
        """Return from when on ticks are stored: late ones among deleted ones would make a bar of themselves."""
        keep = self._settings.retention_ticks
        return 0 if keep is None else clock.now_us() - keep // timedelta(microseconds=1) + clock.HOUR


def _name(partition: PartitionBatch) -> str:
    return f"{partition.topic}/{partition.partition}"
