"""Which pairs there are: the compacted topic ``pairs``, followed while the service runs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError

from services.common import kafka
from services.common.backoff import Backoff
from services.common.cancellation import checkpoint
from services.common.errors import BadMessageError, TransientError
from services.common.messages import PairConfig, decode, encode
from services.common.settings import KafkaSettings, PairSettings
from services.common.topics import PAIRS

_POLL_MS = 1_000

log = structlog.get_logger()


def configured(settings: PairSettings) -> tuple[PairConfig, ...]:
    """Return the pairs of the settings, as they are published at the first start."""
    return tuple(
        PairConfig(
            pair=str(pair),
            window=settings.window,
            min_samples=settings.min_samples,
            entry_z=settings.entry_z,
            exit_z=settings.exit_z,
            stale_after_s=settings.stale_after_s,
        )
        for pair in settings.pairs
    )


class PairConfigs:
    """The pairs by name. ``version`` grows with each change; ``loaded`` is set once the topic has been read."""

    def __init__(self, bury: Callable[[ConsumerRecord, Exception], Awaitable[None]]) -> None:
        """`bury` puts aside a message that is no configuration."""
        self.by_name: Mapping[str, PairConfig] = {}
        self.version = 0
        self.loaded = asyncio.Event()
        self._bury = bury

    async def follow(
        self, settings: KafkaSettings, first: Iterable[PairConfig], send: Callable[..., Any]
    ) -> None:
        """Follow the topic until cancelled, whatever the broker does; `first` is published if it is empty."""
        backoff = Backoff(cap_s=2)
        while True:
            checkpoint()
            try:
                async with kafka.consumer(settings, PAIRS) as consumer:
                    await self._follow(consumer, first, send)
            except (KafkaError, TransientError) as error:
                delay = backoff.next_s()
                log.warning(
                    "waiting for the pairs", error=str(error) or repr(error), retry_in_s=round(delay, 1)
                )
                await asyncio.sleep(delay)

    async def _follow(
        self, consumer: AIOKafkaConsumer, first: Iterable[PairConfig], send: Callable[..., Any]
    ) -> None:
        assigned = consumer.assignment()
        if not assigned:
            raise TransientError(f"expected the topic {PAIRS.name}, received none")
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(assigned)
        if not any(ends.values()):
            for config in first:
                await send(PAIRS.name, key=config.pair.encode(), value=encode(config))
            self.take({config.pair: config for config in first})
        behind = {partition for partition, end in ends.items() if end > 0}
        configs: dict[str, PairConfig] = {} if behind else dict(self.by_name)
        while True:
            checkpoint()
            records = await consumer.getmany(timeout_ms=_POLL_MS)
            for batch in records.values():
                for record in batch:
                    await self._apply(configs, record)
            positions = {partition: await consumer.position(partition) for partition in behind}
            behind = {partition for partition in behind if positions[partition] < ends[partition]}
            if not behind:
                self.take(configs)

    def take(self, configs: Mapping[str, PairConfig]) -> None:
        """Make these the pairs."""
        if configs != self.by_name:
            self.by_name = dict(configs)
            self.version += 1
        self.loaded.set()

    async def _apply(self, configs: dict[str, PairConfig], record: ConsumerRecord) -> None:
        name = (record.key or b"").decode(errors="replace")
        if record.value is None:
            configs.pop(name, None)
            return
        try:
            config = decode(record.value, PairConfig)
            if config.pair != name:
                raise BadMessageError(f"expected the key {config.pair}, received {name!r}")
        except BadMessageError as error:
            await self._bury(record, error)
        else:
            configs[name] = config
