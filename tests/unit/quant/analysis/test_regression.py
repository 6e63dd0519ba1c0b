"""Regression over a whole sample, against statsmodels and scipy."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from services.quant.analysis.regression import Regression, describe, fit_line
from services.quant.estimators.registry import ESTIMATORS, Method
from services.quant.fit import NotEnoughDataError
from tests.unit.quant.series import Array, legs, seeds, walk

solid = st.sampled_from(["walk", "jumps", "cents"])


def regress(method: Method, y: Array, x: Array, level: float = 0.95) -> Regression:
    fit = fit_line(method, y.tolist(), x.tolist(), window=50)
    return describe(method, fit, y, x, y - fit.intercept - fit.hedge_ratio * x, level)


@settings(max_examples=60, deadline=None)
@given(kind=solid, seed=seeds, n=st.integers(10, 200), level=st.floats(0.5, 0.999))
def test_ols_has_the_errors_and_the_interval_of_statsmodels(
    kind: str, seed: int, n: int, level: float
) -> None:
    y, x = legs(kind, seed, n)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return
    ours = regress("ols", y, x, level)
    # Centred, because in raw prices statsmodels itself loses digits.
    middle, level_y = x.mean(), y.mean()
    theirs = sm.OLS(y - level_y, sm.add_constant(x - middle)).fit()
    if ours.hedge_ratio_se == 0:
        assert theirs.bse[1] * np.ptp(x) < 1e-12 * abs(y).max()
        return
    assert (ours.hedge_ratio, ours.hedge_ratio_se) == pytest.approx(
        (theirs.params[1], theirs.bse[1]), rel=1e-7, abs=1e-6 * theirs.bse[1]
    )
    assert (ours.low, ours.high) == pytest.approx(
        theirs.conf_int(1 - level)[1], rel=1e-7, abs=1e-6 * theirs.bse[1]
    )
    assert ours.r_squared == pytest.approx(theirs.rsquared, abs=1e-9)
    assert ours.intercept == pytest.approx(
        level_y + theirs.params[0] - theirs.params[1] * middle, rel=1e-6, abs=1e-12 * abs(y).max()
    )
    at_zero = theirs.get_prediction([[1.0, -middle]])
    assert ours.intercept_se == pytest.approx(at_zero.se_mean[0], rel=1e-6)


def test_through_the_origin_r_squared_is_about_zero_as_in_statsmodels() -> None:
    y, x = walk(np.random.default_rng(1), 100)
    ours, theirs = regress("ols_origin", y, x), sm.OLS(y, x).fit()
    assert ours.r_squared == pytest.approx(theirs.rsquared, rel=1e-12)
    assert (ours.low, ours.high) == pytest.approx(theirs.conf_int()[0], rel=1e-9)


def test_huber_has_the_interval_of_statsmodels() -> None:
    random = np.random.default_rng(2)
    x = 100 + np.cumsum(random.normal(size=300))
    y = 5 + 0.5 * x + random.standard_t(2, size=300)
    ours = regress("huber", y, x)
    theirs = sm.RLM(y, sm.add_constant(x), sm.robust.norms.HuberT()).fit(maxiter=200, tol=1e-12)
    assert (ours.low, ours.high) == pytest.approx(theirs.conf_int()[1], rel=1e-6)


@pytest.mark.parametrize("n", [60, 400])
def test_theil_sen_has_the_line_and_the_interval_of_scipy(n: int) -> None:
    y, x = walk(np.random.default_rng(3), n)
    ours, theirs = regress("theil_sen", y, x, 0.9), stats.theilslopes(y, x, 0.9)
    assert ours.hedge_ratio == pytest.approx(theirs.slope, rel=1e-12)
    assert (ours.low, ours.high) == (theirs.low_slope, theirs.high_slope)


def test_theil_sen_of_a_long_sample_has_no_interval() -> None:
    ours = regress("theil_sen", *walk(np.random.default_rng(3), 700))
    assert (ours.low, ours.high) == (None, None)


@pytest.mark.parametrize("method", sorted(ESTIMATORS))
def test_an_interval_is_around_the_hedge_ratio_and_wider_at_a_higher_level(method: Method) -> None:
    y, x = walk(np.random.default_rng(4), 200)
    narrow, wide = regress(method, y, x, 0.5), regress(method, y, x, 0.99)
    if narrow.low is None or narrow.high is None or wide.low is None or wide.high is None:
        assert method == "tls"
        return
    assert wide.low < narrow.low <= narrow.hedge_ratio <= narrow.high < wide.high


def test_r_squared_is_of_what_has_a_residual_and_of_nothing_it_is_none() -> None:
    y, x = walk(np.random.default_rng(5), 100)
    fit = fit_line("rls", y.tolist(), x.tolist(), window=50)
    forecast = np.where(np.arange(100) < 60, np.nan, 1.0)
    found = describe("rls", fit, y, x, forecast, 0.95)
    assert found.r_squared_samples == 40
    assert found.r_squared == pytest.approx(1 - 40 / ((y[60:] - y[60:].mean()) ** 2).sum())
    nothing = describe("rls", fit, y, x, np.full(100, np.nan), 0.95)
    assert (nothing.r_squared, nothing.r_squared_samples) == (None, 0)
    assert regress("ols", np.full(100, 0.1), x).r_squared is None


@pytest.mark.parametrize("method", ESTIMATORS)
def test_no_observations_have_no_line(method: Method) -> None:
    with pytest.raises(NotEnoughDataError):
        fit_line(method, [], [], window=50)
