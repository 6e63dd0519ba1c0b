"""Decisions of users on symbols: read from the broker before the feed begins, and followed while it runs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from services.common.cancellation import end
from services.common.heartbeat import HeartbeatState
from services.common.kafka.dead_letters import DeadLetters
from services.common.kafka.symbol_configs import Listings, SymbolConfigs
from services.common.settings import KafkaSettings
from services.ingest.feed import Feed

# Longest wait for what is on the broker; the feed begins with the symbols of the settings then.
_PATIENCE_S = 5.0

log = structlog.get_logger()


class SymbolDecisions:
    """Users' decisions on symbols, and the states that ingest published before."""

    def __init__(
        self, settings: KafkaSettings, send: Callable[..., Awaitable[Any]], heartbeat: HeartbeatState
    ) -> None:
        letters = DeadLetters(send, heartbeat.service)
        self._settings = settings
        self._decisions = SymbolConfigs(letters.put_all, heartbeat.outrun)
        self._told = Listings()

    async def follow(self) -> None:
        """Read the decisions until cancelled."""
        await self._decisions.follow(self._settings)

    async def prepare(self, feed: Feed) -> None:
        """Give the feed the choices on the broker, before the feed starts."""
        reading = asyncio.create_task(self._told.follow(self._settings))
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await asyncio.gather(self._told.loaded.wait(), self._decisions.loaded.wait())
        except TimeoutError:
            log.warning(
                "the topics of symbols could not be read in time: the feed starts without the users' choices",
                waited_s=_PATIENCE_S,
            )
        finally:
            await end(reading)
        feed.collect(self._decisions.by_name, self._told.by_name)

    async def pass_on(self, feed: Feed) -> None:
        """Give the feed each change, until cancelled."""
        version = -1
        while True:
            version = await self._decisions.changed(version)
            feed.collect(self._decisions.by_name, {})
