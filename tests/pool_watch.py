"""Running pool of connections to a stub venue, and its events."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from services.common.clock import SECOND
from services.common.errors import BadMessageError
from services.ingest.connections.buffer import Buffer
from services.ingest.connections.connection import Timeouts
from services.ingest.connections.connection_slot import SlotContext
from services.ingest.connections.events import Frame, Occurrence
from services.ingest.connections.pool import ConnectionPool
from services.ingest.connections.stream_watchdog import StreamWatchdog
from services.ingest.venues.venue import Event
from tests.stub_venue import StubServer, StubVenue, stub_server

O = TypeVar("O", bound=Occurrence)  # noqa: E741

TIMEOUTS = Timeouts(open_s=5, ping_s=20, pong_s=20)


class Watch:
    """A running pool, and what came out of it."""

    def __init__(self, pool: ConnectionPool, buffer: Buffer[Occurrence]) -> None:
        self.pool = pool
        self.events: list[tuple[Event, int]] = []
        """With the connection that brought them."""
        self.damaged: list[Frame] = []
        self.news: list[Occurrence] = []
        self._buffer = buffer

    async def run(self) -> None:
        while True:
            item = await self._buffer.next()
            if not isinstance(item, Frame):
                self.news.append(item)
                continue
            try:
                self.events += [(event, item.connection) for event in self.pool.read(item)]
            except BadMessageError:
                self.damaged.append(item)

    def of(self, kind: type[O]) -> list[O]:
        return [news for news in self.news if isinstance(news, kind)]


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"expected within 30 s: {what}"
        await asyncio.sleep(0.005)


@asynccontextmanager
async def watching(
    venue: StubVenue,
    symbols: Sequence[str] = ("AA",),
    timeouts: Timeouts = TIMEOUTS,
    reconnect_after_s: float = 3600.0,
    least_s: float = 600.0,
    overlap_s: float = 5.0,
    slept: list[float] | None = None,
) -> AsyncIterator[Watch]:
    async def sleep(seconds: float) -> None:
        if slept is not None:
            slept.append(seconds)
        await asyncio.sleep(0)

    buffer: Buffer[Occurrence] = Buffer()
    around = SlotContext(
        venue,
        buffer,
        StreamWatchdog(least_s * SECOND),
        reconnect_after_s,
        timeouts,
        overlap_s=overlap_s,
        sleep=sleep,
        jitter=lambda: 1.0,
    )
    pool = ConnectionPool([venue.stream("trades", symbol) for symbol in symbols], around)
    watch = Watch(pool, buffer)
    tasks = [asyncio.create_task(pool.run()), asyncio.create_task(watch.run())]
    try:
        yield watch
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def runs(test: Callable[[StubServer], Awaitable[None]]) -> None:
    async def run() -> None:
        async with stub_server() as server:
            await test(server)

    asyncio.run(run())


def symbols(watch: Watch) -> list[str]:
    return [event.symbol for event, _ in watch.events]
