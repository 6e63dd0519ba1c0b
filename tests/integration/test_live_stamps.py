"""Timestamps over real sockets: proofs that a symbol is quiet, and doubtful times of repaired trades."""

import asyncio
from contextlib import aclosing

import pytest

from services.common import clock
from services.common.clock import HOUR, MINUTE, SECOND
from services.common.codec import decode
from services.common.settings import load
from services.contracts.messages import MarkPrice, Tick
from services.ingest.feeds.live import LiveFeed
from services.ingest.settings import IngestSettings
from services.ingest.venues.binance.venue import Binance
from tests.fake_venue import Market, fake_venue, faults
from tests.fake_venue.book import Book
from tests.fake_venue.market import Trade
from tests.integration.test_live_tape import Watch, watching

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("room", "vouched"), [(4, {"BTCUSDT", "ETHUSDT"}), (3, {"BTCUSDT"})])
def test_a_mark_price_vouches_if_it_came_by_the_connection_of_the_trades(
    monkeypatch: pytest.MonkeyPatch, room: int, vouched: set[str]
) -> None:
    monkeypatch.setattr(Binance, "streams_per_connection", room)

    async def run() -> dict[str, bool]:
        found: dict[str, bool] = {}
        rates = {"BTCUSDT": 40.0, "ETHUSDT": 40.0}
        async with fake_venue(Market(rates, clock.now_us() // 1000)) as venue:
            given = {"PAIRSTREAM_HISTORY_MINUTES": "0", "PAIRSTREAM_STREAMS": "mark-prices"}
            feed = LiveFeed(load(IngestSettings, venue.environment | given))
            async with asyncio.timeout(30), aclosing(feed.stream()) as items:
                traded: set[str] = set()
                async for item in items:
                    if isinstance(item, Tick):
                        traded.add(item.symbol)
                    elif isinstance(item, MarkPrice) and len(traded) == len(rates):
                        found[item.symbol] = feed.vouches(item)
                    if len(found) == len(rates):
                        break
        return found

    assert asyncio.run(run()) == {symbol: symbol in vouched for symbol in ("BTCUSDT", "ETHUSDT")}


def dated_ahead(monkeypatch: pytest.MonkeyPatch, *ids: int) -> None:
    """Have REST date some trades of BTCUSDT an hour ahead."""
    rows = Book.rows

    def wrong(self: Book, symbol: str, first_id: int, limit: int, now_ms: int) -> list[Trade]:
        return [
            trade._replace(time_ms=trade.time_ms + HOUR // 1000)
            if trade.trade_id in ids and symbol == "BTCUSDT"
            else trade
            for trade in rows(self, symbol, first_id, limit, now_ms)
        ]

    monkeypatch.setattr(Book, "rows", wrong)


def require_refused(watch: Watch, *ids: int) -> None:
    """AssertionError unless these trades were put aside, and all others came."""
    assert [decode(one.raw, Tick).trade_id for one in watch.rejected] == [*ids]
    assert all("s ahead of it" in one.reason for one in watch.rejected)
    assert max(tick.event_us - tick.received_us for tick in watch.ticks) < 2 * SECOND
    known = {tick.trade_id for tick in watch.ticks if tick.symbol == "BTCUSDT"} | {*ids}
    assert known == set(range(min(known), max(known) + 1))


def test_a_repaired_trade_from_ahead_is_refused_as_one_of_the_stream_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run() -> None:
        async with watching() as watch:
            await watch.running()
            first = watch.venue.book.market.head("BTCUSDT", clock.now_us() / 1000)
            bad = range(first + 200, first + 203)
            dated_ahead(monkeypatch, *bad)
            watch.venue.inject(faults.Skip(symbol="BTCUSDT", count=600))
            await watch.settled()
            await watch.until(lambda: len(watch.rejected) == 3, "three refused trades")
            await watch.until(lambda: not watch.ticks[-1].repaired, "the stream goes on")
            require_refused(watch, *bad)

    asyncio.run(run())


def test_a_trade_of_the_history_from_ahead_is_refused_and_ends_no_history(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run() -> None:
        began_us = clock.now_us()
        async with watching(40.0, past_us=3 * MINUTE, PAIRSTREAM_HISTORY_MINUTES="1") as watch:
            bad = watch.venue.book.market.head("BTCUSDT", clock.now_us() / 1000) - 500
            dated_ahead(monkeypatch, bad)
            await watch.until(
                lambda: watch.ticks and watch.ticks[-1].event_us > began_us + SECOND, "live trades"
            )
            require_refused(watch, bad)
            assert watch.events("gap_found") == []
            assert not any(tick.repaired for tick in watch.ticks)

    asyncio.run(run())
