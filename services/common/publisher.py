"""Messages to the broker in batches, each partition's in order: lose none, and wait rather than outrun a reader."""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, NoReturn

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.partitioner import murmur2

from services.common import kafka
from services.common.backoff import Backoff
from services.common.errors import FatalError
from services.common.flow_control import FlowControl, asking, needed
from services.common.lag import Lag
from services.common.settings import KafkaSettings
from services.common.wake_up import Waker

# The longest that a message waits for others, and the most bytes of a batch before it is compressed.
LINGER_S = 0.005
BATCH_BYTES = 1 << 18
_KEYS_KEPT = 1 << 16

# Keys are symbols and pairs, ever the same.
_hash = lru_cache(maxsize=_KEYS_KEPT)(murmur2)

log = structlog.get_logger()


def partition_of_key(key: bytes | None, partitions: Sequence[int]) -> int:
    """Return the partition that Kafka's own clients choose: by the hash of the key, any for none."""
    if key is None:
        return random.choice(partitions)  # noqa: S311
    number: int = _hash(key) & 0x7FFFFFFF
    return partitions[number % len(partitions)]


class _Batch:
    """Messages that go in one piece; they are kept until the broker has them."""

    def __init__(self, builder: Any, now_s: float) -> None:
        self.builder = builder
        self.messages: list[dict[str, Any]] = []
        self.begun_s = now_s
        self.delivered: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _Lane:
    """One partition: the batch being filled, those that wait, and who sends them."""

    def __init__(self, place: TopicPartition) -> None:
        self.place = place
        self.open: _Batch | None = None
        self.closed: deque[_Batch] = deque()
        self.is_due = False
        self.sending: asyncio.Task[None] | None = None

    def batches(self) -> list[_Batch]:
        return [*self.closed, *([self.open] if self.open else [])]


