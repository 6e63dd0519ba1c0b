"""Venue of each symbol."""

import asyncio

import pytest

from services.common.errors import FatalError
from services.common.settings import load
from services.ingest.settings import IngestSettings
from services.ingest.venues import registry


@pytest.mark.parametrize(
    ("symbol", "name"), [("BTCUSDT", "binance"), ("BTCUSDT_261225", "binance"), ("BTCUSDT.OKX", "okx")]
)
def test_the_suffix_names_the_venue(symbol: str, name: str) -> None:
    assert registry.venue_of(symbol) == name


@pytest.mark.parametrize("symbol", ["BTCUSDT.BYBIT", "BTCUSDT.BINANCE"])
def test_a_venue_that_we_do_not_have_is_refused(symbol: str) -> None:
    with pytest.raises(FatalError, match=f"PAIRSTREAM_SYMBOLS: expected .*X.OKX, received {symbol}"):
        registry.venue_of(symbol)


def test_symbols_are_grouped_in_their_order() -> None:
    groups = registry.by_venue(["ETHUSDT.OKX", "BTCUSDT", "BTCUSDT.OKX", "ETHUSDT"])
    assert groups == {"okx": ["ETHUSDT.OKX", "BTCUSDT.OKX"], "binance": ["BTCUSDT", "ETHUSDT"]}


def test_only_the_venues_of_the_symbols_are_opened() -> None:
    async def names(symbols: str) -> list[str]:
        async with registry.opened(load(IngestSettings, {"PAIRSTREAM_SYMBOLS": symbols})) as opened:
            assert all(venue.name == name for name, venue in opened.items())
            return list(opened)

    assert asyncio.run(names("BTCUSDT")) == ["binance"]
    assert asyncio.run(names("BTCUSDT,BTCUSDT.OKX")) == ["binance", "okx"]
