"""Configuration on a compacted topic, by its key: followed while a service runs, and published."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct

from services.common.backoff import Backoff
from services.common.cancellation import checkpoint
from services.common.codec import decode, encode
from services.common.errors import AwayError, BadMessageError, TransientError, reason_of
from services.common.kafka import clients
from services.common.kafka.dead_letters import DeadLetter
from services.common.kafka.losses import Losses, Outrun
from services.common.kafka.topic_ids import topic_id
from services.common.kafka.waker import Waker
from services.common.kafka.words import News
from services.common.settings import KafkaSettings
from services.contracts.topics import Topic

T = TypeVar("T", bound=Struct)
A = TypeVar("A")
Offsets = Mapping[TopicPartition, int]
"""The offset after a message, by its partition."""

_POLL_MS = 1_000
_PUBLISH_S = 3.0
# Interval of fetches without a wake-up (s): `publish` wakes the readers.
_UNANNOUNCED_S = 2.0
# Interval of the check that everything of the last check is read (s).
_LOOK_S = 5.0
_ANSWER_S = 3.0

log = structlog.get_logger()


async def publish(settings: KafkaSettings, topic: Topic, changes: Mapping[str, Struct | None]) -> Offsets:
    """Put these values on a topic, None for one that is removed, and return how far one must read to know them.

    AwayError unless the broker has acknowledged all of them; it may have them all the same.
    """
    timeout_ms = round(_PUBLISH_S * 1000)
    reached: dict[TopicPartition, int] = {}
    try:
        async with (
            asyncio.timeout(2 * _PUBLISH_S),
            clients.producer(settings, request_timeout_ms=timeout_ms, linger_ms=0) as producer,
        ):
            waiting = [
                await producer.send(
                    topic.name, key=name.encode(), value=None if value is None else encode(value)
                )
                for name, value in changes.items()
            ]
            for sent in await asyncio.gather(*waiting):
                place, end = sent.topic_partition, sent.offset + 1
                reached[place] = max(end, reached.get(place, 0))
            with closing(Waker(settings.wake_directory)) as waker:
                waker.wake([News(place) for place in reached])
    except (KafkaError, TimeoutError) as error:
        reason = f"expected the broker to take the {topic.name}: {reason_of(error)}"
        raise AwayError("the broker", reason) from error
    return reached


class CompactedTopic(Generic[T]):
    """Values of a topic by key. ``version`` grows with each change; ``loaded`` is set once the topic has been read."""

    topic: ClassVar[Topic]
    """The topic, which names the field of its values that is their key."""
    kind: ClassVar[type[Any]]
    """The type of its values."""
    may_be_empty = True
    """Whether the topic is loaded without a message, too."""

    def __init__(
        self,
        dead_letter: Callable[[Sequence[DeadLetter]], Awaitable[None]] | None = None,
        outrun: Outrun = lambda *_: None,
    ) -> None:
        """Follow for one service, which counts what it loses.

        `dead_letter` puts aside messages that are no values, None where another service does. `outrun` is told what
        the broker had deleted before it was read.
        """
        self.by_name: Mapping[str, T] = {}
        self.removed: frozenset[str] = frozenset()
        """Keys of values that were removed, as far as the topic still knows."""
        self.version = 0
        self.loaded = asyncio.Event()
        self._dead_letter = dead_letter
        self._losses = Losses(outrun)
        self._read: Offsets = {}
        self._progress = asyncio.Event()

    @property
    def name(self) -> str:
        """The name of the topic."""
        return self.topic.name

    async def follow(self, settings: KafkaSettings, first: Mapping[str, T] | None = None) -> None:
        """Follow the topic until cancelled, through every outage of the broker.

        If the topic is empty `first` is published; without it the first messages are waited for, where there must be
        some.
        """
        backoff = Backoff(cap_s=2)
        while True:
            checkpoint()
            try:
                async with clients.consumer(settings, self.topic, look_s=_UNANNOUNCED_S) as consumer:
                    which = await _answer(topic_id(consumer, self.topic.name))
                    ends = await self._go_to_the_beginning(consumer)
                    if first and not any(ends.values()):
                        ends = {**ends, **await publish(settings, self.topic, first)}
                    backoff.reset()
                    await self._follow(consumer, ends, which)
            except (KafkaError, TransientError) as error:
                delay = backoff.next_s()
                log.warning(
                    f"waiting for the topic {self.topic.name}",
                    error=reason_of(error),
                    retry_in_s=round(delay, 1),
                )
                await asyncio.sleep(delay)

    async def wait_for(self, offsets: Offsets) -> None:
        """Return when everything before `offsets` has been read."""
        while any(self._read.get(partition, 0) < offset for partition, offset in offsets.items()):
            await self._progress.wait()

    async def changed(self, version: int) -> int:
        """Return the version, once the topic is loaded and it is another than `version`."""
        await self.loaded.wait()
        while self.version == version:
            await self._progress.wait()
        return self.version

    async def _go_to_the_beginning(self, consumer: AIOKafkaConsumer) -> Offsets:
        """Return the end of each partition."""
        assigned = consumer.assignment()
        if not assigned:
            raise TransientError(f"expected the topic {self.topic.name}, received none")
        await _answer(consumer.seek_to_beginning())
        earliest = await _answer(consumer.beginning_offsets(assigned))
        ends: Offsets = await _answer(consumer.end_offsets(assigned))
        for place in self._read.keys() & ends.keys():
            self._losses.resume(place, self._read[place], earliest[place], ends[place])
        return ends

    async def _follow(self, consumer: AIOKafkaConsumer, ends: Offsets, which: UUID | None) -> None:
        values: dict[str, T] = {}
        removed: set[str] = set()
        behind = {partition for partition, end in ends.items() if end > 0}
        is_empty = not behind and not self.may_be_empty
        read = {place: await _answer(consumer.position(place)) for place in ends}
        loop = asyncio.get_running_loop()
        looked_s, before, due = loop.time(), dict(read), ends
        if not behind and not is_empty:
            self._take(values, removed, dict(read))
        while True:
            checkpoint()
            if loop.time() - looked_s > _LOOK_S:
                due = await self._require_progress(consumer, read, before, due)
                # One that was made anew may have as many messages as were read of the one before.
                if which is not None and await _answer(topic_id(consumer, self.topic.name)) != which:
                    raise TransientError(
                        f"the topic {self.topic.name} was made anew: reading it from its beginning"
                    )
                looked_s, before = loop.time(), dict(read)
            for place, batch in (await consumer.getmany(timeout_ms=_POLL_MS)).items():
                is_empty = False
                await self._pass(consumer, read, place, batch[0].offset)
                bad = [letter for record in batch if (letter := self._apply(values, removed, record))]
                if bad and self._dead_letter is not None:
                    await self._dead_letter(bad)
                read[place] = batch[-1].offset + 1
            for place in ends:
                await self._pass(consumer, read, place, await _answer(consumer.position(place)))
            behind = {partition for partition in behind if read[partition] < ends[partition]}
            if not behind and not is_empty:
                self._take(values, removed, dict(read))

    async def _require_progress(
        self, consumer: AIOKafkaConsumer, read: Offsets, before: Offsets, due: Offsets
    ) -> Offsets:
        """Return the ends of now; TransientError if nothing was read since `before`, though it was `due`."""
        for place, end in due.items():
            if read[place] < end and read[place] == before[place]:
                raise TransientError(
                    f"expected {place.topic}/{place.partition} to be read up to {end} within {_LOOK_S:g} s, "
                    f"but offset {read[place]} stands still"
                )
        ends: Offsets = await _answer(consumer.end_offsets(list(due)))
        return ends

    async def _pass(
        self, consumer: AIOKafkaConsumer, read: dict[TopicPartition, int], place: TopicPartition, offset: int
    ) -> None:
        """Go on to an offset; one that was passed before belongs to a topic that has to be read from its beginning."""
        if offset < (following := read.get(place, 0)):
            raise TransientError(
                f"expected offset {following} of {place.topic}/{place.partition}, received {offset}: reading it anew"
            )
        await self._losses.passed(place, following, offset, consumer.beginning_offsets)
        read[place] = offset

    def _take(self, values: Mapping[str, T], removed: set[str], read: Offsets) -> None:
        if values != self.by_name or removed != self.removed:
            self.by_name, self.removed = dict(values), frozenset(removed)
            self.version += 1
        self._read = read
        self.loaded.set()
        self._progress.set()
        self._progress = asyncio.Event()

    def _apply(self, values: dict[str, T], removed: set[str], record: ConsumerRecord) -> DeadLetter | None:
        """Change the values as a message says, or return what is put aside of it."""
        name = (record.key or b"").decode(errors="replace")
        if record.value is None:
            values.pop(name, None)
            removed.add(name)
            return None
        try:
            value: T = decode(record.value, self.kind)
            if (key := getattr(value, self.topic.key)) != name:
                raise BadMessageError(f"expected the key {key}, received {name!r}")
        except BadMessageError as error:
            return DeadLetter.of(record.topic, record.partition, record.offset, record.value, str(error))
        values[name] = value
        removed.discard(name)
        return None


async def _answer(asked: Awaitable[A]) -> A:
    """Return what the broker answers; TransientError if it does not: aiokafka would ask the same one for minutes."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            return await asked
    except TimeoutError:
        raise TransientError(f"expected an answer of the broker within {_ANSWER_S:g} s") from None
