"""Instability tests: residuals are stable over time, or the test says otherwise."""

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.diagnostic import het_arch

from services.quant.fit import NotEnoughDataError
from services.quant.statistical_tests.instability import cusum, innovations, thirds
from services.quant.statistical_tests.long_run import autoregression, bandwidth
from services.quant.statistical_tests.split_lines import one_line
from tests.unit.quant.analysis.test_pair_analysis import pair
from tests.unit.quant.series import Array
from tests.unit.quant.statistical_tests.test_unit_root import autoregressive


def test_the_cusum_is_that_of_the_residuals() -> None:
    y, x = pair(1, 300, 0.6)
    found = cusum(y, x)
    residuals = sm.OLS(y, sm.add_constant(x)).fit().resid
    lags = bandwidth(residuals)
    weights = 1 - np.arange(1, lags + 1) / (lags + 1)
    products = [residuals[lag:] @ residuals[:-lag] for lag in range(1, lags + 1)]
    sums = np.abs(np.cumsum(residuals)) / np.sqrt(residuals @ residuals + 2 * weights @ products)
    assert (found.at, found.lags) == (int(np.argmax(sums)), lags)
    assert found.statistic == pytest.approx(sums.max(), rel=1e-6)


def test_the_critical_values_of_the_cusum_are_those_of_stable_pairs() -> None:
    random = np.random.default_rng(2)
    found = []
    for _ in range(400):
        x = 1_000 + np.cumsum(random.normal(size=300))
        found.append(cusum(x + random.normal(size=300), x))
    above = sum(one.statistic > one.critical_values["5%"] for one in found)
    assert 8 <= above <= 34


def test_a_level_that_moves_is_on_one_side_for_too_long() -> None:
    y, x = pair(3, 500, 0.2)
    found = cusum(y + np.where(np.arange(500) < 300, 0.0, 6.0), x)
    assert found.statistic > found.critical_values["1%"]
    assert abs(found.at - 300) < 20


def test_thirds_have_the_slopes_of_their_bars_with_hac_errors() -> None:
    y, x = pair(4, 301, 0.6)
    found = thirds(y, x)
    assert [(one.first, one.samples) for one in found.slopes] == [(0, 100), (100, 100), (200, 101)]
    left, squares = [], 0.0
    for one in found.slopes:
        part = slice(one.first, one.first + one.samples)
        fit = sm.OLS(y[part], sm.add_constant(x[part])).fit()
        lags = bandwidth(fit.resid)
        assert one.hedge_ratio == pytest.approx(fit.params[1], rel=1e-7)
        assert one.hac_se == pytest.approx(fit.get_robustcov_results("HAC", maxlags=lags).bse[1], rel=1e-6)
        left.append(fit.resid)
        squares += fit.ssr
    gain = sm.OLS(y, sm.add_constant(x)).fit().ssr - squares
    assert found.statistic == pytest.approx(gain / autoregression(np.concatenate(left), 6).variance, rel=1e-6)


def test_a_slope_that_comes_back_is_seen_by_thirds() -> None:
    found = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        steps = random.normal(size=500)
        part = (np.arange(500) >= 175) & (np.arange(500) < 325)
        y = 500 + np.cumsum(np.where(part, 1.3, 1.0) * steps) + random.normal(size=500)
        found += thirds(y, 1_000 + np.cumsum(steps)).is_found
    assert found >= 18
    assert sum(thirds(*pair(seed, 500, 0.8)).is_found for seed in range(60)) <= 4


def test_arch_is_that_of_the_innovations_and_not_of_a_spread_that_remembers() -> None:
    spread = autoregressive(np.random.default_rng(5), 500, 0.9)
    found = innovations(spread)
    assert het_arch(spread, nlags=10, result_object=True).lmpval < 1e-6
    assert found.arch.p_value > 0.01
    expected = het_arch(autoregression(spread, 2).innovations, nlags=10, result_object=True)
    assert found.arch.statistic == pytest.approx(expected.lm, rel=1e-6)
    assert found.arch.p_value == pytest.approx(expected.lmpval, rel=1e-6)


def calm_then_wild(seed: int, factor: float) -> Array:
    random = np.random.default_rng(seed)
    shocks = random.normal(size=400) * np.where(np.arange(400) < 200, 1.0, factor)
    spread = np.zeros(400)
    for at in range(1, 400):
        spread[at] = 0.7 * spread[at - 1] + shocks[at]
    return spread


def test_a_spread_that_grows_wild_is_seen_and_one_that_does_not_is_not() -> None:
    wild = innovations(calm_then_wild(6, 2.0)).variance_ratio
    assert wild.ratio == pytest.approx(4, rel=0.4)
    assert wild.p_value < 0.001
    calm = [innovations(calm_then_wild(seed, 1.0)).variance_ratio.p_value < 0.05 for seed in range(100)]
    assert 1 <= sum(calm) <= 13


def test_what_cannot_be_told_has_a_reason() -> None:
    y, x = pair(7, 59, 0.5)
    for test in (thirds, cusum):
        with pytest.raises(NotEnoughDataError, match="at least 60 observations, there are 59"):
            test(y, x)
    with pytest.raises(NotEnoughDataError, match="at least 60 observations, there are 59"):
        innovations(one_line(y, x).values)
    y, x = pair(7, 300, 0.5)
    x[100:200] = x[100]
    with pytest.raises(NotEnoughDataError, match="x does not move in part 2 of 3"):
        thirds(y, x)
    still = one_line(*pair(7, 300, 0.5)).values
    still[150:] = 0
    with pytest.raises(NotEnoughDataError, match="does not move in one of the halves"):
        innovations(still)
