"""Search among listed symbols."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.queries.symbol_search import best_first
from services.contracts.listings import Listing

LISTED = [
    Listing(symbol="BTCUSDT.OKX", venue="okx", base="BTC", quote="USDT"),
    Listing(symbol="BTCUSDT_261225", venue="binance", base="BTC", quote="USDT", delivery_us=1),
    Listing(symbol="BTCUSDC", venue="binance", base="BTC", quote="USDC"),
    Listing(symbol="BTCUSDT", venue="binance", base="BTC", quote="USDT"),
    Listing(symbol="BTCDOMUSDT", venue="binance", base="BTCDOM", quote="USDT"),
    Listing(symbol="1000PEPEUSDT", venue="binance", base="1000PEPE", quote="USDT"),
    Listing(symbol="币安人生USDT", venue="binance", base="币安人生", quote="USDT"),
    Listing(symbol="ETHBTC", venue="binance", base="ETH", quote="BTC"),
    Listing(symbol="LUNAUSDT", venue="binance", base="LUNA", quote="USDT", status="halted"),
    Listing(symbol="LUNAUSDC", venue="binance", base="LUNA", quote="USDC"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("btcusdt", ["BTCUSDT", "BTCUSDT.OKX", "BTCUSDT_261225"]),
        ("btc", ["BTCUSDT", "BTCUSDT.OKX", "BTCUSDT_261225", "BTCUSDC", "BTCDOMUSDT", "ETHBTC"]),
        ("BTC/USDT:USDT", ["BTCUSDT"]),
        ("BTC-USDT-SWAP", ["BTCUSDT"]),
        ("BINANCE:BTCUSDT.P", ["BTCUSDT"]),
        ("xbt usdt", ["BTCUSDT"]),
        ("bitcoin", ["BTCUSDT"]),
        ("pepe", ["1000PEPEUSDT"]),
        ("币安", ["币安人生USDT"]),
        ("btcustd", ["BTCUSDT"]),
        ("luna", ["LUNAUSDC", "LUNAUSDT"]),
        ("   ", []),
        ("qqqqq", []),
    ],
)
def test_the_best_comes_first(text: str, expected: list[str]) -> None:
    assert [one.symbol for one in best_first(LISTED, text)][: len(expected)] == expected
    if not expected:
        assert best_first(LISTED, text) == []


@given(st.text(max_size=30))
def test_any_text_is_searched(text: str) -> None:
    found = best_first(LISTED, text)
    assert len({one.symbol for one in found}) == len(found)
