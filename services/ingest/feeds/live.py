"""Live feed: streams of the venues, completed by requests for the trades they missed."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import NoReturn

import structlog

from services.common.backoff import Backoff
from services.common.cancellation import pause
from services.common.clock import SECOND
from services.common.errors import BadMessageError, TransientError
from services.contracts.listings import Listing
from services.contracts.messages import FeedName, MarkPrice, TapeEvent, Tick
from services.ingest.connections.buffer import Buffer
from services.ingest.connections.connection import Sleep
from services.ingest.connections.connection_slot import SlotContext
from services.ingest.connections.events import Frame, Occurrence
from services.ingest.connections.pool import ConnectionPool
from services.ingest.connections.stream_watchdog import StreamWatchdog
from services.ingest.delivery_lag import DeliveryLags
from services.ingest.feed import DUPLICATE, SKIPPED, Item, Rejected, StreamKind
from services.ingest.feeds.background import Aside, Failed, Second, background
from services.ingest.feeds.feed_health import Answered, FeedHealth, Unanswered
from services.ingest.feeds.history_progress import HistoryProgress
from services.ingest.settings import IngestSettings
from services.ingest.tape.history import HistoryLoader, settled
from services.ingest.tape.repair import Repairer
from services.ingest.tape.stored import open_store
from services.ingest.tape.tape import Tape
from services.ingest.venues import registry
from services.ingest.venues.rest import retry_in_s
from services.ingest.venues.timestamps import TimestampCheck
from services.ingest.venues.venue import Venue
from services.ingest.venues.venue_clock import VenueClock

# Interval of coverage messages; one also comes a second after any gap has changed.
_COVERAGE_S = 10
# Longest time for the history; what it lacks then is repaired while the stream is live.
_HISTORY_PATIENCE_S = 30.0
# The sink has written by then what the last run published.
_SETTLED_S = 30.0
# When one venue is ready, the time left for the others to join the history.
_LATECOMERS_S = 5.0

log = structlog.get_logger()


async def _keeps() -> bool:
    return False


_News = Aside | Failed | Second | Unanswered | Answered


class LiveFeed:
    """Every trade of every symbol once, in order of receipt; what a stream missed comes later, flagged."""

    name: FeedName = "live"

    def __init__(
        self,
        settings: IngestSettings,
        broker_is_empty: Callable[[], Awaitable[bool]] = _keeps,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`broker_is_empty` says whether the broker has lost its ticks: those that are stored come again then."""
        self._clock = VenueClock()
        self.delivery = DeliveryLags(self._clock.now_us)
        self._settings = settings
        self._broker_is_empty = broker_is_empty
        self._sleep = sleep
        self._symbols = registry.by_venue(settings.symbols)
        self._stamps: defaultdict[str, TimestampCheck] = defaultdict(TimestampCheck)
        self._tape = Tape({symbol: name for name, symbols in self._symbols.items() for symbol in symbols})
        self._buffer: Buffer[_News] = Buffer(settings.buffer_frames)
        self._condition = FeedHealth()
        self._pools: dict[Venue, ConnectionPool] = {}
        self._ready: dict[str, asyncio.Event] = {}
        self._seconds = 0
        self._counts = dict(self._tape.counts)
        self._changed: set[str] = set()
        self._past: HistoryProgress | None = None
        self._frame: Frame | None = None

    async def check(self) -> None:
        """Raise FatalError if a venue cannot give what the settings want; its silence is no objection."""
        async with registry.opened(self._settings, self._clock.now_us) as opened:
            for name, symbols in self._symbols.items():
                self._pool(opened[name], symbols)
                with contextlib.suppress(TransientError):
                    await opened[name].check_symbols(symbols)

    async def stream(self) -> AsyncGenerator[Item]:
        """Yield what the venues send, for ever; FatalError if one says that it does not trade a symbol."""
        async with registry.opened(self._settings, self._clock.now_us) as opened:
            self._pools = {
                opened[name]: self._pool(opened[name], names) for name, names in self._symbols.items()
            }
            self._ready = {name: asyncio.Event() for name in opened}
            starts = [partial(self._connect, venue, pool) for venue, pool in self._pools.items()]
            async with background(self._buffer, *starts) as start:
                async with aclosing(self._history(opened)) as items:
                    async for item in items:
                        yield item
                start(self._tick)
                start(self._settle)
                for venue in opened.values():
                    start(partial(self._repair, venue))
                    start(partial(self._clock.follow, venue))
                while True:
                    # What came meanwhile is of the past until it has been read.
                    if self._past is not None and not self._buffer:
                        self._past = None
                        for item in self._condition.fill(None):
                            yield item
                    news = await self._buffer.next()
                    if isinstance(news, Frame):
                        for item in self._read(news):
                            yield item
                    else:
                        for item in self._note(news):
                            yield item

    def _pool(self, venue: Venue, symbols: Sequence[str]) -> ConnectionPool:
        settings = self._settings
        kinds: tuple[StreamKind, ...] = ("trades", *settings.streams)
        # What is known of a symbol is known by one connection, as far as that has room.
        streams = [venue.stream(kind, symbol) for symbol in symbols for kind in kinds]
        watchdog = StreamWatchdog(settings.silence_s * SECOND)
        around = SlotContext(
            venue,
            self._buffer,
            watchdog,
            settings.reconnect_after_s,
            sleep=self._sleep,
            now_us=self._clock.now_us,
        )
        return ConnectionPool(streams, around)

    async def _connect(self, venue: Venue, pool: ConnectionPool) -> NoReturn:
        """Hold the connections to a venue, once it has confirmed that it trades our symbols."""
        delays = Backoff(first_s=0.5, cap_s=60.0)
        while True:
            try:
                await venue.check_symbols(self._symbols[venue.name])
                break
            except TransientError as error:
                retry_s = retry_in_s(error, delays)
                self._buffer.tell(Unanswered(venue.name, str(error), retry_s))
                await self._sleep(retry_s)
        await self._clock.ask(venue)
        self._buffer.tell(Answered(venue.name))
        self._ready[venue.name].set()
        await pool.run()

    async def _history(self, opened: Mapping[str, Venue]) -> AsyncGenerator[Item]:
        """Yield the past up to now, of the venues that answer; the streams wait in the buffer meanwhile."""
        async for item in self._until_ready():
            yield item
        ready = [name for name, event in self._ready.items() if event.is_set()]
        sources = {symbol: opened[name] for name in ready for symbol in self._symbols[name]}
        reach_s = self._settings.history_us / SECOND
        if reach_s:
            self._past = HistoryProgress(self._clock.now_us() - self._settings.history_us, self._clock.now_us)
            for item in self._condition.fill(self._past.filling()):
                yield item
        store = partial(open_store, self._settings)
        history = HistoryLoader(self._tape, sources, reach_s, store, _HISTORY_PATIENCE_S, self._clock.now_us)
        ticks = 0
        async with aclosing(history.items(republish=await self._broker_is_empty())) as items:
            async for item in items:
                yield self._asked(item)
                if isinstance(item, Tick):
                    ticks += 1
                    for status in self._progress(item):
                        yield status
                while self._buffer.has_news():
                    for other in self._note(await self._buffer.next_news()):
                        yield other
        log.info("history", minutes=reach_s / 60, ticks=ticks, waiting=len(self._buffer))

    async def _until_ready(self) -> AsyncGenerator[Item]:
        """Yield what goes wrong, until one venue is ready and the others have had their chance."""
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        while not all(event.is_set() for event in self._ready.values()):
            if deadline is None and any(event.is_set() for event in self._ready.values()):
                deadline = loop.time() + _LATECOMERS_S
            try:
                async with asyncio.timeout_at(deadline):
                    news = await self._buffer.next_news()
            except TimeoutError:
                return
            for item in self._note(news):
                yield item

    def _read(self, frame: Frame) -> Iterator[Item]:
        try:
            events = self._pools[frame.venue].read(frame)
        except BadMessageError as error:
            yield Rejected(frame.raw, str(error), _origin(frame))
            return
        if not events:
            yield SKIPPED
        self._frame, stamps = frame, self._stamps[frame.venue.name]
        for event in events:
            if isinstance(event, Tick):
                trade = stamps.judged(event)
                if isinstance(trade, Rejected):
                    yield trade
                else:
                    yield from self._trade(trade, event.received_us)
                    yield from self._progress(trade)
            else:
                yield stamps.judged(event) if isinstance(event, MarkPrice) else event

    def _asked(self, item: Tick | TapeEvent) -> Item:
        """Judge what a venue was asked for by the rule that holds for what it sends."""
        return self._stamps[item.venue].judged(item, asked_for=True) if isinstance(item, Tick) else item

    async def listing(self) -> list[Listing]:
        """Return what the venues list; TransientError while none of them has answered."""
        async with registry.opened(self._settings, self._clock.now_us) as opened:
            return [listing for venue in opened.values() for listing in await venue.listing()]

    def vouches(self, price: MarkPrice) -> bool:
        """Tell whether the frame that is being read came by the connection of the trades of that symbol."""
        frame = self._frame
        return frame is not None and self._pools[frame.venue].brings(price.symbol, frame.connection)

    def _progress(self, tick: Tick) -> Iterator[Item]:
        if self._past is not None and (filling := self._past.reached(tick.event_us)):
            yield from self._condition.fill(filling)

    def _trade(self, tick: Tick, received_us: int) -> Sequence[Item]:
        items = self._tape.take(tick)
        if not items:
            return (DUPLICATE,)
        if self._past is None:
            # Error of the local clock where the venue does not tell its time.
            self.delivery.take(tick.symbol, received_us, tick.event_us)
        if len(items) > 1:
            self._changed.add(tick.symbol)
        return items

    def _note(self, news: Occurrence | _News) -> Iterator[Item]:
        match news:
            case Aside(items, published):
                yield from map(self._asked, items)
                published.set()
            case Second():
                yield from self._coverage()
            case Failed(error):
                raise error
            case _:
                yield from self._condition.note(news)

    def _coverage(self) -> list[TapeEvent]:
        self._seconds += 1
        self.delivery.behind_us = self._clock.behind_us
        symbols = None if self._seconds % _COVERAGE_S == 0 else self._changed
        now_us = self._clock.now_us()
        events = self._tape.coverage_events(now_us, symbols) if symbols or symbols is None else []
        self._changed.clear()
        if (counts := dict(self._tape.counts)) != self._counts:
            log.info("tape", **counts)
            self._counts = counts
        return events

    async def _repair(self, venue: Venue) -> None:
        async with aclosing(Repairer(self._tape, venue, self._clock.now_us).batches()) as batches:
            async for items in batches:
                await self._put_aside(items)

    async def _settle(self) -> None:
        """Close the gaps of the last run that came to the store after we had looked."""
        await self._sleep(_SETTLED_S)
        store = partial(open_store, self._settings)
        async with aclosing(settled(self._tape, self._settings.symbols, store, self._clock.now_us)) as closed:
            async for events in closed:
                await self._put_aside(events)

    async def _put_aside(self, items: Sequence[Tick | TapeEvent]) -> None:
        self._changed.update(item.symbol for item in items)
        aside = Aside(items, asyncio.Event())
        self._buffer.tell(aside)
        await aside.published.wait()

    async def _tick(self) -> NoReturn:
        while True:
            await pause(1.0)
            self._buffer.tell(Second())


def _origin(frame: Frame) -> str:
    return f"connection {frame.connection} frame {frame.number}"
