"""Heartbeat of a service: published once a second, with its state."""

import asyncio
import contextlib
import os
import socket
from collections import defaultdict
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import structlog
from aiokafka.errors import KafkaError

from services.common import clock, process
from services.common.cancellation import pause
from services.common.codec import encode
from services.common.errors import FatalError
from services.contracts.messages import (
    DeliveryLag,
    FeedName,
    Filling,
    Heartbeat,
    ServiceState,
    TapeEvent,
    TradeRate,
)
from services.contracts.topics import HEARTBEATS, TAPE_EVENTS

VERSION = version("pairstream")
INTERVAL_S = 1.0
# Longest wait of an ending process for a broker that takes nothing (s).
GOODBYE_S = 1.0

log = structlog.get_logger()


class HeartbeatState:
    """State of a service, as its heartbeat tells it: the service writes the fields, ``beat`` publishes them."""

    def __init__(self, service: str, feed: FeedName | None = None) -> None:
        self.service = service
        self.feed = feed
        self.state: ServiceState = "starting"
        self.detail: str | None = None
        self.notice: str | None = None
        """Condition that needs attention while the service runs; shown as the detail unless that is worse."""
        self.is_alarming = False
        """True if the notice makes a running service `degraded`."""
        self.lag_messages: int | None = None
        self.lag_seconds: float | None = None
        self.counters: dict[str, int] = defaultdict(int)
        self.filling: Filling | None = None
        self.delivery: dict[str, DeliveryLag] = {}
        self.trade_rates: dict[str, TradeRate] = {}
        self.clock_behind_us = 0
        """Lag of this process's clock behind the clock of the receipt times that it publishes (us)."""
        self.lost: dict[str, int] = {}
        """Messages that the broker had deleted before this service read them, by topic."""
        self._unsaid: dict[tuple[str, int], int] = {}
        self._started_us = clock.now_us()
        self.instance = _instance(self._started_us)
        """Names this process among all of its service, here and elsewhere, now and earlier."""

    def declare(self, *counters: str) -> None:
        """Publish counters that are still 0."""
        for name in counters:
            self.counters.setdefault(name, 0)

    def outrun(self, topic: str, partition: int, messages: int) -> None:
        """Count messages of a partition that were deleted before they were read; the next heartbeat says it.

        One line is logged for each topic and heartbeat.
        """
        if not any(said == topic for said, _ in self._unsaid):
            log.error(
                "messages are lost: the broker deleted them before they were read",
                topic=topic,
                partition=partition,
                messages=messages,
            )
        self.lost[topic] = self.lost.get(topic, 0) + messages
        self._unsaid[topic, partition] = self._unsaid.get((topic, partition), 0) + messages

    def message(self) -> Heartbeat:
        """Return the heartbeat of this moment."""
        return Heartbeat(
            service=self.service,
            instance=self.instance,
            at_us=clock.now_us(),
            started_us=self._started_us,
            state="degraded" if self.is_alarming and self.state == "running" else self.state,
            version=VERSION,
            feed=self.feed,
            detail=self.detail or self.notice,
            lag_messages=self.lag_messages,
            lag_seconds=self.lag_seconds,
            counters=dict(self.counters),
            lost=dict(self.lost),
            filling=self.filling,
            delivery=dict(self.delivery),
            trade_rates=dict(self.trade_rates),
            clock_behind_us=self.clock_behind_us,
            disk_free=_disk_free(),
        )

    async def beat(self, send: Callable[..., Awaitable[Any]]) -> None:
        """Publish a heartbeat every second until cancelled; `send` is an AIOKafkaProducer's ``send``.

        Messages that the service could not read are reported on ``tape-events`` before. The last heartbeat of a
        process that was asked to end says so, and nobody takes it for dead.
        """
        try:
            while True:
                await self._publish(send)
                await pause(INTERVAL_S)
        except asyncio.CancelledError:
            if process.is_ending():
                self.state = "stopping"
                with contextlib.suppress(TimeoutError, FatalError):
                    async with asyncio.timeout(GOODBYE_S):
                        await self._publish(send)
            raise

    async def _publish(self, send: Callable[..., Awaitable[Any]]) -> None:
        for (topic, partition), messages in list(self._unsaid.items()):
            event = TapeEvent(
                kind="messages_lost",
                venue="",
                symbol="",
                at_us=clock.now_us(),
                reader=self.service,
                topic=topic,
                partition=partition,
                messages=messages,
            )
            if await _sent(send, TAPE_EVENTS.name, topic, event):
                self._unsaid[topic, partition] -= messages
                if not self._unsaid[topic, partition]:
                    del self._unsaid[topic, partition]
        await _sent(send, HEARTBEATS.name, f"{self.service}/{self.instance}", self.message())


def _instance(started_us: int) -> str:
    """Return host, process and start: the process ids of containers are all the same."""
    return f"{socket.gethostname()[:32]}-{os.getpid()}-{clock.to_datetime(started_us):%Y%m%dT%H%M%S}"


def _disk_free() -> float | None:
    """Return the free share of the disk of the working directory, None where that has gone."""
    try:
        disk = os.statvfs(".")
    except OSError:
        return None
    return disk.f_bavail / disk.f_blocks if disk.f_blocks else None


async def _sent(send: Callable[..., Awaitable[Any]], topic: str, key: str, message: Any) -> bool:
    """Send a message and tell whether the producer took it; do not wait for the broker."""
    with contextlib.suppress(KafkaError):
        sent = await send(topic, key=key.encode(), value=encode(message))
        if isinstance(sent, asyncio.Future):
            sent.add_done_callback(lambda one: one.cancelled() or one.exception())
        return True
    return False
