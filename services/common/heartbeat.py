"""How a service says once a second that it lives, and how it is."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

from aiokafka.errors import KafkaError

from services.common import clock
from services.common.cancellation import pause
from services.common.messages import FeedName, Heartbeat, ServiceState, encode
from services.common.topics import HEARTBEATS

VERSION = version("pairstream")
INTERVAL_S = 1.0


class Pulse:
    """A service's own account of itself; the service writes the fields, ``beat`` publishes them."""

    def __init__(self, service: str, feed: FeedName | None = None) -> None:
        self.service = service
        self.feed = feed
        self.state: ServiceState = "starting"
        self.detail: str | None = None
        self.lag_messages: int | None = None
        self.lag_seconds: float | None = None
        self.counters: dict[str, int] = {}
        self._started_us = clock.now_us()

    def message(self) -> Heartbeat:
        """Return the heartbeat of this moment."""
        return Heartbeat(
            service=self.service,
            at_us=clock.now_us(),
            started_us=self._started_us,
            state=self.state,
            version=VERSION,
            feed=self.feed,
            detail=self.detail,
            lag_messages=self.lag_messages,
            lag_seconds=self.lag_seconds,
            counters=dict(self.counters),
        )

    async def beat(self, send: Callable[..., Awaitable[Any]]) -> None:
        """Publish a heartbeat every second until cancelled; `send` is an AIOKafkaProducer's ``send``."""
        while True:
            # Nobody waits for a heartbeat: one that is lost is followed by the next.
            with contextlib.suppress(KafkaError):
                sent = await send(HEARTBEATS.name, key=self.service.encode(), value=encode(self.message()))
                if isinstance(sent, asyncio.Future):
                    sent.add_done_callback(lambda one: one.cancelled() or one.exception())
            await pause(INTERVAL_S)
