"""Publisher in batches, in order per partition: loses no message, and waits rather than outrun a reader."""

import asyncio
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.partitioner import murmur2

from services.common.backoff import Backoff
from services.common.cancellation import asked
from services.common.errors import FatalError, TransientError, reason_of
from services.common.kafka import clients
from services.common.kafka.flow_control import FlowControl, asking, needed
from services.common.kafka.lag import Lag
from services.common.kafka.send_queue import Linger, PartitionQueue, SendBatch, SendQueue
from services.common.kafka.waker import Waker
from services.common.kafka.words import News, numbered
from services.common.settings import KafkaSettings

# The most bytes of a batch before it is compressed.
BATCH_BYTES = 1 << 18
# Bytes of each topic that may wait in full batches.
_LIMIT_BYTES = 8 << 20
_KEYS_KEPT = 1 << 16

# Keys are symbols and pairs, ever the same.
_hash = lru_cache(maxsize=_KEYS_KEPT)(murmur2)

T = TypeVar("T")
log = structlog.get_logger()


def partition_of_key(key: bytes | None, partitions: Sequence[int]) -> int:
    """Return the partition that Kafka's own clients choose: by the hash of the key, any for none."""
    if key is None:
        return random.choice(partitions)  # noqa: S311
    number: int = _hash(key) & 0x7FFFFFFF
    return partitions[number % len(partitions)]


