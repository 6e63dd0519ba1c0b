"""HAC errors: equal to statsmodels', and intervals by them have their coverage."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from statsmodels.stats.sandwich_covariance import S_hac_simple

from services.quant.analysis.pair_analysis import analyse
from services.quant.options import AnalysisOptions
from services.quant.statistical_tests.hac import hac_error
from services.quant.statistical_tests.long_run import bandwidth, newey_west
from services.quant.statistical_tests.split_lines import one_line
from tests.unit.quant.analysis.test_pair_analysis import pair
from tests.unit.quant.series import kinds, legs, seeds, walk


@settings(max_examples=60, deadline=None)
@given(kind=kinds, seed=seeds, n=st.integers(30, 300))
def test_they_equal_those_of_statsmodels(kind: str, seed: int, n: int) -> None:
    y, x = legs(kind, seed, n)
    if not np.ptp(x) > 1e-9 * np.abs(x).max():
        return
    # As large as the constant beside it, which statsmodels needs and ours does not.
    unit, level = x.std(), x.mean()
    fit = sm.OLS(y, sm.add_constant((x - level) / unit, has_constant="add")).fit()
    found = hac_error(fit.resid, x)
    expected = fit.get_robustcov_results("HAC", maxlags=found.lags).bse[1] / unit
    assert found.standard_error == pytest.approx(expected, rel=1e-6)
    fit = sm.OLS(y, x).fit()
    found = hac_error(fit.resid, x, origin=True)
    expected = fit.get_robustcov_results("HAC", maxlags=found.lags).bse[0]
    assert found.standard_error == pytest.approx(expected, rel=1e-6)


def test_sums_of_products_equal_those_of_statsmodels() -> None:
    scores = np.random.default_rng(1).normal(size=(50, 2))
    assert newey_west(scores, 7) == pytest.approx(S_hac_simple(scores, 7), rel=1e-12)


def test_the_more_a_series_depends_on_its_past_the_more_lags_are_taken() -> None:
    shocks = np.random.default_rng(2).normal(size=500)
    lags = [bandwidth(lfilter([1], [1, -b], shocks)) for b in (0.0, 0.5, 0.9)]
    assert lags == sorted(lags)
    assert lags[0] <= 4 < lags[2]
    assert bandwidth(np.arange(30.0)) == 10


@pytest.mark.parametrize("method", ["ols", "ols_origin"])
def test_an_analysis_has_the_interval_beside_the_classical_one(method: str) -> None:
    y, x = pair(1, 400, 0.9)
    found = analyse(y, x, AnalysisOptions(method=method, level=0.9)).regression  # type: ignore[arg-type]
    assert found is not None
    design = x if method == "ols_origin" else sm.add_constant(x)
    fit = sm.OLS(y, design).fit(cov_type="HAC", cov_kwds={"maxlags": found.hac_lags})
    assert found.hac_se == pytest.approx(fit.bse[-1], rel=1e-7)
    assert (found.hac_low, found.hac_high) == pytest.approx(tuple(fit.conf_int(0.1)[-1]), rel=1e-7)
    assert found.hedge_ratio_se is not None
    assert found.hac_se is not None
    assert found.hac_se > 1.5 * found.hedge_ratio_se


def test_a_method_without_least_squares_and_a_perfect_line_have_none() -> None:
    y, x = pair(1, 200, 0.9)
    for found in (analyse(y, x, AnalysisOptions(method="tls")), analyse(x / 3 + 7, x, AnalysisOptions())):
        assert found.regression is not None
        assert (found.regression.hac_se, found.regression.hac_low, found.regression.hac_lags) == (
            None,
            None,
            None,
        )


def test_the_interval_holds_the_truth_far_more_often_than_the_classical_one() -> None:
    random, held, classical = np.random.default_rng(3), 0, 0
    runs = 200
    for _ in range(runs):
        x = 100 + np.cumsum(random.normal(size=500))
        y = x + lfilter([1], [1, -0.8], random.normal(size=500))
        line = one_line(y, x)
        moved = x - x.mean()
        plain = float(np.sqrt(line.squares / 498 / (moved @ moved)))
        held += abs(line.hedge_ratio - 1) < 1.96 * hac_error(line.values, x).standard_error
        classical += abs(line.hedge_ratio - 1) < 1.96 * plain
    assert classical / runs < 0.65
    assert held / runs > 0.82


def test_a_line_of_all_bars_is_that_of_least_squares() -> None:
    y, x = walk(np.random.default_rng(4), 100)
    line = one_line(y, x)
    fit = sm.OLS(y, sm.add_constant(x)).fit()
    assert line.hedge_ratio == pytest.approx(fit.params[1], rel=1e-9)
    assert line.values == pytest.approx(fit.resid, abs=1e-6)
    assert line.squares == pytest.approx(fit.ssr, rel=1e-9)
