import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.quant.fit import NotEnoughDataError
from services.quant.statistical_tests.half_life import (
    HalfLife,
    RollingHalfLife,
    half_life,
    half_life_interval,
)
from tests.unit.quant.series import Array, seeds

ENDLESS = 1e9
"""Instead of None, which is longer than any half-life."""


def autoregression(seed: int, n: int, coefficient: float) -> Array:
    spread = np.zeros(n)
    for number, shock in enumerate(np.random.default_rng(seed).normal(size=n - 1), start=1):
        spread[number] = coefficient * spread[number - 1] + shock
    return spread


def of(spread: Array, window: int) -> HalfLife:
    estimator = RollingHalfLife(window)
    for value in spread.tolist():
        estimator.update(value)
    return estimator.get()


@settings(max_examples=40, deadline=None)
@given(seed=seeds, n=st.integers(10, 150), window=st.integers(8, 120), coefficient=st.floats(-0.9, 1.1))
@example(seed=6, n=126, window=8, coefficient=1.09375)
@example(seed=4895, n=150, window=58, coefficient=1.0957681588590145)
def test_it_equals_the_autoregression_of_statsmodels(
    seed: int, n: int, window: int, coefficient: float
) -> None:
    spread = autoregression(seed, n, coefficient)
    result = of(spread, window)
    before, after = spread[:-1][-window:], spread[1:][-window:]
    expected = sm.OLS(after, sm.add_constant(before, has_constant="add")).fit()
    assert result.coefficient == pytest.approx(expected.params[1], rel=1e-8, abs=1e-9)
    assert result.standard_error == pytest.approx(expected.bse[1], rel=1e-6)
    if 0 < expected.params[1] < 1:
        assert result.samples == pytest.approx(np.log(0.5) / np.log(expected.params[1]), rel=1e-6)
    else:
        assert result.samples is None
        assert result.reason


def test_half_of_a_deviation_is_gone_after_it() -> None:
    result = of(np.power(0.9, np.arange(50.0)), 40)
    assert result.samples is not None
    assert 0.9**result.samples == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("spread", "reason"),
    [(np.power(1.1, np.arange(30.0)), "b is 1 or more"), (np.power(-0.5, np.arange(30)), "b is 0 or less")],
)
def test_what_does_not_revert_has_a_reason(spread: Array, reason: str) -> None:
    result = of(spread, 20)
    assert result.samples is None
    assert reason in str(result.reason)


def test_a_step_across_a_gap_is_no_step() -> None:
    spread = autoregression(1, 60, 0.5)
    whole, parted = RollingHalfLife(200), RollingHalfLife(200)
    for value in spread.tolist():
        whole.update(value)
        parted.update(value)
    parted.skip()
    parted.update(1e6)
    assert parted.get() == whole.get()


def test_a_spread_that_stands_still_is_said() -> None:
    with pytest.raises(NotEnoughDataError, match="did not move"):
        of(np.full(20, 0.3), 10)
    with pytest.raises(NotEnoughDataError, match="at least 3 observations, there are 2"):
        of(np.arange(3.0), 10)


def test_changing_the_future_changes_nothing_in_the_past() -> None:
    spread = autoregression(2, 60, 0.8).tolist()
    one, other = RollingHalfLife(20), RollingHalfLife(20)
    for number, value in enumerate(spread):
        one.update(value)
        other.update(value if number < 40 else 9.0)
        if 4 <= number < 40:
            assert one.get() == other.get()
    assert one.get() != other.get()


def test_a_whole_spread_is_one_window() -> None:
    spread = autoregression(3, 80, 0.7)
    assert half_life(spread) == of(spread, 79)
    assert half_life(spread).steps == 79


def ends(coefficient: float, steps: int, fitted: bool) -> tuple[float, float, float]:
    """Return low end, half-life, high end of an estimate."""
    found = half_life_interval(HalfLife(None, coefficient, 0.0, steps), fitted=fitted)
    low, middle, high = (ENDLESS if one is None else one for one in (found.low, found.samples, found.high))
    return low, middle, high


@settings(max_examples=200, deadline=None)
@given(
    coefficient=st.floats(-2, 2), more=st.floats(0, 0.2), steps=st.integers(30, 100_000), fitted=st.booleans()
)
def test_an_interval_holds_its_half_life_and_grows_with_the_coefficient(
    coefficient: float, more: float, steps: int, fitted: bool
) -> None:
    found = ends(coefficient, steps, fitted)
    assert 0 <= found[0] <= found[1] <= found[2]
    assert all(
        one <= other + 1e-9 for one, other in zip(found, ends(coefficient + more, steps, fitted), strict=True)
    )
    # A line that was fitted hides more of a half-life, so more is given back.
    assert ends(coefficient, steps, fitted=True)[1] >= ends(coefficient, steps, fitted=False)[1] - 1e-9


@pytest.mark.parametrize("fitted", [True, False])
@pytest.mark.parametrize(("steps", "rho"), [(100, 0.7), (500, 0.986), (500, 1.0)])
def test_an_interval_covers_the_truth_and_its_middle_is_unbiased(
    steps: int, rho: float, fitted: bool
) -> None:
    random = np.random.default_rng(7)
    truth = ENDLESS if rho == 1 else math.log(0.5) / math.log(rho)
    covered = longer = 0
    runs = 400
    for _ in range(runs):
        shocks = random.normal(size=steps + 1)
        shocks[0] /= math.sqrt(1 - rho * rho) if rho < 1 else 1
        spread = np.array(shocks)
        for number in range(1, steps + 1):
            spread[number] += rho * spread[number - 1]
        if fitted:
            line = np.vander(np.cumsum(random.normal(size=steps + 1)), 2)
            spread -= line @ np.linalg.lstsq(line, spread)[0]
        before, after = spread[:-1] - spread[:-1].mean(), spread[1:]
        low, middle, high = ends(float(before @ after / (before @ before)), steps, fitted)
        covered += low <= truth <= high
        longer += middle >= truth
    # Three standard errors of a share of 400.
    assert covered / runs == pytest.approx(0.975 if rho == 1 else 0.95, abs=0.035)
    assert longer / runs == pytest.approx(0.5, abs=0.075)


def test_the_textbook_half_life_is_too_short_and_the_interval_says_so() -> None:
    found = half_life(autoregression(11, 501, 0.986))
    corrected = half_life_interval(found, fitted=False)
    assert found.samples is not None
    assert corrected.samples is None or corrected.samples > found.samples
    assert half_life_interval(HalfLife(None, 1.05, 0.01, 500)) == (None, None, None)
    assert half_life_interval(HalfLife(None, -0.5, 0.01, 500)) == (0.0, 0.0, 0.0)