class Publisher:
    """Publisher that collects the messages of a partition for a moment, sends them as one batch, and retries.

    A broker that is away costs time, never a message and never the order of a partition. A topic of which
    `limit_bytes` wait makes its senders wait, and no others; where the broker keeps little, nothing is sent that would
    push out what a reader has not read.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        flow: FlowControl | None = None,
        waker: Waker | None = None,
        limit_bytes: int = _LIMIT_BYTES,
    ) -> None:
        """`producer` is started and never gives up what it has taken; without `flow` nobody is waited for."""
        self._producer = producer
        self._flow = flow
        self._waker = waker
        self._limit_bytes = limit_bytes
        self._topic_queues: dict[str, SendQueue] = {}
        self._queues: dict[TopicPartition, PartitionQueue] = {}
        self._by_key: dict[tuple[str, bytes | None], PartitionQueue] = {}
        self._flush_at: asyncio.Handle | None = None
        self._linger = Linger(asyncio.get_running_loop().time)
        self._failure: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()

    async def send(
        self,
        topic: str,
        *,
        key: bytes | None = None,
        value: bytes | None,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes]] | None = None,
        timestamp_ms: int | None = None,
        at_once: bool = False,
        can_wait: bool = False,
    ) -> asyncio.Future[None]:
        """Enqueue a message and return what tells when the broker has it; waits while too much of the topic waits.

        With `at_once` it waits for no others: it holds many things already. Some readers are not woken for one that
        `can_wait`, and get it with the next that cannot. FatalError if the broker refused one for
        good.
        """
        queue = self._by_key.get((topic, key)) if partition is None else None
        if queue is None:
            queue = await self._queue_of(topic, key, partition)
        while True:
            batch = queue.open or await self._begin(queue)
            given = [*headers] if headers else []
            if batch.append(timestamp=timestamp_ms, key=key, value=value, headers=given) is not None:
                batch.can_wait &= can_wait
                if at_once:
                    queue.is_due = True
                    self._start(queue)
                return batch.delivered
            queue.close()
            self._start(queue)

    def has_room(self, topic: str, partition: int | None = None) -> bool:
        """Tell whether no partition of a topic, or not this one, waits for its readers."""
        waiting = () if self._flow is None else self._flow.waiting
        return all(place.topic != topic or partition not in (None, place.partition) for place in waiting)

    def lag(self) -> Lag:
        """Return how many messages the broker has not taken yet, and since when the oldest waits."""
        waiting = self._waiting()
        messages = sum(batch.builder.record_count() for batch in waiting)
        now_s = asyncio.get_running_loop().time()
        return Lag(messages, now_s - min((batch.begun_s for batch in waiting), default=now_s))

    async def flush(self, *topics: str) -> None:
        """Return when all that has been enqueued until now, or of these topics, has been delivered; as `send`."""
        waiting = [batch.delivered for batch in self._waiting(*topics)]
        self._flush()
        # A caller that stops waiting cancels no delivery.
        if waiting:
            await asyncio.wait(waiting)
        self._require_well()

    async def run(self) -> NoReturn:
        """Raise FatalError once the broker refuses a message for good."""
        await asyncio.shield(self._failure)
        raise AssertionError

    async def close(self) -> None:
        """Send the queue, and give up after `STOP_TIMEOUT_S`."""
        try:
            async with asyncio.timeout(clients.STOP_TIMEOUT_S):
                await self.flush()
        except (TimeoutError, FatalError):
            log.warning(
                "the service ends before the broker has all its messages", messages=self.lag().messages
            )
        if self._flush_at is not None:
            self._flush_at.cancel()
        tasks = [queue.sending for queue in self._queues.values() if queue.sending is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for batch in self._waiting():
            batch.delivered.cancel()

    async def _queue_of(self, topic: str, key: bytes | None, partition: int | None) -> PartitionQueue:
        if partition is None:
            numbers = await self._until_answered(topic, lambda: self._producer.partitions_for(topic))
            place = TopicPartition(topic, partition_of_key(key, sorted(numbers)))
        else:
            place = TopicPartition(topic, partition)
        if place not in self._queues:
            self._queues[place] = PartitionQueue(place, self._topic_queues.setdefault(topic, SendQueue()))
        if partition is None and key is not None:
            if len(self._by_key) >= _KEYS_KEPT:
                self._by_key.clear()
            self._by_key[topic, key] = self._queues[place]
        return self._queues[place]

    async def _begin(self, queue: PartitionQueue) -> SendBatch:
        """Return the open batch of a partition that had none; another sender may have begun one meanwhile."""
        while queue.topic_queue.bytes >= self._limit_bytes:
            queue.topic_queue.shrunk.clear()
            await queue.topic_queue.shrunk.wait()
        self._require_well()
        if queue.open is None:
            queue.open = SendBatch(self._producer.create_batch())
            if self._flush_at is None:
                self._flush_at = self._flush_in(self._linger.seconds)
        return queue.open

    def _flush_in(self, seconds: float) -> asyncio.Handle:
        loop = asyncio.get_running_loop()
        return loop.call_later(seconds, self._flush) if seconds else loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._flush_at is not None:
            self._flush_at.cancel()
            self._flush_at = None
        for queue in self._queues.values():
            if queue.open is not None:
                queue.is_due = True
                self._start(queue)

    def _start(self, queue: PartitionQueue) -> None:
        if (queue.sending is None or queue.sending.done()) and not self._failure.done():
            queue.sending = asyncio.create_task(self._send_queue(queue))

    async def _send_queue(self, queue: PartitionQueue) -> None:
        """Send one batch after the other; what comes meanwhile makes the next ones larger."""
        try:
            while queue.closed or queue.is_due:
                if not queue.closed:
                    queue.close()
                batch = queue.closed[0]
                await asked(self._deliver(queue.place, batch), f"the delivery of {queue.place.topic}")
                queue.closed.popleft()
                queue.topic_queue.bytes -= batch.size
                queue.topic_queue.shrunk.set()
                if not batch.delivered.done():
                    batch.delivered.set_result(None)
        except TransientError as error:
            self._fail(FatalError(str(error)))
        except Exception as error:  # whoever sends, waits or runs raises it
            self._fail(error)

    async def _deliver(self, place: TopicPartition, batch: SendBatch) -> None:
        if self._flow is not None:
            await self._flow.room(place, batch.size)
        send = self._producer.send_batch
        sent = await self._until_answered(
            place.topic, lambda: send(batch.builder, place.topic, partition=place.partition)
        )
        try:
            record = await sent
        except KafkaError as error:
            raise _refused(place.topic, error) from error
        messages = batch.builder.record_count()
        self._linger.sent(messages)
        if self._flow is not None:
            self._flow.wrote(place, record.offset, messages, batch.builder.size())
        if self._waker is not None:
            whole = numbered(batch.builder._build(), record.offset)
            self._waker.wake_soon(News(place, whole, batch.can_wait))

    async def _until_answered(self, topic: str, ask: Callable[[], Awaitable[T]]) -> T:
        backoff: Backoff | None = None
        while True:
            try:
                return await ask()
            except KafkaError as error:
                # aiokafka does not count its own timeout as worth another try.
                if not (error.retriable or isinstance(error, KafkaTimeoutError)):
                    raise _refused(topic, error) from error
                backoff = backoff or Backoff()
                log.warning(
                    "the broker accepts no message, trying again", topic=topic, reason=reason_of(error)
                )
                await asyncio.sleep(backoff.next_s())

    def _fail(self, error: Exception) -> None:
        """Send nothing any more, and tell everybody who waits."""
        if self._failure.done():
            return
        self._failure.set_exception(error)
        self._failure.exception()  # nobody need ask
        for batch in self._waiting():
            if not batch.delivered.done():
                batch.delivered.set_exception(error)
                batch.delivered.exception()
        for queue in self._queues.values():
            if queue.sending is not None and queue.sending is not asyncio.current_task():
                queue.sending.cancel()
            queue.open, queue.topic_queue.bytes = None, 0
            queue.closed.clear()
            queue.topic_queue.shrunk.set()

    def _require_well(self) -> None:
        if self._failure.done():
            self._failure.result()

    def _waiting(self, *topics: str) -> list[SendBatch]:
        queues = (queue for queue in self._queues.values() if not topics or queue.place.topic in topics)
        return [batch for queue in queues for batch in queue.batches()]


@asynccontextmanager
async def publisher(settings: KafkaSettings, **options: Any) -> AsyncIterator[Publisher]:
    """Yield a publisher with its own producer; at the end its queue is sent, for a limited time."""
    # Idempotence keeps order: the producer retries in place.
    fixed = {"enable_idempotence": True, "linger_ms": 0, "max_batch_size": BATCH_BYTES}
    async with AsyncExitStack() as stack:
        waker = stack.enter_context(closing(Waker(settings.wake_directory)))
        producer = await stack.enter_async_context(clients.producer(settings, **fixed, **options))
        # aiokafka lets batches expire while a partition has no leader, and leaves a gap in their sequence numbers.
        producer._message_accumulator._batch_ttl = math.inf
        flow = None
        if needed(settings):
            admin = await stack.enter_async_context(clients.admin(settings))
            flow = FlowControl(asking(admin), settings.broker_keeps_bytes)
        made = Publisher(producer, flow, waker)
        stack.push_async_callback(made.close)
        yield made


def _refused(topic: str, error: KafkaError) -> FatalError:
    return FatalError(f"expected the broker to take messages of {topic}, received {reason_of(error)}")