class Publisher:
    """Collects for `LINGER_S` what goes to a partition, sends it as one batch, and sends it again until it is taken.

    A broker that is away costs time, never a message and never the order of a partition. At most `limit` messages are
    outstanding; where the broker keeps little, none is sent that would push out what a reader has not read.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        flow: FlowControl | None = None,
        waker: Waker | None = None,
        limit: int = 20_000,
    ) -> None:
        """`producer` is started; without `flow` nobody is waited for."""
        self._producer = producer
        self._flow = flow
        self._waker = waker
        self._limit = limit
        self._lanes: dict[TopicPartition, _Lane] = {}
        self._by_key: dict[tuple[str, bytes | None], _Lane] = {}
        self._outstanding = 0
        self._fewer = asyncio.Event()
        self._flush_at: asyncio.TimerHandle | None = None
        self._woken: set[str] = set()
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
    ) -> asyncio.Future[None]:
        """Enqueue a message and return what tells when the broker has it; waits while too much is outstanding.

        FatalError if the broker has refused one for good.
        """
        while self._outstanding >= self._limit:
            self._fewer.clear()
            await self._unless_failed(self._fewer.wait())
        lane = self._by_key.get((topic, key)) if partition is None else None
        if lane is None:
            lane = await self._lane(topic, key, partition)
        message = {"key": key, "value": value, "headers": list(headers or ()), "timestamp": timestamp_ms}
        batch = lane.open
        if batch is None or batch.builder.append(**message) is None:
            batch = self._begin(lane)
            batch.builder.append(**message)
        batch.messages.append(message)
        self._outstanding += 1
        return batch.delivered

    def has_room(self, topic: str) -> bool:
        """Tell whether no partition of a topic waits for its readers."""
        return self._flow is None or all(place.topic != topic for place in self._flow.waiting)

    def lag(self) -> Lag:
        """Return how many messages the broker has not taken yet, and since when the oldest waits."""
        waiting = [batch.begun_s for lane in self._lanes.values() for batch in lane.batches()]
        return Lag(self._outstanding, time.monotonic() - min(waiting) if waiting else 0.0)

    async def flush(self, *topics: str) -> None:
        """Return when all that has been enqueued until now, or of these topics, has been delivered."""
        waiting = [
            batch.delivered
            for lane in self._lanes.values()
            if not topics or lane.place.topic in topics
            for batch in lane.batches()
        ]
        self._flush()
        if waiting:
            await self._unless_failed(asyncio.wait(waiting))

    async def run(self) -> NoReturn:
        """Raise FatalError once the broker refuses a message for good."""
        await asyncio.shield(self._failure)
        raise AssertionError

    async def close(self) -> None:
        """Send what is outstanding, and stop sending if that takes longer than anyone waits."""
        try:
            async with asyncio.timeout(kafka.STOP_TIMEOUT_S):
                await self.flush()
        except (TimeoutError, FatalError):
            log.warning("messages are not delivered at the end", messages=self._outstanding)
        for lane in self._lanes.values():
            if lane.sending is not None:
                lane.sending.cancel()
        self._failure.cancel()

    async def _lane(self, topic: str, key: bytes | None, partition: int | None) -> _Lane:
        if partition is None:
            numbers = sorted(await self._producer.partitions_for(topic))
            place = TopicPartition(topic, partition_of_key(key, numbers))
        else:
            place = TopicPartition(topic, partition)
        if place not in self._lanes:
            self._lanes[place] = _Lane(place)
        if partition is None and key is not None:
            if len(self._by_key) >= _KEYS_KEPT:
                self._by_key.clear()
            self._by_key[topic, key] = self._lanes[place]
        return self._lanes[place]

    def _begin(self, lane: _Lane) -> _Batch:
        """Begin a batch; the one before it is full."""
        if lane.open is not None:
            self._close(lane)
        lane.open = _Batch(self._producer.create_batch(), time.monotonic())
        if self._flush_at is None:
            self._flush_at = asyncio.get_running_loop().call_later(LINGER_S, self._flush)
        return lane.open

    def _flush(self) -> None:
        if self._flush_at is not None:
            self._flush_at.cancel()
            self._flush_at = None
        for lane in self._lanes.values():
            if lane.open is not None:
                lane.is_due = True
                self._start(lane)

    def _close(self, lane: _Lane) -> None:
        assert lane.open is not None
        lane.closed.append(lane.open)
        lane.open, lane.is_due = None, False
        self._start(lane)

    def _start(self, lane: _Lane) -> None:
        if lane.sending is None or lane.sending.done():
            lane.sending = asyncio.create_task(self._send_lane(lane))

    async def _send_lane(self, lane: _Lane) -> None:
        """Send one batch after the other; what comes meanwhile makes the next ones larger."""
        try:
            while lane.closed or (lane.open is not None and lane.is_due):
                if not lane.closed:
                    assert lane.open is not None
                    lane.closed.append(lane.open)
                    lane.open, lane.is_due = None, False
                if self._flow is not None:
                    await self._flow.room(lane.place)
                batch = lane.closed[0]
                await self._deliver(lane.place, batch)
                lane.closed.popleft()
                self._outstanding -= len(batch.messages)
                batch.delivered.set_result(None)
                self._fewer.set()
        except FatalError as error:
            if not self._failure.done():
                self._failure.set_exception(error)

    async def _deliver(self, place: TopicPartition, batch: _Batch) -> None:
        backoff: Backoff | None = None
        while True:
            try:
                batch.builder.close()
                sent = await self._producer.send_batch(batch.builder, place.topic, partition=place.partition)
                record = await sent
            except KafkaError as error:
                _require_retriable(error)
                backoff = backoff or Backoff()
                log.warning("the broker takes nothing, trying again", topic=place.topic, reason=_words(error))
                await asyncio.sleep(backoff.next_s())
                batch.builder = self._producer.create_batch()
                for message in batch.messages:
                    batch.builder.append(**message)
            else:
                if self._flow is not None:
                    self._flow.wrote(place, record.offset, len(batch.messages), batch.builder.size())
                self._wake(place.topic)
                return

    def _wake(self, topic: str) -> None:
        """Wake the readers, once for all the batches of one answer."""
        if self._waker is not None:
            if not self._woken:
                asyncio.get_running_loop().call_soon(self._wake_all)
            self._woken.add(topic)

    def _wake_all(self) -> None:
        assert self._waker is not None
        self._waker.wake(self._woken)
        self._woken.clear()

    async def _unless_failed(self, work: Any) -> None:
        waiting = asyncio.ensure_future(work)
        try:
            await asyncio.wait([waiting, self._failure], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._failure.done():
            self._failure.result()


@asynccontextmanager
async def publisher(settings: KafkaSettings, **options: Any) -> AsyncIterator[Publisher]:
    """Yield a publisher of its own producer; on the way out what is outstanding is sent, for a moment at most."""
    # Idempotence keeps order: the producer retries in place, and never lets a batch expire.
    fixed = {"enable_idempotence": True, "linger_ms": 0, "max_batch_size": BATCH_BYTES}
    waker = Waker(settings.wake_directory)
    async with kafka.producer(settings, **fixed, **options) as producer:
        if needed(settings):
            async with kafka.admin(settings) as admin:
                made = Publisher(producer, FlowControl(asking(admin), settings.broker_keeps_bytes), waker)
                try:
                    yield made
                finally:
                    await made.close()
        else:
            made = Publisher(producer, None, waker)
            try:
                yield made
            finally:
                await made.close()
    waker.close()


def _require_retriable(error: KafkaError) -> None:
    # aiokafka does not count its own timeout as worth another try.
    if not (error.retriable or isinstance(error, KafkaTimeoutError)):
        raise FatalError(f"expected the broker to take a message, received {_words(error)}") from error


def _words(error: KafkaError) -> str:
    return str(error) or type(error).__name__
