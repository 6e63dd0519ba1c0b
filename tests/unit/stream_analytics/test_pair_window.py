"""Self-descriptions of signals: errors, ranks, outliers, and minute statistics of the whole window."""

from functools import cache

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from services.common.clock import MINUTE, SECOND
from services.contracts.messages import LegTrade, Method, PairConfig, Signal
from services.quant.correlation.hayashi_yoshida import hayashi_yoshida
from services.quant.estimators.registry import ESTIMATORS
from services.quant.reversion import judge
from services.stream_analytics.corrections import Outcome
from services.stream_analytics.minute_statistics import NEVER, measure, phase_us
from tests.unit.stream_analytics.made_tape import closed, partition, run, tape

WINDOW = 60
CONFIG = PairConfig(pair="ETHUSDT-BTCUSDT", window=WINDOW, min_samples=30)
_SECONDS = 700
_OF_A_MINUTE = (
    "return_correlation",
    "return_correlation_clipped",
    "lead_lag_s",
    "reversion",
    "cointegration_p",
    "half_life_s",
    "half_life_low_s",
    "half_life_high_s",
)


@cache
def said(method: Method = "ols") -> list[Signal]:
    """Return the signals of a tape, one after the other."""
    found = run(tape(3, _SECONDS), structs.replace(CONFIG, method=method))
    return [one.signal for one in found]


def with_a_wick(at: int, symbol: str = "ETHUSDT") -> list[Signal]:
    """Return the signals of the tape with one price of a leg 5 % off, the last one of a second."""
    trades = tape(3, _SECONDS)
    numbers = [n for n, one in enumerate(trades) if one.symbol == symbol and one.event_us < at * SECOND]
    one = trades[numbers[-1]]
    assert one.price is not None
    trades[numbers[-1]] = structs.replace(one, price=one.price * 1.05)
    return [one.signal for one in run(trades, CONFIG)]


def test_the_errors_of_the_line_are_those_of_statsmodels() -> None:
    signals = said()
    for number in range(WINDOW + 1, _SECONDS - 1, 37):
        before, signal = signals[number - WINDOW : number], signals[number]
        y, x = np.array([(one.y_price, one.x_price) for one in before]).T
        model = sm.OLS(y, sm.add_constant(x)).fit()
        assert signal.hedge_ratio_se == pytest.approx(model.bse[1], rel=1e-6)
        assert signal.r_squared == pytest.approx(model.rsquared, abs=1e-8)
        assert signal.price_correlation == signal.correlation


def test_a_rank_is_among_every_fifth_second_before() -> None:
    signals = said()
    for number in range(0, len(signals), 41):
        signal = signals[number]
        sizes = [
            np.float32(abs(one.zscore))
            for one in signals[:number]
            if one.zscore is not None and one.event_us % (5 * SECOND) == 0
        ]
        if signal.zscore is None or len(sizes) < 60:
            assert signal.zscore_rank is None
        else:
            assert signal.zscore_rank == np.mean(np.array(sizes) < abs(signal.zscore))


def test_what_is_found_once_a_minute_is_that_of_the_window() -> None:
    signals, phase = said(), phase_us(CONFIG.pair)
    before, seen = None, 0
    for number, signal in enumerate(signals):
        at_us = signal.event_us
        if number >= WINDOW and (at_us - phase) % MINUTE == 0:
            window = signals[number - WINDOW + 1 : number + 1]
            y, x = np.array([(one.y_price, one.x_price) for one in window]).T
            before = judge(before, np.array([one.event_us for one in window]), y, x, WINDOW * SECOND)
            after = signals[number + 1]
            assert after.cointegration_p == pytest.approx(before.p_value, rel=1e-5)
            assert after.half_life_low_s == (before.low and pytest.approx(before.low, rel=1e-5))
            assert after.reversion == before.state
            seen += 1
    assert seen >= 9


def test_between_two_minutes_it_stays() -> None:
    signals, phase = said(), phase_us(CONFIG.pair)
    for one, after in zip(signals[WINDOW:], signals[WINDOW + 1 :], strict=False):
        if (one.event_us - phase) % MINUTE:
            assert [getattr(after, name) for name in _OF_A_MINUTE] == [
                getattr(one, name) for name in _OF_A_MINUTE
            ]


