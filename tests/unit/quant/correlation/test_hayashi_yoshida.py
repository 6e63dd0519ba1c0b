import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.quant.correlation.hayashi_yoshida import LeadLag, Times, Values, hayashi_yoshida, lead_lag
from services.quant.fit import NotEnoughDataError

Ticks = list[tuple[int, float]]
Interval = tuple[int, int, float]
Legs = tuple[Times, Values, Times, Values]

# Few instants, so that ticks of one instant, of one leg or of both, are common; and prices that stand still.
ticks = st.lists(
    st.tuples(st.integers(0, 60), st.one_of(st.floats(1e-2, 1e6), st.sampled_from([1.0, 2.0]))), max_size=40
).map(lambda ticks: sorted(ticks, key=lambda tick: tick[0]))


def intervals(ticks: Ticks) -> list[Interval]:
    """Return (begin, end, log return] of a leg's ticks; the last of an instant counts."""
    points = [(time, math.log(price)) for time, price in dict(ticks).items()]
    return [(s, t, b - a) for (s, a), (t, b) in pairwise(points)]


def brute_force(y: Ticks, x: Ticks, lag: int) -> tuple[float, float] | None:
    """Return the estimator and its variance as they are defined: every interval with every other."""
    of_y, of_x = intervals(y), intervals(x)
    products = [a * b for s, t, a in of_y for u, v, b in of_x if max(s, u - lag) < min(t, v - lag)]
    size = math.prod(math.sqrt(sum(change**2 for *_, change in leg)) for leg in (of_y, of_x))
    return (sum(products) / size, sum(product**2 for product in products) / size**2) if size else None


def arrays(y: Ticks, x: Ticks) -> Legs:
    times = [np.array([time for time, _ in leg], np.int64) for leg in (y, x)]
    prices = [np.array([price for _, price in leg], np.float64) for leg in (y, x)]
    return times[0], prices[0], times[1], prices[1]


@settings(max_examples=300, deadline=None)
@given(ticks, ticks)
def test_it_equals_the_quadratic_sum(y: Ticks, x: Ticks) -> None:
    # A step in the last bit is one to us, and none to a difference of logarithms.
    assume(not any(0 < abs(price / leg[0][1] - 1) < 1e-12 for leg in (y, x) for _, price in leg))
    expected = brute_force(y, x, 0)
    if expected is None:
        with pytest.raises(NotEnoughDataError):
            hayashi_yoshida(*arrays(y, x))
        return
    result = hayashi_yoshida(*arrays(y, x))
    assert result.raw == pytest.approx(expected[0], rel=1e-9, abs=1e-9)
    assert (result.intervals_y, result.intervals_x) == (len(intervals(y)), len(intervals(x)))


