"""Live feed: reports its progress through history, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import TypeVar

import pytest

from services.common import clock
from services.common.clock import MINUTE, SECOND
from services.common.settings import load
from services.contracts.messages import Filling, Tick
from services.ingest.feed import FeedStatus, Item
from services.ingest.feeds.live import LiveFeed
from services.ingest.settings import IngestSettings
from tests.fake_venue import FakeVenue, Market, fake_venue

T = TypeVar("T")


class Reader:
    """Reads a feed, and keeps what it has read."""

    def __init__(self, venue: FakeVenue, feed: LiveFeed, stream: AsyncIterator[Item]) -> None:
        self.venue = venue
        self.feed = feed
        self.items: list[Item] = []
        self._stream = stream

    @property
    def statuses(self) -> list[FeedStatus]:
        return [item for item in self.items if isinstance(item, FeedStatus)]

    async def read_until(self, find: Callable[[Item], T | None]) -> T:
        """Read up to the first item in which `find` finds something, and return that."""
        async with asyncio.timeout(30):
            async for item in self._stream:
                self.items.append(item)
                if (found := find(item)) is not None:
                    return found
        raise AssertionError("the feed ended")

    def head(self, symbol: str) -> int:
        """Return the id of the last trade."""
        return self.venue.book.market.head(symbol, clock.now_us() / 1000)

    async def trading_until(self, head: int) -> None:
        """Read nothing until the venue has that trade."""
        deadline = asyncio.get_running_loop().time() + 30
        while self.head("BTCUSDT") < head:
            assert asyncio.get_running_loop().time() < deadline, f"expected trade {head} within 30 s"
            await asyncio.sleep(0.01)


def done(item: Item, least_s: float) -> Filling | None:
    filling = item.filling if isinstance(item, FeedStatus) else None
    return filling if filling is not None and filling.done_s >= least_s else None


def running(item: Item) -> FeedStatus | None:
    return item if item == FeedStatus("running") else None


@asynccontextmanager
async def reading(rates: dict[str, float], minutes: int = 2) -> AsyncIterator[Reader]:
    """Yield the reader of a feed on a venue that has traded for ten minutes; the store is away."""
    market = Market(rates, (clock.now_us() - 10 * MINUTE) // 1000)
    async with fake_venue(market) as venue:
        environment = {
            **venue.environment,
            "PAIRSTREAM_SYMBOLS": ",".join(rates),
            "PAIRSTREAM_HISTORY_MINUTES": str(minutes),
            "PAIRSTREAM_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        }
        feed = LiveFeed(load(IngestSettings, environment))
        async with aclosing(feed.stream()) as stream:
            yield Reader(venue, feed, stream)
        assert venue.violations == []


def test_the_last_minutes_are_filled_while_the_feed_is_running() -> None:
    async def run() -> None:
        async with reading({"BTCUSDT": 40.0, "ETHUSDT": 10.0}) as reader:
            await reader.read_until(running)
            first, *told, last = reader.statuses
            assert reader.items[0] == first
            assert first.filling is not None
            assert first.filling.done_s == 0
            assert first.filling.total_s == pytest.approx(120, abs=1)
            assert {status.state for status in told} == {"running"}
            shares = [status.filling.done_s for status in told if status.filling]
            assert len(shares) == len(told) == pytest.approx(120, abs=5)
            assert shares == sorted(shares)
            assert last == FeedStatus("running")
            ticks = [item for item in reader.items if isinstance(item, Tick)]
            assert ticks[-1].event_us - ticks[0].event_us == pytest.approx(120 * SECOND, abs=3 * SECOND)
            assert {tick.symbol for tick in ticks} == {"BTCUSDT", "ETHUSDT"}

    asyncio.run(run())


def test_many_symbols_are_filled_together_within_what_the_venue_allows() -> None:
    """Binance allows 96 requests in a minute, by our share of its weights."""

    async def run() -> None:
        symbols = [f"COIN{number}USDT" for number in range(50)]
        async with reading(dict.fromkeys(symbols, 2.0), minutes=1) as reader:
            half = await reader.read_until(lambda item: done(item, 30))
            assert half.done_s < 35
            ticks = [item for item in reader.items if isinstance(item, Tick)]
            assert {tick.symbol for tick in ticks} == {*symbols}
            assert ticks[-1].event_us - ticks[0].event_us == pytest.approx(30 * SECOND, abs=5 * SECOND)
            await reader.read_until(running)

    asyncio.run(run())


def test_what_waits_for_the_history_is_of_the_past_too() -> None:
    async def run() -> None:
        async with reading({"BTCUSDT": 40.0}) as reader:
            # By now the venue has been asked for the last page.
            near = await reader.read_until(lambda item: done(item, 118))
            head = reader.head("BTCUSDT") + 120
            await reader.trading_until(head)
            more = await reader.read_until(lambda item: done(item, near.total_s + 1.5))
            assert more.total_s >= near.total_s + 2
            await reader.read_until(running)
            ticks = [item.trade_id for item in reader.items if isinstance(item, Tick)]
            assert ticks == [*range(ticks[0], ticks[-1] + 1)]
            assert ticks[-1] >= head - 1

    asyncio.run(run())


def test_a_venue_that_does_not_answer_fills_nothing() -> None:
    async def run() -> None:
        async with reading({"BTCUSDT": 40.0}, minutes=1) as reader:
            reader.venue.rest_status = HTTPStatus.SERVICE_UNAVAILABLE
            first = await reader.read_until(lambda item: item if isinstance(item, FeedStatus) else None)
            assert (first.state, first.filling) == ("degraded", None)
            assert "503 Service Unavailable" in str(first.detail)
            reader.venue.rest_status = HTTPStatus.OK
            assert (await reader.read_until(lambda item: done(item, 0))).done_s == 0
            assert reader.statuses[-1].state == "running"

    asyncio.run(run())


def test_the_delivery_lag_is_of_what_comes_by_itself() -> None:
    """What is asked for is received minutes after it happened, and what waits for it is of the past, too."""

    async def run() -> None:
        async with reading({"BTCUSDT": 40.0}) as reader:
            await reader.read_until(lambda item: done(item, 118))
            await reader.trading_until(reader.head("BTCUSDT") + 40)
            await reader.read_until(running)
            assert reader.feed.delivery.by_symbol() == {}
            live = [
                await reader.read_until(lambda item: item if isinstance(item, Tick) else None)
                for _ in range(20)
            ]
            lag = reader.feed.delivery.by_symbol()["BTCUSDT"]
            longest_ms = max(tick.received_us - tick.event_us for tick in live) / 1000
            # The last one is counted before it is read, and no later one is.
            assert lag.now_ms == round((live[-1].received_us - live[-1].event_us) / 1000)
            assert lag.p99_ms == pytest.approx(longest_ms, abs=1, rel=0.01)

    asyncio.run(run())
