import math
from itertools import pairwise
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quant.fit import NotEnoughDataError
from services.quant.hayashi_yoshida import HayashiYoshida, TickCorrelation

Leg = Literal["y", "x"]
Ticks = list[tuple[Leg, int, float]]
Interval = tuple[int, int, float]

# Few instants, so that ticks of one instant, of one leg or of both, are common.
ticks_of_pairs = st.lists(
    st.tuples(st.sampled_from(["y", "x"]), st.integers(0, 60), st.floats(1e-2, 1e6)), max_size=80
).map(lambda ticks: sorted(ticks, key=lambda tick: tick[1]))


def intervals(ticks: Ticks, leg: Leg, after: int) -> list[Interval]:
    """Return (begin, end, log return] of a leg's ticks after an instant; the last of an instant counts."""
    prices = {time: price for name, time, price in ticks if name == leg and time > after}
    points = [(time, math.log(price)) for time, price in prices.items()]
    return [(s, t, b - a) for (s, a), (t, b) in pairwise(points)]


def brute_force(ticks: Ticks, span: int, now: int) -> float | None:
    """Return the estimator as it is defined: every interval with every other."""
    of_y, of_x = (intervals(ticks, leg, now - span) for leg in ("y", "x"))
    covariance = sum(a * b for s, t, a in of_y for u, v, b in of_x if max(s, u) < min(t, v))
    squares = [sum(change**2 for *_, change in leg) for leg in (of_y, of_x)]
    return covariance / math.sqrt(squares[0]) / math.sqrt(squares[1]) if all(squares) else None


def value(estimator: HayashiYoshida) -> TickCorrelation | None:
    try:
        return estimator.get()
    except NotEnoughDataError:
        return None


@settings(max_examples=300, deadline=None)
@given(ticks_of_pairs, st.integers(1, 70))
def test_it_equals_the_quadratic_sum_after_every_tick(ticks: Ticks, span: int) -> None:
    estimator = HayashiYoshida(span)
    for number, (leg, time, price) in enumerate(ticks, start=1):
        estimator.update(leg, time, price)
        expected = brute_force(ticks[:number], span, time)
        result = value(estimator)
        assert (result is None) == (expected is None)
        if result is not None and expected is not None:
            assert result.raw == pytest.approx(expected, rel=1e-9, abs=1e-9)
            assert result.intervals_y == len(intervals(ticks[:number], "y", time - span))
            assert result.intervals_x == len(intervals(ticks[:number], "x", time - span))


@settings(max_examples=100, deadline=None)
@given(ticks_of_pairs, st.integers(1, 70))
def test_nothing_stays_of_what_left_the_window(ticks: Ticks, span: int) -> None:
    """An estimator that knows only the ticks of the window says the same, to the last bit."""
    estimator, later = HayashiYoshida(span), HayashiYoshida(span)
    for tick in ticks:
        estimator.update(*tick)
    for tick in ticks:
        if tick[1] > ticks[-1][1] - span:
            later.update(*tick)
    assert value(estimator) == value(later)


def stream(n: int, seed: int) -> Ticks:
    random = np.random.default_rng(seed)
    times = np.sort(random.choice(50 * n, n, replace=False)).tolist()
    logs = np.cumsum(random.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], n) * 1e-4, axis=0)
    legs = random.choice(["y", "x"], n, p=[0.7, 0.3])
    return [
        (leg, time, 1e5 * math.exp(log[0 if leg == "y" else 1]))
        for leg, time, log in zip(legs.tolist(), times, logs, strict=True)
    ]


def test_an_absurd_price_leaves_no_trace_after_it_left_the_window() -> None:
    ticks = stream(3_000, 1)
    soiled = [*ticks]
    soiled[1_000] = (ticks[1_000][0], ticks[1_000][1], 1e9)
    clean, other = HayashiYoshida(20_000), HayashiYoshida(20_000)
    for tick in ticks:
        clean.update(*tick)
    for tick in soiled:
        other.update(*tick)
    assert clean.get() == other.get()


def test_it_finds_the_correlation_where_sampling_does_not() -> None:
    ticks = stream(40_000, 2)
    estimator = HayashiYoshida(10**9)
    for tick in ticks:
        estimator.update(*tick)
    assert estimator.get().value == pytest.approx(0.6, abs=0.03)
    # One sample for every tick or so, with the last price of each leg.
    last = {"y": ticks[0][2], "x": ticks[0][2]}
    samples = []
    for leg, _, price in ticks:
        last[leg] = price
        samples.append((last["y"], last["x"]))
    returns = np.diff(np.log(samples[100:]), axis=0)
    assert abs(np.corrcoef(returns.T)[0, 1]) < 0.2


def test_changing_the_future_changes_nothing_in_the_past() -> None:
    ticks = stream(200, 3)
    one, other = HayashiYoshida(2_000), HayashiYoshida(2_000)
    for number, tick in enumerate(ticks):
        one.update(*tick)
        other.update(*(tick if number < 120 else (tick[0], tick[1], 7.0)))
        assert number >= 120 or value(one) == value(other)
    assert value(one) != value(other)


def test_a_value_outside_of_its_range_is_clipped_and_flagged() -> None:
    estimator = HayashiYoshida(1_000)
    # Three returns of x overlap the one of y, and it each of them.
    for leg, time, price in [("x", 0, 1.0), ("y", 1, 1.0), ("x", 2, 1.1), ("x", 3, 1.21), ("x", 4, 1.331)]:
        estimator.update("y" if leg == "y" else "x", time, price)
    estimator.update("y", 5, 2.0)
    estimator.update("x", 6, 1.4641)
    result = estimator.get()
    assert (result.value, result.clipped) == (1, True)
    assert result.raw == pytest.approx(2)
    assert (result.intervals_y, result.intervals_x) == (1, 4)


def test_time_alone_empties_the_window() -> None:
    estimator = HayashiYoshida(100)
    for leg, time in (("y", 0), ("x", 0), ("y", 10), ("x", 10)):
        estimator.update("y" if leg == "y" else "x", time, 2.0 + time)
    assert estimator.get().value == pytest.approx(1)
    estimator.advance(100)
    with pytest.raises(NotEnoughDataError, match="y did not move"):
        estimator.get()


def test_what_it_cannot_take_is_refused() -> None:
    estimator = HayashiYoshida(100)
    estimator.update("y", 50, 1.0)
    with pytest.raises(ValueError, match="in order of time, received 49 after 50"):
        estimator.update("x", 49, 1.0)
    with pytest.raises(ValueError, match="a price above 0, received 0"):
        estimator.update("x", 51, 0.0)
    with pytest.raises(ValueError, match="at least 1 µs, received 0"):
        HayashiYoshida(0)
