"""Connection slot: keeps one group of streams connected by one connection after another."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NoReturn

import structlog

from services.common import clock
from services.common.backoff import Backoff
from services.common.cancellation import checkpoint, pause
from services.ingest.connections import close_reasons
from services.ingest.connections.buffer import Buffer
from services.ingest.connections.connection import Connection, Sleep, Timeouts, connect
from services.ingest.connections.events import Connected, Lost
from services.ingest.connections.stream_watchdog import StreamWatchdog
from services.ingest.venues.venue import Stream, Venue

_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.5, 60.0
# Longest time until a new connection delivers all streams of the old one.
_OVERLAP_S = 30.0
_LOOK_S = 0.05
# Connections opened together must not all be replaced together.
_SPREAD = 0.05
_OLD = "it has been open for long"

log = structlog.get_logger()


@dataclass
class SlotContext:
    """Context that the slots of one venue share."""

    venue: Venue
    buffer: Buffer[Any]
    watchdog: StreamWatchdog
    reconnect_after_s: float
    timeouts: Timeouts = field(default_factory=Timeouts)
    overlap_s: float = _OVERLAP_S
    sleep: Sleep = asyncio.sleep
    now_us: Callable[[], int] = clock.now_us
    """The clock of receipts."""
    jitter: Callable[[], float] = random.random
    slot_numbers: Iterator[int] = field(default_factory=lambda: count(1))
    connections: Iterator[int] = field(default_factory=lambda: count(1))
    unheard: dict[int, "ConnectionSlot"] = field(default_factory=dict)
    """Connections that have not brought an event yet, by number."""
    busy_until_us: int = 0
    """The venue wants to be left alone until then."""


class ConnectionSlot:
    """Slot of the streams of one route that share a connection; the slot outlives the connection."""

    def __init__(self, route: str, around: SlotContext) -> None:
        self.number = next(around.slot_numbers)
        self.route = route
        self.streams: list[Stream] = []
        self.connections: dict[int, Connection] = {}
        self._around = around
        self._current: Connection | None = None
        self._due, self._reason = 0.0, _OLD
        self._wanted: str | None = None
        self._wake = asyncio.Event()
        self._delays = Backoff(_FIRST_DELAY_S, _LONGEST_DELAY_S, around.jitter)

    async def run(self) -> NoReturn:
        """Stay connected until cancelled."""
        reason = None
        try:
            while True:
                try:
                    self._current = await self._open()
                    self._settle(self._current, reason)
                    await self._hold()
                except close_reasons.ERRORS as error:
                    reason = await self._rest(error)
        finally:
            await asyncio.gather(*(self._close(connection) for connection in [*self.connections.values()]))

    def replace(self, reason: str) -> None:
        """Replace the connection by another, which is opened before this one is closed."""
        self._wanted = reason
        self._wake.set()

    def ask_apart(self, connection: int, streams: Sequence[Stream]) -> None:
        """Ask again for streams that were refused together, in two halves: one of them is the reason."""
        if (refusing := self.connections.get(connection)) is not None:
            middle = len(streams) // 2
            refusing.ask_again(streams[:middle], streams[middle:])

    def delivered(self) -> None:
        """Note that a connection has delivered data, so the venue is well."""
        self._delays.reset()

    async def adjust(self) -> None:
        """Ask the venue for what has changed in `streams`."""
        if (current := self._current) is None:
            return
        around, streams = self._around, tuple(self.streams)
        added = [stream for stream in streams if stream not in current.streams]
        try:
            await current.ask(streams)
        except close_reasons.ERRORS:
            # The connection that follows asks for all of them.
            return
        for stream in added:
            around.watchdog.expect(stream, around.now_us())
        around.buffer.tell(Connected(around.venue.name, self.number, current.number, streams, None))

    async def _open(self) -> Connection:
        around = self._around
        if (busy_us := around.busy_until_us - around.now_us()) > 0:
            await around.sleep(busy_us / clock.SECOND)
        number = next(around.connections)
        streams = tuple(self.streams)
        connection = await connect(
            around.venue, streams, number, around.buffer.put, around.timeouts, around.sleep, around.now_us
        )
        self.connections[number] = connection
        around.unheard[number] = self
        connection.ended.add_done_callback(lambda _: self._wake.set())
        log.info("connected", venue=around.venue.name, connection=number, streams=len(streams))
        await connection.ask(self.streams)
        return connection

    def _settle(self, connection: Connection, reason: str | None) -> None:
        """Make `connection` the current one."""
        around = self._around
        streams = tuple(self.streams)
        around.buffer.tell(Connected(around.venue.name, self.number, connection.number, streams, reason))
        for stream in streams:
            around.watchdog.expect(stream, connection.opened_us)
        lifetime_s = min(around.reconnect_after_s, around.venue.lifetime_s)
        self._due = asyncio.get_running_loop().time() + lifetime_s * (1 - _SPREAD * around.jitter())
        self._reason = _OLD

    async def _hold(self) -> None:
        """Keep the slot on an open connection; the end of the last one is raised."""
        while True:
            checkpoint()
            current = self._current
            assert current is not None, "it has been opened"
            if current.ended.done():
                await self._close(current)
                current.ended.result()
            due_s = self._due - asyncio.get_running_loop().time()
            if self._wanted is None and due_s > 0:
                self._wake.clear()
                if not current.ended.done():
                    await self._sleep_until_woken(due_s)
                continue
            await self._replace(current, self._wanted or self._reason)
            self._wanted = None

    async def _sleep_until_woken(self, at_most_s: float) -> None:
        try:
            async with asyncio.timeout(None if at_most_s == float("inf") else at_most_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _replace(self, old: Connection, reason: str) -> None:
        try:
            new = await self._open()
        except close_reasons.ERRORS as error:
            self._put_off(reason, self._words(error))
            return
        if await self._takes_over(new, old):
            self._current = new
            self._settle(new, reason)
            await self._close(old)
            # Streams requested on the old connection meanwhile.
            await new.ask(self.streams)
        else:
            await self._close(new)
            self._put_off(reason, "the new connection brings nothing")

    def _put_off(self, reason: str, obstacle: str) -> None:
        delay_s = self._delays.next_s()
        self._due, self._reason = asyncio.get_running_loop().time() + delay_s, reason
        log.warning(
            "the connection could not be replaced, keeping the old one",
            reason=obstacle,
            retry_in_s=round(delay_s, 1),
        )

    async def _takes_over(self, new: Connection, old: Connection) -> bool:
        """Return whether `new` delivers what `old` delivers: each stream with data meanwhile had them on both."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._around.overlap_s
        while True:
            spoke = self._spoke_on(new.opened_us)
            if new.ended.done() or old.ended.done():
                return not new.ended.done()
            if spoke and all(number >= new.number for number in spoke):
                return True
            if loop.time() > deadline:
                # A slow stream need not have spoken again, and where all is silent nothing is lost.
                return not spoke or new.number in spoke
            await pause(_LOOK_S)

    def _spoke_on(self, since_us: int) -> set[int]:
        """Return the newest connection of each stream that has delivered since."""
        known = (self._around.watchdog.get(stream.kind, stream.symbol) for stream in self.streams)
        return {watched.connection for watched in known if watched and watched.heard_us >= since_us}

    async def _rest(self, error: Exception) -> str:
        """Report that there is no connection, wait as the venue or the backoff demands, and return the reason."""
        around, now_us = self._around, self._around.now_us()
        busy_s = close_reasons.retry_after_s(error, now_us)
        if busy_s:
            around.busy_until_us = max(around.busy_until_us, now_us + round(busy_s * clock.SECOND))
        retry_s = max(busy_s, self._delays.next_s())
        for stream in self.streams:
            around.watchdog.excuse(stream)
        reason = self._words(error)
        around.buffer.tell(Lost(around.venue.name, self.number, tuple(self.streams), reason, retry_s))
        self._current, self._wanted = None, None
        await asyncio.gather(*(self._close(connection) for connection in [*self.connections.values()]))
        await around.sleep(retry_s)
        return reason

    def _words(self, error: Exception) -> str:
        venue = self._around.venue
        return close_reasons.reason(venue.url(self.route, self.streams), error)

    async def _close(self, connection: Connection) -> None:
        self.connections.pop(connection.number, None)
        self._around.unheard.pop(connection.number, None)
        await connection.close()
