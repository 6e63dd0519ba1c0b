import pytest

from services.common.pairs import Pair, parse_symbol


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