def test_the_correlation_of_returns_is_of_the_trades_at_their_own_times() -> None:
    trades, signals, phase = tape(3, _SECONDS), said(), phase_us(CONFIG.pair)

    def last(symbol: str, end_us: int) -> LegTrade:
        return max(
            (one for one in trades if one.symbol == symbol and one.price and one.event_us < end_us),
            key=lambda one: one.event_us,
        )

    number = next(
        n for n, one in enumerate(signals) if n >= 2 * WINDOW and (one.event_us - phase) % MINUTE == 0
    )
    ends = [one.event_us for one in signals[number - WINDOW + 1 : number + 1]]
    y, x = ([last(symbol, end) for end in ends] for symbol in ("ETHUSDT", "BTCUSDT"))
    expected = hayashi_yoshida(
        *(
            np.array(column)
            for leg in (y, x)
            for column in zip(*((t.event_us, t.price) for t in leg), strict=True)
        )
    )
    assert signals[number + 1].return_correlation == pytest.approx(expected.value, abs=1e-6)


def test_a_correlation_of_returns_beyond_1_is_clipped_and_says_so() -> None:
    # Three returns of x overlap the one of y, and it each of them.
    times = [(1, 0, 1), (1, 2, 3), (1, 3, 4), (1, 4, 5), (5, 6, 7)]
    legs = [1.0, 1.1, 1.21, 1.331, 1.4641], [1.0, 1.0, 1.0, 1.0, 2.0]
    clipped = measure(NEVER, 0, times, legs, "price", SECOND)
    assert (clipped.return_correlation, clipped.return_correlation_clipped) == (1, True)
    calm = measure(
        NEVER, 0, [(at, at, at) for at in range(3)], ([1.0, 2.0, 1.0], [1.0, 1.1, 1.2]), "price", SECOND
    )
    assert not calm.return_correlation_clipped


@pytest.mark.parametrize("symbol", ["ETHUSDT", "BTCUSDT"])
def test_a_wick_is_an_outlier_and_is_counted_while_it_is_in_the_window(symbol: str) -> None:
    signals = {one.event_us: one for one in with_a_wick(200, symbol)}
    assert [at for at, one in signals.items() if one.outlier] == [200 * SECOND]
    counted = [at for at, one in signals.items() if one.outliers]
    assert counted == [at * SECOND for at in range(201, 201 + WINDOW)]
    assert {signals[at].outliers for at in counted} == {1}
    assert {one.quality for one in signals.values() if one.samples >= 30} == {"ok"}


@pytest.mark.parametrize("symbol", ["ETHUSDT", "BTCUSDT"])
def test_a_wick_of_a_leg_that_stands_still_is_one_though_there_are_no_numbers_yet(symbol: str) -> None:
    trades = [
        structs.replace(one, price=one.price and 3_000.0) if one.symbol == symbol else one for one in tape(3)
    ]
    seconds = {one.event_us // SECOND: n for n, one in enumerate(trades) if one.symbol == symbol}
    at = next(second for second in seconds if second >= 60 and second + 1 in seconds)
    trades[seconds[at]] = structs.replace(trades[seconds[at]], price=3_150.0)
    found = run(trades, structs.replace(CONFIG, window=40))
    signals = {one.signal.event_us // SECOND - at: one.signal for one in found}
    assert [after for after, one in signals.items() if one.outlier] == [1]
    assert (signals[1].quality, signals[2].quality) == ("not_enough_data", "ok")
    assert [after for after, one in signals.items() if one.outliers] == list(range(2, 42))


def test_what_has_no_numbers_has_none_of_these() -> None:
    for signal in said()[:30]:
        assert signal.quality == "not_enough_data"
        assert {getattr(signal, name) for name in (*_OF_A_MINUTE, "zscore_rank", "r_squared")} == {
            None,
            False,
        }


@settings(max_examples=20, deadline=None)
@given(cut=st.integers(0, 4_000), method=st.sampled_from(sorted(ESTIMATORS)))
def test_who_goes_on_from_a_stored_state_says_the_same_to_the_bit(cut: int, method: Method) -> None:
    config, trades = structs.replace(CONFIG, method=method), tape(3, _SECONDS)
    stored: dict[bytes, bytes] = {}
    first = partition(config, store=stored)
    before = closed(first.take(trades[:cut])[0])
    first.save()
    second = partition(config, store=stored)
    # What is not stored is read again, and more.
    after: list[Outcome] = closed(second.take(trades)[0])
    signals = {one.signal.event_us: one.signal for one in before}
    assert all(signals.setdefault(one.signal.event_us, one.signal) == one.signal for one in after)
    assert list(signals.values()) == said(method)