@settings(max_examples=200, deadline=None)
@given(ticks, ticks, st.lists(st.integers(-70, 70), max_size=8, unique=True))
def test_the_lag_is_the_one_with_the_largest_quadratic_sum(y: Ticks, x: Ticks, lags: list[int]) -> None:
    sums = {lag: found for lag in [*lags, 0] if (found := brute_force(y, x, lag)) is not None}
    if not sums:
        return
    result = lead_lag(*arrays(y, x), np.array(lags, np.int64))
    largest = max(abs(value) for value, _ in sums.values())
    if result.lag_us:
        value, variance = sums[result.lag_us]
        assert abs(value) == pytest.approx(largest, rel=1e-9)
        assert value**2 > 1.96**2 * variance
    expected = largest if result.lag_us is None else abs(sums[result.lag_us][0])
    assert abs(result.correlation) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def market(n: int, seed: int, correlation: float, lead_us: int = 0) -> Legs:
    """Return `n` ticks of each leg, one a second on average, at instants of their own; y leads by `lead_us`."""
    random = np.random.default_rng(seed)
    steps = random.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], 10 * n + 200) * 1e-4
    levels = np.cumsum(steps, axis=0)
    at_y, at_x = (np.sort(random.choice(10 * n, n, replace=False)) + 100 for _ in range(2))
    y, x = levels[at_y, 0], levels[at_x - lead_us // 100_000, 1]
    return at_y * 100_000, 6e4 * np.exp(y), at_x * 100_000, 3e3 * np.exp(x)


def test_it_finds_the_correlation_where_sampling_does_not() -> None:
    y_us, y, x_us, x = market(20_000, 2, 0.6)
    assert hayashi_yoshida(y_us, y, x_us, x).value == pytest.approx(0.6, abs=0.03)
    # One sample for every tick or so, with the last price of each leg.
    times = np.arange(y_us[100], y_us[-100], 300_000)
    samples = [leg[np.searchsorted(leg_us, times, "right") - 1] for leg_us, leg in ((y_us, y), (x_us, x))]
    assert abs(np.corrcoef(np.diff(np.log(samples)))[0, 1]) < 0.25


def test_a_value_outside_of_its_range_is_clipped_and_flagged() -> None:
    # Three returns of x overlap the one of y, and it each of them.
    x = [(0, 1.0), (2, 1.1), (3, 1.21), (4, 1.331), (6, 1.4641)]
    result = hayashi_yoshida(*arrays([(1, 1.0), (5, 2.0)], x))
    assert (result.value, result.clipped) == (1, True)
    assert result.raw == pytest.approx(2)
    assert (result.intervals_y, result.intervals_x) == (1, 4)


SECONDS: NDArray[np.int64] = np.arange(-10, 11) * 1_000_000


@pytest.mark.parametrize("lead_us", [-3_000_000, 2_000_000])
@pytest.mark.parametrize("correlation", [0.8, -0.8])
def test_the_lag_is_above_0_where_y_leads(lead_us: int, correlation: float) -> None:
    result = lead_lag(*market(600, 5, correlation, lead_us), SECONDS)
    assert result.lag_us == lead_us
    assert result.correlation == pytest.approx(correlation, abs=0.15)
    assert result.reason is None


def test_each_leg_leads_by_as_much_as_the_other_follows() -> None:
    y_us, y, x_us, x = market(600, 5, 0.8, 2_000_000)
    one, other = lead_lag(y_us, y, x_us, x, SECONDS), lead_lag(x_us, x, y_us, y, SECONDS)
    assert one.lag_us == 2_000_000
    assert other.lag_us == -2_000_000
    assert one.correlation == pytest.approx(other.correlation)


def share(count: int, judge: Callable[[LeadLag], bool], correlation: float, lags: Times) -> float:
    return sum(judge(lead_lag(*market(300, seed, correlation), lags)) for seed in range(count)) / count


@pytest.mark.parametrize("lags", [SECONDS, SECONDS // 10], ids=["1s", "100ms"])
def test_independent_walks_seldom_have_a_lag(lags: Times) -> None:
    assert share(600, lambda found: found.lag_us is not None, 0.0, lags) <= 0.05
    # With a wider bound it could be wrong never and find nothing.
    assert share(100, lambda found: found.lag_us == 0, 0.6, lags) >= 0.9


@pytest.mark.parametrize("lags", [SECONDS, SECONDS // 10], ids=["1s", "100ms"])
def test_of_legs_that_move_at_once_seldom_one_leads(lags: Times) -> None:
    assert share(400, lambda found: bool(found.lag_us), 0.8, lags) <= 0.05


def test_a_reason_says_why_there_is_no_lag() -> None:
    by_chance = lead_lag(*market(300, 1, 0.0), SECONDS)
    assert by_chance.lag_us is None
    assert "comes by chance" in (by_chance.reason or "")
    found = (lead_lag(*market(300, seed, 0.25, 700_000), SECONDS) for seed in range(200))
    assert any("differ by chance" in (one.reason or "") for one in found)


def test_a_move_that_is_the_only_one_is_no_lag() -> None:
    """One product among nothing is always the whole of its sum: chance enough."""
    times = np.arange(100) * 1_000_000
    y, x = np.where(times < 50_000_000, 1.0, 1.1), np.where(times < 53_000_000, 1.0, 1.1)
    assert lead_lag(times, y, times, x, SECONDS).lag_us is None


def test_what_it_cannot_take_is_refused() -> None:
    times, prices = np.arange(3), np.array([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="y in order of time, received one that goes back"):
        hayashi_yoshida(times[::-1], prices, times, prices)
    for bad in (0.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="prices of x above 0, received one that is not"):
            hayashi_yoshida(times, prices, times, np.array([1.0, bad, 3.0]))
    with pytest.raises(ValueError, match="a time for each price of x, received 3 for 2"):
        lead_lag(times, prices, times, prices[:2], SECONDS)
    with pytest.raises(NotEnoughDataError, match="x traded at 1 instants, 2 are needed"):
        hayashi_yoshida(times, prices, np.zeros(3, np.int64), prices)
    with pytest.raises(NotEnoughDataError, match="y did not move"):
        hayashi_yoshida(times, np.ones(3), times, prices)
