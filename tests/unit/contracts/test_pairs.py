import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.contracts.pairs import MOST_CHARACTERS, PAIR, SYMBOL, Pair, is_pair, is_symbol, parse_symbol


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


@pytest.mark.parametrize(
    "symbol",
    ["币安人生USDT", "ÄÖUSDT", "BTCUSD_PERP", "1000PEPEUSDT", "4USDT", "ԲИTUSDT", "A.B_CUSDT", "ΣUSD"],
)
def test_a_symbol_is_what_the_venue_lists(symbol: str) -> None:
    assert parse_symbol(symbol.lower()) == symbol
    assert Pair.parse(f"{symbol}-BTCUSDT") == Pair(y=symbol, x="BTCUSDT")


@pytest.mark.parametrize("other", ["BTCUSDT", "SILVER-26", "币安-1"])
def test_a_pair_of_a_symbol_with_a_hyphen_is_joined_by_two(other: str) -> None:
    pair = Pair(y="GOLD-26-A", x=other)
    assert str(pair) == f"GOLD-26-A--{other}"
    assert Pair.parse(str(pair).lower()) == pair
    assert Pair.parse(f"{other}--GOLD-26-A") == Pair(y=other, x="GOLD-26-A")
    assert is_pair(str(pair))
    assert not is_pair(f"GOLD-26-A-{other}")
    # Written so, a pair that does not need it is the same pair.
    assert str(Pair.parse("ETHUSDT--BTCUSDT")) == "ETHUSDT-BTCUSDT"
    assert not is_pair("ETHUSDT--BTCUSDT")


SYMBOLS = st.from_regex(SYMBOL, fullmatch=True).map(str.upper).filter(is_symbol)


@given(SYMBOLS, SYMBOLS)
def test_every_pair_is_read_as_it_is_written(y: str, x: str) -> None:
    assert parse_symbol(y) == y
    assume(y != x)
    name = str(Pair(y, x))
    assert Pair.parse(name) == Pair(y, x)
    assert is_pair(name)
    assert PAIR.fullmatch(name)
    assert len(name) <= 2 * MOST_CHARACTERS + 2


@given(st.text(alphabet="AB-._", max_size=12))
def test_a_name_is_of_one_pair_alone(text: str) -> None:
    if is_pair(text):
        assert str(Pair.parse(text)) == text


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
    "symbol",
    [
        "BTCUSDT.",
        ".OKX",
        "A",
        "BTC..USDT",
        "BTC--USDT",
        "-BTC",
        "BTC_",
        "BTC USDT",
        "A/B",
        "=A1",
        "X" * 65,
        "A_" * 32 + "A",
    ],
)
def test_what_is_no_symbol_is_refused(symbol: str) -> None:
    with pytest.raises(ValueError, match="expected a symbol"):
        parse_symbol(symbol)
