"""Collection of the live feed: connections to the venues, and the symbols on them as the roster changes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any, NamedTuple, NoReturn

import structlog

from services.common.backoff import Backoff
from services.common.cancellation import end, pause
from services.common.clock import SECOND
from services.common.errors import TransientError
from services.contracts.messages import TapeEvent, Tick
from services.ingest.connections.buffer import Buffer
from services.ingest.connections.connection import Sleep
from services.ingest.connections.connection_slot import SlotContext
from services.ingest.connections.pool import ConnectionPool
from services.ingest.connections.stream_watchdog import StreamWatchdog
from services.ingest.feed import StreamKind
from services.ingest.feeds.background import Aside, Failed, Work
from services.ingest.feeds.feed_health import Answered, Unanswered
from services.ingest.feeds.held_trades import HeldTrades
from services.ingest.roster import Roster
from services.ingest.settings import IngestSettings
from services.ingest.tape.history import HistoryLoader
from services.ingest.tape.stored import open_store
from services.ingest.tape.tape import Tape
from services.ingest.venues import registry
from services.ingest.venues.rest import retry_in_s
from services.ingest.venues.selected import volumes_for
from services.ingest.venues.venue import Stream, Venue
from services.ingest.venues.venue_clock import VenueClock

# The settings' selection may be hundreds of symbols, whose history no venue gives at once: these come one by one.
FILLED_TOGETHER = 50
# Longest time in which the history of a symbol that is added may come; it goes live without the rest.
PATIENCE_S = 20.0
# A quiet symbol may not trade for long: its history is requested without a live trade to join.
_FIRST_TRADE_S = 0.3
_FILLED_AT_ONCE = 4
_TOLD_AGAIN_S = 3_600.0

log = structlog.get_logger()


class RosterChanged(NamedTuple):
    """The roster may have news."""


class Filled(NamedTuple):
    """The history of an added symbol, up to the trades that the stream has brought meanwhile."""

    symbol: str
    held: HeldTrades
    items: Sequence[Tick | TapeEvent]
    reason: str | None


class Collection:
    """Keeps the streams of the venues those that the roster wants.

    What is added at run time is subscribed first; its live trades are held until the history before them has come,
    so that the tape joins both by their ids. What nobody wants any longer is unsubscribed and forgotten.
    """

    def __init__(
        self,
        settings: IngestSettings,
        roster: Roster,
        tape: Tape,
        buffer: Buffer[Any],
        clock: VenueClock,
        sleep: Sleep,
    ) -> None:
        self.pools: dict[Venue, ConnectionPool] = {}
        self.ready: dict[str, asyncio.Event] = {}
        """Set once a venue that is in use has confirmed the symbols of the settings."""
        self.held: dict[str, HeldTrades] = {}
        self._settings = settings
        self._roster = roster
        self._tape = tape
        self._buffer = buffer
        self._clock = clock
        self._sleep = sleep
        self.republish = False
        """Whether the broker has lost its ticks: those that are stored come again with the symbols of the start."""
        self._changed = asyncio.Event()
        self._fills: dict[str, asyncio.Task[None]] = {}
        self._filling = asyncio.Semaphore(_FILLED_AT_ONCE)
        self._start: Callable[[Work], None] | None = None

    def pool(self, venue: Venue) -> ConnectionPool:
        """Return a pool for a venue, without a stream yet."""
        settings = self._settings
        around = SlotContext(
            venue,
            self._buffer,
            StreamWatchdog(settings.silence_s * SECOND),
            settings.reconnect_after_s,
            sleep=self._sleep,
            now_us=self._clock.now_us,
        )
        return ConnectionPool((), around)

    def streams(self, venue: Venue, symbols: Iterable[str]) -> list[Stream]:
        """Return the streams of symbols: what is known of one is known by one connection, as far as that has room."""
        kinds: tuple[StreamKind, ...] = ("trades", *self._settings.streams)
        return [venue.stream(kind, symbol) for symbol in symbols for kind in kinds]

    @asynccontextmanager
    async def open(self, venues: Mapping[str, Venue]) -> AsyncIterator[list[Work]]:
        """Take the venues, and yield the work that connects to those in use."""
        self.pools = {venue: self.pool(venue) for venue in venues.values()}
        used = registry.by_venue(self._settings.symbols)
        self.ready = {name: asyncio.Event() for name in used}
        try:
            yield [partial(self._connect, venues[name], items) for name, items in used.items()]
        finally:
            await end(*self._fills.values())

    def begin(self, start: Callable[[Work], None]) -> None:
        """Start what keeps the collection as it should be."""
        self._start = start
        for venue in self.pools:
            start(partial(self._follow_listing, venue))
            if venue.name in self.ready:
                start(partial(self._clock.follow, venue))
        start(self._adjust_for_ever)
        start(self._tell_again)

    def changed(self) -> None:
        """Note that the roster wants something else."""
        self._changed.set()

    def release(self, filled: Filled) -> bool:
        """Hold the trades of a symbol no longer, as its history has come; tell whether it is still collected."""
        if self.held.get(filled.symbol) is not filled.held:
            return False
        del self.held[filled.symbol]
        self._roster.follow(filled.symbol, "live", filled.reason)
        return True

    def played(self) -> None:
        """Note that the history of the symbols of the start has come."""
        for symbol in self._roster.subscribed:
            if symbol not in self.held:
                self._roster.follow(symbol, "live")

    async def _connect(self, venue: Venue, items: Sequence[str]) -> None:
        """Hold the connections to a venue, once it has confirmed that it trades the symbols of the settings."""
        delays = Backoff(first_s=0.5, cap_s=60.0)
        named = [symbol for symbol in items if symbol in self._settings.named_symbols]
        while True:
            try:
                required = [symbol for symbol in named if not self._roster.is_removed(symbol)]
                listed, volumes = await venue.check_symbols(required), await volumes_for(venue, items)
                break
            except TransientError as error:
                retry_s = retry_in_s(error, delays)
                self._buffer.tell(Unanswered(venue.name, str(error), retry_s))
                await self._sleep(retry_s)
        self._roster.list(venue.name, listed, volumes)
        if self._start is None:
            wanted = registry.by_venue(self._roster.wanted()).get(venue.name, [])
            first = wanted if len(wanted) <= FILLED_TOGETHER else [name for name in wanted if name in named]
            for symbol in first:
                self._tape.know(symbol, venue.name)
                self._roster.follow(symbol, "filling")
            await self.pools[venue].subscribe(self.streams(venue, first))
        await self._clock.ask(venue)
        self._buffer.tell(Answered(venue.name))
        self.ready[venue.name].set()
        self.changed()
        await self.pools[venue].run()

    async def _follow_listing(self, venue: Venue) -> NoReturn:
        """Ask the venue again and again what it lists; without an answer what is known stays."""
        items = registry.by_venue(self._settings.symbols).get(venue.name, [])
        is_first, told = not items, ""
        while True:
            if not is_first:
                await pause(self._settings.listing_s)
            is_first = False
            try:
                self._roster.list(venue.name, await venue.listing(), await volumes_for(venue, items))
                told = ""
            except TransientError as error:
                if str(error) != told:
                    told = str(error)
                    log.info("the listing is not renewed", venue=venue.name, reason=told)
                continue
            halted = registry.by_venue(self._roster.halted()).get(venue.name, [])
            self.pools[venue].halt(halted)
            self.changed()

    async def _adjust_for_ever(self) -> NoReturn:
        while True:
            self._changed.clear()
            await self._adjust()
            self._buffer.tell(RosterChanged())
            await self._changed.wait()

    async def _adjust(self) -> None:
        """Subscribe and unsubscribe what the roster wants; where a venue is slow others wait for it no longer."""
        subscribed, wanted = self._roster.subscribed, self._roster.wanted()
        venues = {venue.name: venue for venue in self.pools}
        ending = [symbol for symbol in subscribed if symbol not in set(wanted)]
        for name, symbols in registry.by_venue(ending).items():
            for symbol in symbols:
                await self._leave(symbol)
            await self.pools[venues[name]].unsubscribe(self.streams(venues[name], symbols))
        added = [symbol for symbol in wanted if symbol not in subscribed]
        for name, symbols in registry.by_venue(added).items():
            venue = venues[name]
            self._use(venue)
            for symbol in symbols:
                self._tape.know(symbol, name)
                self._roster.follow(symbol, "filling")
                self.held[symbol] = HeldTrades()
            self._buffer.tell(RosterChanged())
            await self.pools[venue].subscribe(self.streams(venue, symbols))
            deadline_s = asyncio.get_running_loop().time() + PATIENCE_S
            for symbol in symbols:
                work = self._fill(venue, symbol, deadline_s, self.republish)
                self._fills[symbol] = asyncio.create_task(self._guarded(work))
        self.republish = False
        if ending or added:
            log.info("symbols", added=len(added), ended=len(ending), collected=len(subscribed))

    def _use(self, venue: Venue) -> None:
        """Connect to a venue of which the settings name no symbol, once one is added."""
        assert self._start is not None, "it has begun"
        if venue.name not in self.ready:
            self.ready[venue.name] = asyncio.Event()
            self.ready[venue.name].set()
            self._start(self.pools[venue].run)
            self._start(partial(self._clock.follow, venue))

    async def _leave(self, symbol: str) -> None:
        if (fill := self._fills.pop(symbol, None)) is not None:
            await end(fill)
        self.held.pop(symbol, None)
        self._roster.leave(symbol)
        events = self._tape.leave(symbol, self._clock.now_us())
        self._buffer.tell(Aside(events, asyncio.Event()))

    async def _fill(self, venue: Venue, symbol: str, deadline_s: float, republish: bool) -> None:
        """Load the history of a symbol and let it join; what the venue does not give in time is left out."""
        loop, items, reason = asyncio.get_running_loop(), list[Tick | TapeEvent](), None
        held, reach_s = self.held[symbol], self._settings.history_us / SECOND
        try:
            if reach_s:
                await held.wait(_FIRST_TRADE_S)
            async with asyncio.timeout_at(deadline_s), self._filling:
                left_s = deadline_s - loop.time()
                if reach_s and left_s > 0:
                    loader = HistoryLoader(
                        self._tape,
                        {symbol: venue},
                        reach_s,
                        partial(open_store, self._settings),
                        left_s,
                        self._clock.now_us,
                    )
                    async with aclosing(loader.items(republish)) as loaded:
                        async for item in loaded:
                            items.append(item)
        except TimeoutError:
            reason = f"the venue has not given all of its last {reach_s:.0f} s within {PATIENCE_S:.0f} s"
        self._fills.pop(symbol, None)
        self._buffer.tell(Filled(symbol, held, items, reason))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self._buffer.tell(Failed(error))

    async def _tell_again(self) -> NoReturn:
        while True:
            await pause(_TOLD_AGAIN_S)
            self._roster.tell_again()
            self._buffer.tell(RosterChanged())
