import pytest

from services.contracts.pairs import Pair, parse_symbol


def test_a_pair_reads_y_then_x() -> None:
    assert Pair.parse("ETHUSDT-BTCUSDT") == Pair(y="ETHUSDT", x="BTCUSDT")
    assert str(Pair.parse("BTCUSDT-ETHUSDT")) == "BTCUSDT-ETHUSDT"
    assert Pair.parse("ETHUSDT-BTCUSDT") != Pair.parse("BTCUSDT-ETHUSDT")


@pytest.mark.parametrize("text", ["", "ETHUSDT", "A-B-C", "ETHUSDT-", "-BTCUSDT", "ETH/USDT-BTCUSDT"])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a"):
        Pair.parse(text)


def test_a_quarterly_future_is_a_symbol() -> None:
    assert parse_symbol("btcusdt_260327") == "BTCUSDT_260327"


@pytest.mark.parametrize("symbol", ["币安人生USDT", "ÄÖUSDT", "BTCUSD_PERP"])
def test_a_symbol_is_what_the_venue_lists(symbol: str) -> None:
    assert parse_symbol(symbol.lower()) == symbol
    assert Pair.parse(f"{symbol}-BTCUSDT") == Pair(y=symbol, x="BTCUSDT")


@pytest.mark.parametrize("symbol", ["BTCUSDT.OKX", "1INCHUSDC.OKX", "BTCUSDT_260327.BYBIT"])
def test_a_symbol_of_another_venue_has_a_suffix(symbol: str) -> None:
    assert parse_symbol(symbol.lower()) == symbol
    assert Pair.parse(f"{symbol}-BTCUSDT") == Pair(y=symbol, x="BTCUSDT")
    assert str(Pair.parse(f"BTCUSDT-{symbol}")) == f"BTCUSDT-{symbol}"


def test_the_same_future_on_two_venues_is_two_symbols() -> None:
    assert Pair.parse("BTCUSDT.OKX-BTCUSDT") == Pair(y="BTCUSDT.OKX", x="BTCUSDT")
    with pytest.raises(ValueError, match="two different symbols"):
        Pair.parse("BTCUSDT.OKX-btcusdt.okx")


@pytest.mark.parametrize(
    "symbol", ["BTCUSDT.", ".OKX", "BTCUSDT.X", "BTCUSDT.OKX.OKX", "BTCUSDT.OKX1", "A.OKX"]
)
def test_what_is_no_suffix_is_refused(symbol: str) -> None:
    with pytest.raises(ValueError, match="expected a symbol"):
        parse_symbol(symbol)
