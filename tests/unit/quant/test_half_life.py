import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.quant.fit import NotEnoughDataError
from services.quant.half_life import HalfLife, RollingHalfLife
from tests.unit.quant.series import Array, seeds


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
