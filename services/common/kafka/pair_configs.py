"""Pair configurations on the compacted topic ``pairs``: followed while a service runs, and published."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from services.common.backoff import Backoff
from services.common.cancellation import checkpoint
from services.common.codec import decode, encode
from services.common.errors import AwayError, BadMessageError, TransientError, reason_of
from services.common.kafka import clients
from services.common.kafka.dead_letters import DeadLetter
from services.common.kafka.losses import Losses, Outrun
from services.common.kafka.wake_up import Waker
from services.common.settings import KafkaSettings, PairSettings
from services.contracts.messages import PairConfig
from services.contracts.topics import PAIRS

Configs = Mapping[str, PairConfig]
Offsets = Mapping[TopicPartition, int]
"""The offset after a message, by its partition."""

_POLL_MS = 1_000
_PUBLISH_S = 3.0
# Interval of the check that everything of the last check is read (s).
_LOOK_S = 5.0
_ANSWER_S = 3.0

log = structlog.get_logger()


def configured(settings: PairSettings, *names: str) -> dict[str, PairConfig]:
    """Return the pairs of the settings, as they are published at the first start, or those called `names`."""
    return {
        name: PairConfig(
            pair=name,
            window=settings.window,
            min_samples=min(settings.window, settings.min_samples),
            entry_z=settings.entry_z,
            exit_z=settings.exit_z,
            stale_after_s=settings.stale_after_s,
        )
        for name in names or map(str, settings.pairs)
    }


async def publish(settings: KafkaSettings, changes: Mapping[str, PairConfig | None]) -> Offsets:
    """Put these pairs on the topic, None for one that is removed, and return how far one must read to know them.

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
                    PAIRS.name, key=name.encode(), value=None if config is None else encode(config)
                )
                for name, config in changes.items()
            ]
            for sent in await asyncio.gather(*waiting):
                place, end = sent.topic_partition, sent.offset + 1
                reached[place] = max(end, reached.get(place, 0))
            with closing(Waker(settings.wake_directory)) as waker:
                waker.wake([PAIRS.name])
    except (KafkaError, TimeoutError) as error:
        reason = f"expected the broker to take the pairs: {reason_of(error)}"
        raise AwayError("the broker", reason) from error
    return reached


class PairConfigs:
    """The pairs by name. ``version`` grows with each change; ``loaded`` is set once the topic has been read."""

    def __init__(
        self,
        dead_letter: Callable[[Sequence[DeadLetter]], Awaitable[None]] | None = None,
        outrun: Outrun = lambda *_: None,
    ) -> None:
        """`dead_letter` puts aside messages that are no configurations, None where another service does.

        `outrun` is told what the broker had deleted before it was read.
        """
        self.by_name: Configs = {}
        self.version = 0
        self.loaded = asyncio.Event()
        self._dead_letter = dead_letter
        self._losses = Losses(outrun)
        self._read: Offsets = {}
        self._progress = asyncio.Event()

    async def follow(self, settings: KafkaSettings, first: Configs | None = None) -> None:
        """Follow the topic until cancelled, through every outage of the broker.

        If the topic is empty `first` is published; without it the first messages are waited for.
        """
        backoff = Backoff(cap_s=2)
        while True:
            checkpoint()
            try:
                async with clients.consumer(settings, PAIRS) as consumer:
                    ends = await self._go_to_the_beginning(consumer)
                    if first and not any(ends.values()):
                        ends = {**ends, **await publish(settings, first)}
                    backoff.reset()
                    await self._follow(consumer, ends)
            except (KafkaError, TransientError) as error:
                delay = backoff.next_s()
                log.warning("waiting for the pairs", error=reason_of(error), retry_in_s=round(delay, 1))
                await asyncio.sleep(delay)

    async def wait_for(self, offsets: Offsets) -> None:
        """Return when everything before `offsets` has been read."""
        while any(self._read.get(partition, 0) < offset for partition, offset in offsets.items()):
            await self._progress.wait()

    async def changed(self, version: int) -> int:
        """Return the version, once the pairs are loaded and it is another than `version`."""
        await self.loaded.wait()
        while self.version == version:
            await self._progress.wait()
        return self.version

    async def _go_to_the_beginning(self, consumer: AIOKafkaConsumer) -> Offsets:
        """Return the end of each partition."""
        assigned = consumer.assignment()
        if not assigned:
            raise TransientError(f"expected the topic {PAIRS.name}, received none")
        await consumer.seek_to_beginning()
        earliest = await consumer.beginning_offsets(assigned)
        ends: Offsets = await consumer.end_offsets(assigned)
        for place in self._read.keys() & ends.keys():
            self._losses.resume(place, self._read[place], earliest[place], ends[place])
        return ends

    async def _follow(self, consumer: AIOKafkaConsumer, ends: Offsets) -> None:
        configs: dict[str, PairConfig] = {}
        behind = {partition for partition, end in ends.items() if end > 0}
        is_empty = not behind
        read = {place: await consumer.position(place) for place in ends}
        loop = asyncio.get_running_loop()
        looked_s, before, due = loop.time(), dict(read), ends
        while True:
            checkpoint()
            if loop.time() - looked_s > _LOOK_S:
                due = await self._require_progress(consumer, read, before, due)
                looked_s, before = loop.time(), dict(read)
            for place, batch in (await consumer.getmany(timeout_ms=_POLL_MS)).items():
                is_empty = False
                await self._pass(consumer, read, place, batch[0].offset)
                bad = [letter for record in batch if (letter := _apply(configs, record))]
                if bad and self._dead_letter is not None:
                    await self._dead_letter(bad)
                read[place] = batch[-1].offset + 1
            for place in ends:
                await self._pass(consumer, read, place, await consumer.position(place))
            behind = {partition for partition in behind if read[partition] < ends[partition]}
            if not behind and not is_empty:
                self._take(configs, dict(read))

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
        try:
            async with asyncio.timeout(_ANSWER_S):
                ends: Offsets = await consumer.end_offsets(list(due))
        except TimeoutError:
            raise TransientError(f"expected an answer of the broker within {_ANSWER_S:g} s") from None
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

    def _take(self, configs: Configs, read: Offsets) -> None:
        if configs != self.by_name:
            self.by_name = dict(configs)
            self.version += 1
        self._read = read
        self.loaded.set()
        self._progress.set()
        self._progress = asyncio.Event()


def _apply(configs: dict[str, PairConfig], record: ConsumerRecord) -> DeadLetter | None:
    """Change the pairs as a message says, or return what is put aside of it."""
    name = (record.key or b"").decode(errors="replace")
    if record.value is None:
        configs.pop(name, None)
        return None
    try:
        config = decode(record.value, PairConfig)
        if config.pair != name:
            raise BadMessageError(f"expected the key {config.pair}, received {name!r}")
    except BadMessageError as error:
        return DeadLetter.of(record.topic, record.partition, record.offset, record.value, str(error))
    configs[name] = config
    return None
