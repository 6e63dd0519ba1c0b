"""Fake venue on loopback: the routes of Binance USD-M futures that ingest uses, on one port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.fake_venue.market import Market
from tests.fake_venue.venue import FakeVenue

__all__ = ["FakeVenue", "Market", "fake_venue"]


@asynccontextmanager
async def fake_venue(market: Market | None = None, **symbols: str) -> AsyncIterator[FakeVenue]:
    """Yield a listening venue; without `symbols` it trades those of the market, or BTCUSDT and ETHUSDT."""
    trading = dict.fromkeys(market.rates if market else ("BTCUSDT", "ETHUSDT"), "TRADING")
    venue = FakeVenue(symbols or trading, market)
    async with venue.running():
        yield venue
