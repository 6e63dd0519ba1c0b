"""Symbols of the live feed that come and go while it runs, against a fake venue."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import pytest

from services.common import clock
from services.common.settings import load
from services.contracts.listings import Listing, SymbolConfig
from services.contracts.messages import TapeEvent, Tick
from services.ingest.feed import Counted, Item, Rejected
from services.ingest.feeds import collection
from services.ingest.feeds.live import LiveFeed
from services.ingest.settings import IngestSettings
from tests.fake_venue import FakeVenue, Market, fake_venue
from tests.fake_venue.frames import frames, trade_stream

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

CHINESE, DIGITS = "币安人生USDT", "1000PEPEUSDT"
HISTORY_S = 360


class Run:
    """A running feed, and what it has yielded."""

    def __init__(self, venue: FakeVenue, feed: LiveFeed, items: AsyncIterator[Item]) -> None:
        self.venue = venue
        self.feed = feed
        self.items: list[Item] = []
        self._stream = items
        self._decisions: dict[str, SymbolConfig] = {}

    def put(self, *symbols: str, collected: bool = True) -> None:
        """Decide on symbols, as a user does."""
        self._decisions |= {name: SymbolConfig(symbol=name, collected=collected) for name in symbols}
        self.feed.collect(self._decisions, {})

    async def until(self, holds: Callable[[Item], bool]) -> Item:
        """Read up to the first item that is wanted."""
        async with asyncio.timeout(60):
            async for item in self._stream:
                self.items.append(item)
                if holds(item):
                    return item
        raise AssertionError("the feed ended")

    async def until_state(self, symbol: str, state: str) -> TapeEvent:
        item = await self.until(
            lambda item: isinstance(item, TapeEvent) and (item.symbol, item.state) == (symbol, state)
        )
        assert isinstance(item, TapeEvent)
        return item

    def ids(self, symbol: str) -> list[int]:
        return [item.trade_id for item in self.items if isinstance(item, Tick) and item.symbol == symbol]

    def gaps(self) -> list[TapeEvent]:
        return [item for item in self.items if isinstance(item, TapeEvent) and item.kind.startswith("gap")]


@asynccontextmanager
async def running(
    symbols: str = "BTCUSDT", rates: dict[str, float] | None = None, **settings: str
) -> AsyncIterator[Run]:
    market = Market(rates if rates is not None else {"BTCUSDT": 20.0}, clock.now_us() // 1000 - 3_600_000)
    async with fake_venue(market) as venue:
        given = {
            "PAIRSTREAM_SYMBOLS": symbols,
            "PAIRSTREAM_LISTING_S": "0.1",
            "PAIRSTREAM_HISTORY_MINUTES": "6",
        }
        given |= {"PAIRSTREAM_OKX_REST_URL": "http://127.0.0.1:1"}
        feed = LiveFeed(load(IngestSettings, venue.environment | given | settings))
        async with aclosing(feed.stream()) as stream:
            run = Run(venue, feed, stream)
            yield run
        assert venue.violations == []


@pytest.mark.parametrize("symbol", ["ETHUSDT", CHINESE, DIGITS])
def test_an_added_symbol_brings_its_history_and_its_live_trades_without_hole_or_double(
    monkeypatch: pytest.MonkeyPatch, symbol: str
) -> None:
    # It is its history that lets it join, not the end of the patience.
    monkeypatch.setattr(collection, "PATIENCE_S", 600.0)

    async def run() -> None:
        async with running() as feed:
            feed.venue.enlist(symbol, 20.0)
            await feed.until_state("BTCUSDT", "live")
            await feed.until(lambda item: isinstance(item, Listing) and item.symbol == symbol)
            feed.put(symbol)
            await feed.until_state(symbol, "filling")
            await feed.until_state(symbol, "live")
            head = feed.venue.book.market.head(symbol, clock.now_us() / 1000)
            await feed.until(
                lambda item: isinstance(item, Tick) and item.symbol == symbol and item.trade_id > head
            )
            ids = feed.ids(symbol)
            assert ids == list(range(ids[0], ids[-1] + 1))
            assert len(ids) > 20 * (HISTORY_S - 2)
            assert feed.gaps() == []

    asyncio.run(run())


def test_a_removed_symbol_is_unsubscribed_and_comes_back_where_it_was_left() -> None:
    async def run() -> None:
        async with running("BTCUSDT,ETHUSDT", {"BTCUSDT": 20.0, "ETHUSDT": 20.0}) as feed:
            await feed.until_state("ETHUSDT", "live")
            feed.put("ETHUSDT", collected=False)
            await feed.until_state("ETHUSDT", "removed")
            told = len(feed.ids("ETHUSDT"))
            # Of a stream nobody has asked for.
            frame = feed.venue.book.market.trade("ETHUSDT", 5_000).frame(clock.now_us() // 1000)
            (subscriber,) = feed.venue.listener.open
            subscriber.send(frames(trade_stream("ETHUSDT"), frame).combined)
            await feed.until(lambda item: isinstance(item, Counted) and item.counter == "strangers")
            assert subscriber.streams == {"btcusdt@aggTrade"}
            assert len(feed.ids("ETHUSDT")) == told
            assert not [item for item in feed.items if isinstance(item, Rejected)]
            feed.put("ETHUSDT")
            await feed.until_state("ETHUSDT", "live")
            ids = feed.ids("ETHUSDT")[told:]
            assert ids == list(range(ids[0], ids[-1] + 1))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ("DELIVERED", "delivered", "the venue says DELIVERED"),
        ("CLOSE", "delisted", "the venue says CLOSE"),
        (None, "delisted", "the venue does not list it"),
    ],
)
def test_a_contract_that_ends_is_left_with_an_event(status: str | None, state: str, reason: str) -> None:
    async def run() -> None:
        async with running("all", {"BTCUSDT": 20.0, "ETHUSDT": 20.0}) as feed:
            await feed.until_state("ETHUSDT", "live")
            feed.venue.delist("ETHUSDT", status)
            assert (await feed.until_state("ETHUSDT", state)).reason == reason
            await feed.until(lambda _: feed.venue.listener.open[0].streams == {"btcusdt@aggTrade"})

    asyncio.run(run())


def test_a_halted_symbol_is_halted_and_not_stale() -> None:
    async def run() -> None:
        async with running("BTCUSDT,ETHUSDT", PAIRSTREAM_SILENCE_S="0.2") as feed:
            feed.venue.enlist("ETHUSDT", status="HALT")
            feed.venue.symbols["ETHUSDT"] = "TRADING"
            await feed.until_state("ETHUSDT", "live")
            feed.venue.symbols["ETHUSDT"] = "HALT"
            assert (await feed.until_state("ETHUSDT", "halted")).reason == "the venue says HALT"
            halted = len(feed.items)
            head = feed.venue.book.market.head("BTCUSDT", clock.now_us() / 1000)
            await feed.until(lambda item: isinstance(item, Tick) and item.trade_id > head + 40)
            stale = [item for item in feed.items[halted:] if isinstance(item, TapeEvent)]
            assert [
                item.kind for item in stale if item.symbol == "ETHUSDT" and item.kind == "stream_stale"
            ] == []
            feed.venue.symbols["ETHUSDT"] = "TRADING"
            await feed.until_state("ETHUSDT", "live")

    asyncio.run(run())


def test_a_new_listing_comes_in_by_itself_and_a_renamed_one_under_its_new_name() -> None:
    async def run() -> None:
        async with running("*USDT") as feed:
            await feed.until_state("BTCUSDT", "live")
            feed.venue.enlist("NEWUSDT", 20.0, status="PENDING_TRADING")
            feed.venue.symbols["NEWUSDT"] = "TRADING"
            await feed.until_state("NEWUSDT", "live")
            assert feed.ids("NEWUSDT")
            feed.venue.rename("NEWUSDT", CHINESE)
            await feed.until_state("NEWUSDT", "delisted")
            await feed.until_state(CHINESE, "live")
            assert feed.ids(CHINESE)

    asyncio.run(run())


def test_a_top_list_follows_the_volumes() -> None:
    rates = {f"S{number}USDT": 20.0 for number in range(4)}

    async def run() -> None:
        async with running("top:2", rates) as feed:
            feed.venue.rest.volumes = {"S0USDT": 9.0, "S1USDT": 8.0, "S2USDT": 2.0, "S3USDT": 1.0}
            await feed.until_state("S1USDT", "live")
            feed.venue.rest.volumes |= {"S3USDT": 99.0, "S1USDT": 0.5}
            await feed.until_state("S1USDT", "removed")
            await feed.until_state("S3USDT", "live")

    asyncio.run(run())


def test_a_thousand_symbols_are_added_at_once_within_what_the_venue_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collection, "PATIENCE_S", 3.0)
    added = [f"S{number}USDT" for number in range(1_000)]

    async def run() -> None:
        async with running() as feed:
            for symbol in added:
                feed.venue.enlist(symbol)
            await feed.until_state("BTCUSDT", "live")
            await feed.until(lambda item: isinstance(item, Listing) and item.symbol == added[-1])
            for symbol in added:
                feed.put(symbol)
            live: set[str] = set()

            def all_live(item: Item) -> bool:
                if isinstance(item, Listing) and item.state == "live":
                    live.add(item.symbol)
                return live >= set(added)

            await feed.until(all_live)
            streams = [one.streams for one in feed.venue.listener.open]
            assert sum(map(len, streams)) == 1_001
            assert max(map(len, streams)) <= 200
            assert feed.gaps() == []

    asyncio.run(run())
