"""Live feed: streams of the venues, completed by requests for the trades they missed."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import NoReturn

import structlog

from services.common.cancellation import pause
from services.common.clock import SECOND
from services.common.errors import BadMessageError, TransientError
from services.contracts.listings import Listing, SymbolConfig
from services.contracts.messages import FeedName, MarkPrice, TapeEvent, Tick
from services.contracts.selection import names
from services.ingest.connections.buffer import Buffer
from services.ingest.connections.connection import Sleep
from services.ingest.connections.events import Frame, Occurrence
from services.ingest.delivery_lag import DeliveryLags
from services.ingest.feed import DUPLICATE, SKIPPED, Counted, Item, Rejected
from services.ingest.feeds.background import Aside, Failed, Second, background
from services.ingest.feeds.collection import Collection, Filled, RosterChanged
from services.ingest.feeds.feed_health import Answered, FeedHealth, Unanswered
from services.ingest.feeds.history_progress import HistoryProgress
from services.ingest.roster import Roster
from services.ingest.settings import IngestSettings
from services.ingest.tape.history import HistoryLoader, settled
from services.ingest.tape.repair import Repairer
from services.ingest.tape.stored import open_store
from services.ingest.tape.tape import Tape
from services.ingest.venues import registry
from services.ingest.venues.selected import selected
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


_News = Aside | Failed | Second | Unanswered | Answered | Filled | RosterChanged


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
        self._stamps: defaultdict[str, TimestampCheck] = defaultdict(TimestampCheck)
        self._tape = Tape({})
        self._buffer: Buffer[_News] = Buffer(settings.buffer_frames)
        self._condition = FeedHealth()
        self._roster = Roster(settings.symbols)
        self._collection = Collection(
            settings, self._roster, self._tape, self._buffer, self._clock, self._sleep
        )
        self._strangers = 0
        self._seconds = 0
        self._counts = dict(self._tape.counts)
        self._changed: set[str] = set()
        self._past: HistoryProgress | None = None
        self._frame: Frame | None = None

    async def check(self) -> None:
        """Raise FatalError if a venue cannot give what the settings want; its silence is no objection."""
        async with registry.opened(self._settings, self._clock.now_us) as opened:
            for name, items in registry.by_venue(self._settings.symbols).items():
                self._collection.streams(opened[name], names(items))
                with contextlib.suppress(TransientError):
                    await selected(opened[name], items)

    async def stream(self) -> AsyncGenerator[Item]:
        """Yield what the venues send, for ever; FatalError if one says that it does not trade a symbol."""
        async with (
            registry.opened(self._settings, self._clock.now_us, every=True) as opened,
            self._collection.open(opened) as starts,
            background(self._buffer, *starts) as start,
        ):
            async with aclosing(self._history(opened)) as items:
                async for item in items:
                    yield item
            self._collection.begin(start)
            start(self._tick)
            start(self._settle)
            for venue in opened.values():
                start(partial(self._repair, venue))
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

    async def _history(self, opened: Mapping[str, Venue]) -> AsyncGenerator[Item]:
        """Yield the past up to now, of the venues that answer; the streams wait in the buffer meanwhile."""
        async for item in self._until_ready():
            yield item
        sources = {
            symbol: opened[name]
            for name, symbols in registry.by_venue(self._roster.subscribed).items()
            for symbol in symbols
        }
        reach_s = self._settings.history_us / SECOND
        if reach_s:
            self._past = HistoryProgress(self._clock.now_us() - self._settings.history_us, self._clock.now_us)
            for item in self._condition.fill(self._past.filling()):
                yield item
        store = partial(open_store, self._settings)
        history = HistoryLoader(self._tape, sources, reach_s, store, _HISTORY_PATIENCE_S, self._clock.now_us)
        ticks = 0
        self._collection.republish = await self._broker_is_empty()
        async with aclosing(history.items(republish=self._collection.republish)) as items:
            async for item in items:
                yield self._asked(item)
                if isinstance(item, Tick):
                    ticks += 1
                    for status in self._progress(item):
                        yield status
                while self._buffer.has_news():
                    for other in self._note(await self._buffer.next_news()):
                        yield other
        self._collection.played()
        for change in self._roster.news(self._clock.now_us()):
            yield change
        log.info("history", minutes=reach_s / 60, ticks=ticks, waiting=len(self._buffer))

    async def _until_ready(self) -> AsyncGenerator[Item]:
        """Yield what goes wrong, until one venue is ready and the others have had their chance."""
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        ready = self._collection.ready.values()
        while not all(event.is_set() for event in ready):
            if deadline is None and any(event.is_set() for event in ready):
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
            events = self._collection.pools[frame.venue].read(frame)
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
                elif trade.symbol in self._collection.held:
                    self._collection.held[trade.symbol].put(trade)
                else:
                    yield from self._trade(trade, event.received_us)
                    yield from self._progress(trade)
            else:
                yield stamps.judged(event) if isinstance(event, MarkPrice) else event

    def _asked(self, item: Tick | TapeEvent) -> Item:
        """Judge what a venue was asked for by the rule that holds for what it sends."""
        return self._stamps[item.venue].judged(item, asked_for=True) if isinstance(item, Tick) else item

    async def listing(self) -> Sequence[Listing]:
        """Return what the venues list; TransientError while none of them has answered."""
        if listed := self._roster.listings():
            return listed
        raise TransientError("no venue has said yet what it lists")

    def collect(self, decisions: Mapping[str, SymbolConfig], told: Mapping[str, Listing]) -> None:
        """Go by what users have decided from now on; a top list goes on from what was `told` of the run before."""
        self._roster.remember(told)
        self._roster.decide(decisions)
        self._collection.changed()

    def vouches(self, price: MarkPrice) -> bool:
        """Tell whether the frame that is being read came by the connection of the trades of that symbol."""
        frame = self._frame
        return frame is not None and self._collection.pools[frame.venue].brings(
            price.symbol, frame.connection
        )

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
            case Filled():
                if self._collection.release(news):
                    yield from map(self._asked, news.items)
                    for trade in news.held.ticks:
                        yield from self._trade(trade, trade.received_us)
                    yield from self._roster.news(self._clock.now_us())
            case RosterChanged():
                yield from self._roster.news(self._clock.now_us())
            case Second():
                yield from self._coverage()
            case Failed(error):
                raise error
            case _:
                yield from self._condition.note(news)

    def _coverage(self) -> list[TapeEvent | Counted]:
        self._seconds += 1
        strangers = sum(pool.strangers for pool in self._collection.pools.values())
        counted, self._strangers = Counted("strangers", strangers - self._strangers), strangers
        self.delivery.behind_us = self._clock.behind_us
        symbols = None if self._seconds % _COVERAGE_S == 0 else self._changed
        now_us = self._clock.now_us()
        events = self._tape.coverage_events(now_us, symbols) if symbols or symbols is None else []
        self._changed.clear()
        if (counts := dict(self._tape.counts)) != self._counts:
            log.info("tape", **counts)
            self._counts = counts
        return [*events, counted] if counted.times else [*events]

    async def _repair(self, venue: Venue) -> None:
        async with aclosing(Repairer(self._tape, venue, self._clock.now_us).batches()) as batches:
            async for items in batches:
                await self._put_aside(items)

    async def _settle(self) -> None:
        """Close the gaps of the last run that came to the store after we had looked."""
        await self._sleep(_SETTLED_S)
        store = partial(open_store, self._settings)
        async with aclosing(
            settled(self._tape, [*self._roster.subscribed], store, self._clock.now_us)
        ) as closed:
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
