"""Forms in which people and tools write symbols and pairs."""

from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.contracts.pairs import Pair, is_symbol
from services.contracts.symbol_forms import market_pair, market_symbol, spelled_symbol
from tests.unit.contracts.test_pairs import SYMBOLS

FORMS = [
    ("BTC/USDT:USDT", "BTCUSDT"),
    ("BTC-USDT-SWAP", "BTCUSDT"),
    ("BTC-USD-SWAP", "BTCUSD_PERP"),
    ("BINANCE:BTCUSDT.P", "BTCUSDT"),
    ("BTCUSDT_PERP", "BTCUSDT"),
    ("BTCUSD_PERP", "BTCUSD_PERP"),
    ("BTCUSDT.P", "BTCUSDT"),
    ("BTCUSDT.PERP", "BTCUSDT"),
    ("btcusdt", "BTCUSDT"),
    ("BTC/USDT", "BTCUSDT"),
    ("BTC_USDT", "BTCUSDT"),
    ("BTC/USDT:USDT-261225", "BTCUSDT_261225"),
    ("BTCUSDT_261225", "BTCUSDT_261225"),
    ("BTCUSDT.OKX", "BTCUSDT.OKX"),
    ("币安人生/USDT:USDT", "币安人生USDT"),
    ("1000PEPE-USDT-SWAP", "1000PEPEUSDT"),
    ("GOLD-26", "GOLD-26"),
    ("A.B_C-D", "A.B_C-D"),
]


@pytest.mark.parametrize(("text", "symbol"), FORMS)
def test_a_form_is_read(text: str, symbol: str) -> None:
    assert market_symbol(f" {text.lower()} ") == market_symbol(text) == symbol
    # A symbol of the store is meant as it is written.
    if is_symbol(text.upper()):
        assert market_symbol(text, {text.upper()}) == text.upper()
        assert spelled_symbol(text) == text.upper()
    else:
        assert spelled_symbol(text) == symbol


@pytest.mark.parametrize("text", ["", " ", "A", "-", "BTC USDT PERP X!", "BTC--USDT", "a/b/c//", "X" * 70])
def test_what_is_no_symbol_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a symbol"):
        market_symbol(text)


@pytest.mark.parametrize(("y", "of_y"), FORMS)
@pytest.mark.parametrize(("x", "of_x"), [("ETH/USDT:USDT", "ETHUSDT"), ("SILVER-26", "SILVER-26")])
def test_a_pair_of_forms_is_read(y: str, of_y: str, x: str, of_x: str) -> None:
    assert market_pair(f"{y}--{x}") == Pair(of_y, of_x)
    assert market_pair(f"{x}--{y}".lower()) == Pair(of_x, of_y)


@pytest.mark.parametrize(
    "text",
    [
        "ETH-USDT-BTC-USDT",
        "ETHUSDT-BTC/USDT:USDT",
        "ETH-USDT-SWAP-BTCUSDT",
        "eth/usdt-btc/usdt",
        "ETHUSDT.P-BTCUSDT.P",
    ],
)
def test_a_pair_joined_by_one_hyphen_is_read_where_it_can_be_but_one(text: str) -> None:
    assert market_pair(text) == Pair("ETHUSDT", "BTCUSDT")


@pytest.mark.parametrize(
    "text", ["GOLD-26-SILVER-26", "A-B-C", "", "BTCUSDT", "BTCUSDT-", "BTCUSDT-BTC/USDT"]
)
def test_what_may_be_several_pairs_or_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        market_pair(text)


def test_known_symbols_tell_how_a_pair_is_meant() -> None:
    known = {"GOLD-26", "BTC-USDT", "BTCUSDT"}
    assert market_pair("GOLD-26-BTC-USDT", known) == Pair("GOLD-26", "BTC-USDT")
    assert market_pair("gold-26-btcusdt", known) == Pair("GOLD-26", "BTCUSDT")


@given(SYMBOLS, SYMBOLS)
def test_known_symbols_are_never_read_otherwise(y: str, x: str) -> None:
    assume(y != x)
    assert market_symbol(y.lower(), {y, x}) == y or y.lower().upper() != y
    assert market_pair(str(Pair(y, x)), {y, x}) == Pair(y, x)


@given(st.text(max_size=80))
def test_whatever_is_read_is_a_symbol(text: str) -> None:
    with suppress(ValueError):
        assert is_symbol(market_symbol(text))
        assert is_symbol(spelled_symbol(text))
