import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quant.estimators.huber import Huber, median
from services.quant.estimators.ols import Ols
from tests.unit.quant.series import samples, seeds


@settings(max_examples=25, deadline=None)
@given(
    seed=seeds, n=st.integers(20, 200), level=st.sampled_from([1.0, 100.0, 1e4]), outliers=st.integers(0, 3)
)
def test_the_fit_equals_statsmodels(seed: int, n: int, level: float, outliers: int) -> None:
    random = np.random.default_rng(seed)
    x = level + np.cumsum(random.normal(size=n))
    y = 3 + 2 * x + random.standard_t(3, n)
    y[:outliers] += 1e4
    estimator = Huber(n)
    for b, a in samples(y, x):
        estimator.update(b, a)
    fit = estimator.get()
    # Centred: statsmodels loses digits when x is far from 0.
    expected = sm.RLM(y, sm.add_constant(x - x.mean()), sm.robust.norms.HuberT()).fit(maxiter=500, tol=1e-12)
    assert fit.hedge_ratio == pytest.approx(expected.params[1], abs=1e-6 * expected.bse[1])
    assert fit.intercept + fit.hedge_ratio * x.mean() == pytest.approx(
        expected.params[0], abs=1e-6 * expected.scale
    )
    assert fit.scale == pytest.approx(expected.scale, rel=1e-6)
    assert fit.hedge_ratio_se == pytest.approx(expected.bse[1], rel=1e-6)


def test_outliers_of_y_hardly_matter() -> None:
    random = np.random.default_rng(4)
    x = 100 + np.cumsum(random.normal(size=300))
    y = 3 + 2 * x + random.normal(size=300)
    y[::20] = 1e9
    huber, ols = Huber(300), Ols(300)
    for b, a in samples(y, x):
        huber.update(b, a)
        ols.update(b, a)
    assert huber.get().hedge_ratio == pytest.approx(2, abs=0.1)
    assert huber.get().scale == pytest.approx(1, abs=0.2)
    assert abs(ols.get().hedge_ratio - 2) > 1e4


def test_more_than_half_on_a_line_leave_no_scale() -> None:
    estimator = Huber(50)
    for number in range(50):
        estimator.update(2.0 * number + (50 if number == 7 else 0), float(number))
    fit = estimator.get()
    assert fit.hedge_ratio == pytest.approx(2, abs=1e-9)
    assert fit.intercept == pytest.approx(0, abs=1e-9)
    assert fit.scale == pytest.approx(0, abs=1e-9)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_the_median_is_numpys(values: list[float]) -> None:
    assert median(values) == pytest.approx(float(np.median(values)))
