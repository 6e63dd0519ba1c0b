"""Structural breaks: found where they are, and not where there is none."""

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.tsa.ar_model import AutoReg

from services.quant.fit import NotEnoughDataError
from services.quant.statistical_tests.breaks import critical_value, edge, structural_break, sup_wald
from services.quant.statistical_tests.innovation_break import innovation_break
from services.quant.statistical_tests.long_run import autoregression
from services.quant.statistical_tests.split_lines import both_sides, one_line
from tests.unit.quant.analysis.test_pair_analysis import pair
from tests.unit.quant.series import Array
from tests.unit.quant.statistical_tests.test_unit_root import autoregressive


def broken(seed: int, n: int = 500, at: int = 250, to: float = 1.2, b: float = 0.5) -> tuple[Array, Array]:
    """Return legs of which Y follows X once, and `to` times from bar `at` on, from where it was."""
    random = np.random.default_rng(seed)
    steps = random.normal(size=n)
    slope = np.where(np.arange(n) < at, 1.0, to)
    return 500 + np.cumsum(slope * steps) + autoregressive(random, n, b), 1_000 + np.cumsum(steps)


def test_the_statistic_is_the_greatest_wald_statistic() -> None:
    y, x = broken(1, 120, 60)
    n, squares = len(y), {}
    for at in range(18, 103):
        sides = [
            sm.OLS(y[part], sm.add_constant(x[part])).fit() for part in (slice(None, at), slice(at, None))
        ]
        squares[at] = sum(side.ssr for side in sides)
    at = min(squares, key=lambda one: squares[one])
    found = sup_wald(both_sides(y, x), y, x)
    assert found.at == at
    before, after = (
        sm.OLS(y[part], sm.add_constant(x[part])).fit() for part in (slice(None, at), slice(at, None))
    )
    assert (found.intercept_before, found.hedge_ratio_before) == pytest.approx(tuple(before.params), rel=1e-6)
    assert (found.intercept_after, found.hedge_ratio_after) == pytest.approx(tuple(after.params), rel=1e-6)
    around = autoregression(np.concatenate([before.resid, after.resid]), parameters=4)
    gain = sm.OLS(y, sm.add_constant(x)).fit().ssr - squares[at]
    assert found.statistic == pytest.approx(gain / around.variance, rel=1e-6)
    assert found.critical_value == pytest.approx(critical_value(n, around.persistence))


def test_the_long_run_variance_is_that_of_the_autoregression_of_statsmodels() -> None:
    series = autoregressive(np.random.default_rng(2), 400, 0.8)
    found = autoregression(series)
    fit = AutoReg(series - series.mean(), lags=1, trend="n").fit()
    persistence = fit.params[0] + (1 + 3 * fit.params[0]) / 400
    assert found.persistence == pytest.approx(persistence, rel=1e-9)
    assert found.innovations == pytest.approx(fit.resid, abs=1e-9)
    assert found.variance == pytest.approx((fit.resid @ fit.resid) / 398 / (1 - persistence) ** 2, rel=1e-9)


def test_a_random_walk_has_no_long_run_variance() -> None:
    with pytest.raises(NotEnoughDataError, match="do not come back more than a random walk"):
        autoregression(np.cumsum(np.random.default_rng(3).normal(size=300)), parameters=8)
    with pytest.raises(NotEnoughDataError, match="do not move but for"):
        autoregression(np.tile([1.0, -1.0], 50))


@pytest.mark.parametrize("at", [120, 250, 380])
def test_a_break_is_found_near_its_date(at: int) -> None:
    found = [
        structural_break(both_sides(*legs), *legs)
        for legs in (broken(seed, at=at, b=0.0) for seed in range(30))
    ]
    assert sum(one.is_found for one in found) >= 27
    assert np.median([abs(one.at - at) for one in found]) <= 15
    assert np.median([one.hedge_ratio_before for one in found]) == pytest.approx(1, abs=0.05)
    assert np.median([one.hedge_ratio_after for one in found]) == pytest.approx(1.2, abs=0.05)


@pytest.mark.parametrize("b", [0.0, 0.8, 0.95])
def test_stable_pairs_have_no_break(b: float) -> None:
    legs = [pair(seed, 500, b) for seed in range(60)]
    assert sum(structural_break(both_sides(*one), *one).is_found for one in legs) <= 4
    assert sum(edge(*one).is_found for one in legs) <= 2


@pytest.mark.parametrize(("first", "end"), [(0, 25), (475, 500)])
def test_what_moved_away_near_an_end_is_an_edge(first: int, end: int) -> None:
    y, x = pair(4, 500, 0.5)
    y[first:end] += 15
    found = edge(y, x)
    assert found.is_found
    assert (found.first, found.end) == (first, end)


def test_an_edge_is_the_forecast_of_its_mean() -> None:
    """With independent errors the distance is in the standard errors of statsmodels' prediction of the mean."""
    random = np.random.default_rng(6)
    x = 100 + np.cumsum(random.normal(size=400))
    y = 5 + 2 * x + random.normal(size=400)
    found = edge(y, x)
    inside = slice(found.first, found.end)
    others = np.delete(np.arange(400), np.arange(found.first, found.end))
    fit = sm.OLS(y[others], sm.add_constant(x[others])).fit()
    forecast = fit.get_prediction([1.0, x[inside].mean()])
    length = found.end - found.first
    variance = autoregression(fit.resid, parameters=2).variance
    error = np.sqrt(variance / length + forecast.se_mean[0] ** 2 * variance / fit.mse_resid)
    distance = abs(y[inside].mean() - forecast.predicted_mean[0]) / error
    assert found.statistic == pytest.approx(distance, rel=1e-6)
    assert one_line(y, x).hedge_ratio == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("seed", [5, 6, 7, 8])
def test_the_exp_wald_statistic_is_that_of_regressions_of_innovations(seed: int) -> None:
    y, x = broken(seed, 150, 75, b=0.8)
    spread = sm.OLS(y, sm.add_constant(x)).fit().resid
    fit = sm.OLS(spread[1:], np.column_stack([spread[:-1], np.diff(x)])).fit()
    b, at_once = fit.params
    of_y, of_x = y[1:] - b * y[:-1] - at_once * np.diff(x), x[1:] - b * x[:-1]
    design, n = sm.add_constant(of_x), len(of_y)
    squares = {
        at: sm.OLS(of_y[:at], design[:at]).fit().ssr + sm.OLS(of_y[at:], design[at:]).fit().ssr
        for at in range(int(0.15 * n), n - int(0.15 * n) + 1)
    }
    at = min(squares, key=lambda one: squares[one])
    walds = (sm.OLS(of_y, design).fit().ssr - np.array(list(squares.values()))) / (squares[at] / (n - 4))
    before, after = (sm.OLS(of_y[part], design[part]).fit() for part in (slice(at), slice(at, None)))
    apart, covariance = after.params - before.params, before.cov_HC1 + after.cov_HC1
    white = apart @ np.linalg.solve(covariance, apart) / walds.max()
    expected = np.log(np.mean(np.exp(walds * min(1.0, white) / 2)))
    found = innovation_break(y, x)
    assert found.at == at + 1
    assert found.statistic == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_a_bend_of_a_slow_spread_is_found_in_its_innovations(scale: float) -> None:
    legs = [broken(seed, 1_000, 500, b=0.8) for seed in range(20)]
    found = [structural_break(both_sides(y * scale, x), y * scale, x) for y, x in legs]
    assert sum(one.is_found for one in found) >= 18
    assert sum(one.test == "exp_wald" for one in found) >= 10
    assert np.median([abs(one.at - 500) for one in found]) <= 60
