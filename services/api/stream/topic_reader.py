"""Topic reader, the process's one Kafka consumer: reads the end of every topic, without a group."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct

from services.api.instances import Received
from services.api.service_health import ServiceHealth
from services.api.stream.arrival_times import ArrivalTimes
from services.api.stream.live_state import RADAR_KEPT, LiveState
from services.api.tape_health import TapeHealth
from services.common import clock
from services.common.backoff import Backoff
from services.common.cancellation import TaskGroup, checkpoint, pause
from services.common.codec import decode_all
from services.common.errors import BadMessageError, TransientError, reason_of
from services.common.heartbeat import INTERVAL_S, HeartbeatState
from services.common.kafka import clients
from services.common.kafka.consumer_watchdog import ConsumerWatchdog
from services.common.kafka.dead_letters import DeadLetter, DeadLetters
from services.common.kafka.lag import ReadingLag
from services.common.kafka.losses import Losses
from services.common.plausibility import decode_ticks
from services.common.settings import KafkaSettings
from services.common.unreadable import count
from services.contracts.messages import Alert, Heartbeat, RadarEvent, Signal, TapeEvent, Tick
from services.contracts.topics import ALERTS, HEARTBEATS, RADAR, SIGNALS, TAPE_EVENTS, TICKS

AWAY = "the broker cannot be reached"
# How many of the newest messages of a partition to read at the start: ticks until the next ones come, signals and
# alerts that the store may not have yet, because the sink was away for minutes, heartbeats far enough back to name a
# service that has died, events of the tape far enough back to know which streams are stale, and of radars some.
_TOPICS = {
    TICKS: 500,
    SIGNALS: 10_000,
    ALERTS: 1_000,
    HEARTBEATS: 5_000,
    TAPE_EVENTS: 10_000,
    RADAR: RADAR_KEPT,
}
BACKLOG = {topic.name: count for topic, count in _TOPICS.items()}
POLL_MS = 1_000
# Wait of a fetch for more messages: a share of the interval of clients, within these bounds (s).
_SPACING_SHARE = 0.25
_SPACING_S = 0.02, 0.25
ANSWER_S = 3.0
# The broker is asked every second; after this long without an answer it counts as away.
SILENT_S = INTERVAL_S + ANSWER_S + 0.5
# A reader that has not moved for this long while messages came starts again.
STALLED_S = 5.0
# Heartbeats that cannot be sent are dropped soon: nobody wants them late, and they would delay the end.
SEND_MS = 1_000
# A record's timestamp is the broker's own.
_STAMPED = 1

log = structlog.get_logger()


class TopicReader:
    """Reads while `run` runs; clients wait on `news`."""

    def __init__(
        self,
        settings: KafkaSettings,
        live_state: LiveState,
        tape: TapeHealth,
        health: ServiceHealth,
        heartbeat: HeartbeatState,
        interval_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`interval_s` returns how often the client that is told most often is told."""
        self.caught_up = asyncio.Event()
        self._answered_s = -math.inf
        self._stall: str | None = None
        self._settings = settings
        self._interval_s = interval_s
        self._heartbeat = heartbeat
        self._news = asyncio.Event()
        self._next: dict[TopicPartition, int] = {}
        self._losses = Losses(heartbeat.outrun)
        self._lag = ReadingLag[TopicPartition](time.monotonic)
        self._goals: dict[TopicPartition, int] = {}
        self._health = health
        self._heartbeats = ArrivalTimes()
        self._takers: dict[str, tuple[type[Struct], Callable[[Sequence[Any]], int]]] = {
            TICKS.name: (Tick, live_state.put_ticks),
            SIGNALS.name: (Signal, _each(live_state.put_signal)),
            ALERTS.name: (Alert, _each(live_state.put_alert)),
            RADAR.name: (RadarEvent, _each(live_state.put_radar_event)),
            TAPE_EVENTS.name: (TapeEvent, _each(tape.put)),
        }
        heartbeat.counters |= {"messages": 0, "bad_messages": 0}
        self._producer: AIOKafkaProducer | None = None
        self._dead_letters = DeadLetters(self._send, heartbeat.service, heartbeat.counters)

    @property
    def problem(self) -> str | None:
        """Return why the topics cannot be read, None if they can: the broker answers, and the reader keeps up."""
        if time.monotonic() - self._answered_s > SILENT_S:
            return AWAY
        return self._stall

    async def news(self) -> None:
        """Return when something has been read."""
        await self._news.wait()

    async def run(self) -> NoReturn:
        """Read, and publish this service's own heartbeat, until cancelled; begin again when the broker was away."""
        backoff = Backoff(cap_s=2)
        while True:
            try:
                await clients.cluster_id(self._settings)
                async with (
                    clients.producer(self._settings, request_timeout_ms=SEND_MS) as producer,
                    clients.consumer(self._settings, *_TOPICS, spacing_s=self._spacing_s) as consumer,
                    TaskGroup() as tasks,
                ):
                    backoff.reset()
                    self._producer = producer
                    tasks.create_task(self._heartbeat.beat(producer.send))
                    tasks.create_task(self._watch(consumer))
                    tasks.create_task(self.read(consumer))
            except* (TransientError, KafkaError) as group:
                log.warning(
                    "waiting for the broker", error="; ".join(reason_of(error) for error in group.exceptions)
                )
            self._heartbeat.lag_messages = self._heartbeat.lag_seconds = None
            await asyncio.sleep(backoff.next_s())

    def _spacing_s(self) -> float:
        least_s, most_s = _SPACING_S
        return min(max(least_s, self._interval_s() * _SPACING_SHARE), most_s)

    async def _watch(self, consumer: AIOKafkaConsumer) -> NoReturn:
        """Ask the broker every second how far it is: so we see that it is there, and that the reader follows."""
        watchdog: ConsumerWatchdog[str] = ConsumerWatchdog(STALLED_S)
        while True:
            asked_s = time.monotonic()
            try:
                async with asyncio.timeout(ANSWER_S):
                    ends = await clients.ends(consumer, consumer.assignment())
                    readable = await clients.readable(consumer, ends, self._next)
                    # Marks of transactions are passed, and never read.
                    passed = {
                        place: await consumer.position(place) for place in ends.keys() & self._next.keys()
                    }
            except (TimeoutError, KafkaError) as error:
                self._answered_s = -math.inf
                if isinstance(error, KafkaError):
                    raise
                raise TransientError(f"expected an answer of the broker within {ANSWER_S:g} s") from None
            self._answered_s = time.monotonic()
            self._heartbeats.asked(
                asked_s, {at: end for at, end in readable.items() if at.topic == HEARTBEATS.name}
            )
            self._health.listened(self._heartbeats.heard_s(self._next))
            following = {place: max(self._next[place], offset) for place, offset in passed.items()}
            self._heartbeat.lag_messages, self._heartbeat.lag_seconds = self._lag.measure(following, ends)
            self._judge(watchdog, following, readable)
            await pause(INTERVAL_S)

    def _judge(
        self,
        watchdog: ConsumerWatchdog[str],
        following: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
    ) -> None:
        """Raise TransientError if messages come and none is read; that stays the problem until one is."""
        names = {place: f"{place.topic}/{place.partition}" for place in ends}
        read = {names[place]: offset for place, offset in following.items()}
        complaint = watchdog.measure(
            time.monotonic(), read, {names[place]: end for place, end in ends.items()}
        )
        if complaint is not None:
            self._stall = complaint
            raise TransientError(complaint)

    async def read(self, consumer: AIOKafkaConsumer) -> NoReturn:
        """Read from the last messages on, until cancelled."""
        placed: frozenset[TopicPartition] | None = None
        while True:
            # A topic that gets partitions is assigned anew, and without a group nobody keeps our positions.
            if (assigned := consumer.assignment()) != placed:
                await self._place(consumer, assigned)
                placed = assigned
            checkpoint()
            batches = await consumer.getmany(timeout_ms=POLL_MS)
            # Of a new assignment the consumer has begun at the earliest messages.
            if consumer.assignment() != placed or not await self._follow(consumer, batches):
                placed = None
                continue
            for partition, records in batches.items():
                await self._take_all(partition, records)
            if not batches or all(self._next[partition] >= end for partition, end in self._goals.items()):
                self.caught_up.set()
            if batches:
                self._news.set()
                self._news = asyncio.Event()

    async def _place(self, consumer: AIOKafkaConsumer, assigned: frozenset[TopicPartition]) -> None:
        """Go to where we were, or to the last messages of a partition that is new to us."""
        earliest = await consumer.beginning_offsets(assigned)
        self._goals = await consumer.end_offsets(assigned)
        for partition, end in self._goals.items():
            offset = max(earliest[partition], end - BACKLOG[partition.topic])
            if (known := self._next.get(partition)) is not None:
                offset = self._losses.resume(partition, known, earliest[partition], end)
            consumer.seek(partition, offset)
            self._next[partition] = offset

    async def _follow(
        self, consumer: AIOKafkaConsumer, batches: Mapping[TopicPartition, Sequence[ConsumerRecord]]
    ) -> bool:
        """Count what the broker has moved us past, and tell whether it has moved us back nowhere.

        After a silence also what it has moved us past to where there is nothing.
        """
        reached = {partition: records[0].offset for partition, records in batches.items()}
        if not batches:
            reached = {partition: await consumer.position(partition) for partition in self._goals}
        for partition, offset in reached.items():
            following = self._next[partition]
            if offset < following:
                return False
            await self._losses.passed(partition, following, offset, consumer.beginning_offsets)
            self._next[partition] = offset
        return True

    async def _take_all(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        self._lag.took(partition, clock.now_us() / clock.SECOND - records[-1].timestamp / 1000)
        self._next[partition] = records[-1].offset + 1
        self._stall = None
        records = [record for record in records if record.value is not None]
        raws = [record.value for record in records]
        if partition.topic == HEARTBEATS.name:
            await self._take_heartbeats(partition, records, raws)
            return
        kind, take = self._takers[partition.topic]
        messages: Sequence[Any]
        messages, bad = decode_ticks(raws, clock.now_us()) if kind is Tick else decode_all(raws, kind)
        counters = self._heartbeat.counters
        counters["messages"] += len(raws)
        counters["bad_messages"] += sum(count(raws[place]) for place in bad) + take(
            messages
        )  # others dead_letter

    async def _send(self, topic: str, **message: Any) -> Any:
        assert self._producer is not None
        return await self._producer.send(topic, **message)

    async def _take_heartbeats(
        self, place: TopicPartition, records: Sequence[ConsumerRecord], raws: Sequence[bytes]
    ) -> None:
        """Take heartbeats, each with when it came; those that are none are counted and put aside."""
        read_s = time.monotonic()
        messages, bad = decode_all(raws, Heartbeat)
        good = (record for number, record in enumerate(records) if number not in bad)
        for record, beat in zip(good, messages, strict=True):
            stamp_s = record.timestamp / 1000 if record.timestamp_type == _STAMPED else None
            self._health.put(beat, Received(self._heartbeats.since_s(place, record.offset), read_s, stamp_s))
        self._heartbeat.counters["messages"] += len(raws)
        self._heartbeat.counters["bad_messages"] += sum(count(raws[number]) for number in bad)
        await self._dead_letters.put_all(
            DeadLetter.of(place.topic, place.partition, records[number].offset, raws[number], str(error))
            for number, error in bad.items()
        )


def _each(put: Callable[[Any], None]) -> Callable[[Sequence[Any]], int]:
    """Return what puts messages one by one and tells how many of them were bad."""

    def take(messages: Sequence[Any]) -> int:
        bad = 0
        for message in messages:
            try:
                put(message)
            except BadMessageError:
                bad += 1
        return bad

    return take
