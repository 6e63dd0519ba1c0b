"""Rates of trades: those of the last minute, whatever came before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.messages import TradeRate
from services.ingest.trade_rates import TradeRates

Second = tuple[list[tuple[float, float]], float]
SECONDS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.floats(0.01, 1e5), st.floats(1e-6, 1e3)), max_size=5), st.floats(0.5, 20.0)
    ),
    min_size=2,
    max_size=100,
)


@given(SECONDS)
def test_they_are_those_of_the_trades_since_the_oldest_mark_of_the_last_minute(seconds: list[Second]) -> None:
    rates, now_s = TradeRates(), 1_000.0
    rates.count("BTCUSDT", 1.0, 1.0)
    rates.mark(now_s)
    marks, counted = [now_s], list[tuple[float, float]]()
    for trades, took_s in seconds:
        now_s += took_s
        for price, size in trades:
            rates.count("BTCUSDT", price, size)
            counted.append((now_s, price * size))
        rates.mark(now_s)
        marks.append(now_s)
    began_s = min(at_s for at_s in marks if at_s >= now_s - 60)
    within = [volume for at_s, volume in counted if at_s > began_s]
    found = rates.by_symbol()["BTCUSDT"]
    assert found.trades == pytest.approx(len(within) / (now_s - began_s))
    assert found.quote_volume == pytest.approx(sum(within) / (now_s - began_s), rel=1e-6, abs=1e-3)


def test_a_symbol_that_is_silent_has_rates_of_0_until_it_is_dropped() -> None:
    rates = TradeRates()
    rates.count("BTCUSDT", 100.0, 2.0)
    rates.mark(0.0)
    assert rates.by_symbol() == {}
    rates.count("BTCUSDT", 100.0, 2.0)
    rates.mark(10.0)
    assert rates.by_symbol() == {"BTCUSDT": TradeRate(0.1, 20.0, 100.0)}
    for second in range(11, 90):
        rates.mark(float(second))
    assert rates.by_symbol() == {"BTCUSDT": TradeRate(0.0, 0.0, 100.0)}
    rates.drop("BTCUSDT")
    rates.drop("BTCUSDT")
    assert rates.by_symbol() == {}
