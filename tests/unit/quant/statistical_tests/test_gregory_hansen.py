"""Gregory-Hansen test: equal to a regression for every date, and it finds pairs with a break."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.stattools import adfuller

from services.quant.statistical_tests.gregory_hansen import CRITICAL_VALUES, gregory_hansen
from services.quant.statistical_tests.split_lines import both_sides
from tests.unit.quant.series import Array, seeds, walk


def by_regressions(y: Array, x: Array, lags: int) -> tuple[float, int]:
    """Return the least ADF statistic of all dates and its date, with a regression of statsmodels for each."""
    n, found = len(y), []
    for at in range(int(0.15 * n), n - int(0.15 * n) + 1):
        after = (np.arange(n) >= at).astype(float)
        design = np.column_stack(
            [np.ones(n), (x - x.mean()) / x.std(), after, after * (x - x.mean()) / x.std()]
        )
        residuals = sm.OLS(y, design).fit().resid
        test = adfuller(residuals, maxlag=lags, regression="n", autolag=None, result_object=False)
        found.append((float(test[0]), at))
    return min(found)


@settings(max_examples=10, deadline=None)
@given(seed=seeds, n=st.integers(60, 120), lags=st.integers(0, 6))
def test_it_equals_a_regression_for_each_date(seed: int, n: int, lags: int) -> None:
    y, x = walk(np.random.default_rng(seed), n)
    found = gregory_hansen(both_sides(y, x), y, x, lags)
    statistic, at = by_regressions(y, x, lags)
    assert found.statistic == pytest.approx(statistic, rel=1e-8)
    assert (found.at, found.lags, found.samples) == (at, lags, n - 1 - lags)


def test_a_long_history_is_looked_at_by_hundredths_and_at_its_likeliest_date() -> None:
    random = np.random.default_rng(4)
    x = 100 + np.cumsum(random.normal(size=20_000))
    y = np.where(np.arange(20_000) < 7_003, 1.0, 1.5) * x + random.normal(size=20_000)
    found = gregory_hansen(both_sides(y, x), y, x)
    assert found.at == 7_003
    assert found.statistic < CRITICAL_VALUES["1%"]


def test_the_critical_values_are_those_of_the_statistic() -> None:
    """Of walks that have nothing in common some 5 in 100 are below the value of 5 %."""
    random = np.random.default_rng(5)
    below = 0
    for _ in range(200):
        y, x = np.cumsum(random.normal(size=(2, 200)), axis=1)
        below += gregory_hansen(both_sides(y, x), y, x).statistic < CRITICAL_VALUES["5%"]
    assert 2 <= below <= 20
