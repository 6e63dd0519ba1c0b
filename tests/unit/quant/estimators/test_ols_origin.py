import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quant.estimators.ols_origin import OlsOrigin
from tests.unit.quant.series import Array, kinds, legs, samples, seeds


def fitted(y: Array, x: Array, window: int) -> OlsOrigin:
    estimator = OlsOrigin(window)
    for b, a in samples(y, x):
        estimator.update(b, a)
    return estimator


@settings(max_examples=40, deadline=None)
@given(seed=seeds, n=st.integers(5, 200), window=st.integers(4, 100))
def test_the_fit_equals_statsmodels(seed: int, n: int, window: int) -> None:
    y, x = legs("walk", seed, n)
    fit = fitted(y, x, window).get()
    expected = sm.OLS(y[-window:], x[-window:]).fit()
    assert fit.hedge_ratio == pytest.approx(expected.params[0], rel=1e-10)
    assert fit.intercept == 0
    assert fit.scale == pytest.approx(expected.mse_resid**0.5, rel=1e-7)
    assert fit.hedge_ratio_se == pytest.approx(expected.bse[0], rel=1e-7)


@settings(max_examples=60, deadline=None)
@given(kind=kinds, seed=seeds, window=st.integers(3, 60))
def test_every_window_equals_a_fresh_computation(kind: str, seed: int, window: int) -> None:
    y, x = legs(kind, seed, 2 * window + 5)
    estimator = OlsOrigin(window)
    for end, (b, a) in enumerate(samples(y, x), start=1):
        estimator.update(b, a)
        if end < 3:
            continue
        long_y, long_x = (np.asarray(leg[max(0, end - window) : end], np.longdouble) for leg in (y, x))
        slope = (long_x @ long_y) / (long_x @ long_x)
        residuals = long_y - slope * long_x
        fit = estimator.get()
        unit = float(np.sqrt((long_y @ long_y) / (long_x @ long_x)))
        assert fit.hedge_ratio == pytest.approx(float(slope), rel=0, abs=1e-9 * unit)
        scale = float(np.sqrt(residuals @ residuals / (len(long_x) - 1)))
        assert fit.scale == pytest.approx(scale, rel=1e-6, abs=1e-13 * float(abs(long_y).max()))


def test_only_zeros_have_no_slope() -> None:
    with pytest.raises(ValueError, match="x is zero"):
        fitted(np.ones(5), np.zeros(5), 5).get()
