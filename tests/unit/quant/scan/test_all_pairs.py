"""A scan says of each pair what a test of that pair alone says: statistic, lags, p-value, line."""

import warnings
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.stattools import coint

from services.quant.fit import NotEnoughDataError
from services.quant.options import Criterion, Trend
from services.quant.scan.all_pairs import LagChoice, engle_granger
from services.quant.statistical_tests.unit_root import engle_granger as of_one

TRENDS: tuple[Trend, ...] = ("n", "c", "ct")
Prices = np.ndarray[Any, np.dtype[np.float64]]


def market(seed: int, times: int) -> Prices:
    """Return walks of several kinds: cointegrated, heavy-tailed, broken, in cents, trending, of far apart levels."""
    draw = np.random.default_rng(seed)
    walks = np.cumsum(draw.standard_normal((times, 5)), axis=0)
    heavy = np.cumsum(draw.standard_t(3, times))
    held = 0.8 * walks[:, 0] + _reverting(draw, times, 0.9)
    broken = np.where(np.arange(times) < times // 2, 1.0, 1.3) * walks[:, 1] + draw.standard_normal(times)
    cents = np.round(0.01 * walks[:, 2], 2)
    trending = walks[:, 3] + 0.05 * np.arange(times)
    columns = np.column_stack([*walks.T[:2], heavy, held, broken, cents, trending])
    levels: Prices = columns + np.array([60_000, 3_000, 500, 900, 80, 5, 0.3])
    return levels


def _reverting(draw: np.random.Generator, times: int, b: float) -> Prices:
    spread = np.zeros(times)
    for at, shock in enumerate(draw.standard_normal(times - 1), start=1):
        spread[at] = b * spread[at - 1] + shock
    return spread


@given(
    seed=st.integers(0, 2**31),
    times=st.integers(60, 700),
    # Of levels without a constant statsmodels loses digits; the test below has them.
    trend=st.sampled_from(TRENDS[1:]),
    lags=st.sampled_from(["aic", "bic", "t-stat", 0, 1, 4]),
)
@settings(max_examples=12, deadline=None)
def test_each_pair_is_that_of_statsmodels(seed: int, times: int, trend: Trend, lags: int | LagChoice) -> None:
    prices = market(seed, times)
    found = engle_granger(prices, trend, lags)
    for y, x in permutations(range(prices.shape[1]), 2):
        options: dict[str, Any] = (
            {"maxlag": lags, "autolag": None} if isinstance(lags, int) else {"autolag": lags}
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            statistic, p_value, _ = coint(prices[:, y], prices[:, x], trend=trend, **options)
        assert found.statistic[y, x] == pytest.approx(statistic, rel=1e-6, abs=1e-8), (y, x)
        assert found.p_value[y, x] == pytest.approx(p_value, rel=1e-5, abs=1e-8)


@given(seed=st.integers(0, 2**31), times=st.integers(60, 2_000), trend=st.sampled_from(TRENDS))
@settings(max_examples=10, deadline=None)
def test_each_pair_is_that_of_a_test_of_its_own(seed: int, times: int, trend: Trend) -> None:
    prices = market(seed, times)
    criteria: tuple[Criterion | int, ...] = ("aic", "bic", 2)
    for lags in criteria:
        found = engle_granger(prices, trend, lags)
        for y, x in permutations(range(prices.shape[1]), 2):
            single = of_one(prices[:, y], prices[:, x], trend, lags)
            assert found.lags[y, x] == single.lags, (y, x)
            assert found.statistic[y, x] == pytest.approx(single.statistic, rel=1e-8, abs=1e-8)
            assert found.p_value[y, x] == pytest.approx(single.p_value, rel=1e-6, abs=1e-10)


def test_the_line_is_that_of_a_regression() -> None:
    prices = market(3, 400)
    found = engle_granger(prices, "c", "aic")
    for y, x in permutations(range(prices.shape[1]), 2):
        fit = sm.OLS(prices[:, y], sm.add_constant(prices[:, x])).fit(method="qr")
        assert found.hedge_ratio[y, x] == pytest.approx(fit.params[1], rel=1e-8)
        assert found.hedge_ratio_se[y, x] == pytest.approx(fit.bse[1], rel=1e-6)
        assert found.r_squared[y, x] == pytest.approx(fit.rsquared, abs=1e-9)


def test_what_cannot_be_tested_has_a_reason_and_no_number() -> None:
    prices = market(5, 200)
    prices[:, 2] = 7.0
    prices[:, 5] = 3 * prices[:, 0] + 11
    found = engle_granger(prices)
    assert found.refused == {2: "the series does not move but for its trend"}
    assert set(found.reasons) == {(0, 5), (5, 0)}
    assert np.isnan(found.p_value[2]).all()
    assert np.isnan(found.p_value[:, 2]).all()
    assert np.isnan(found.statistic[0, 5])
    assert np.isfinite(found.statistic[0, 1])


def test_few_times_and_gaps_are_refused() -> None:
    with pytest.raises(ValueError, match="received gaps"):
        engle_granger(np.array([[1.0, np.nan]] * 50))
    short = engle_granger(market(1, 30)[:20])
    assert len(short.refused) == 7
    assert "at least 30" in short.refused[0]


def test_a_leg_that_hardly_moves_takes_no_other_with_it() -> None:
    prices = market(9, 300)
    prices[:, 5] = 5.0
    prices[150, 5] = 5.01
    found = engle_granger(prices)
    for y, x in permutations(range(7), 2):
        try:
            single = of_one(prices[:, y], prices[:, x])
        except NotEnoughDataError:
            assert (y, x) in found.reasons
            continue
        assert found.statistic[y, x] == pytest.approx(single.statistic, rel=1e-6)


def test_progress_is_told_and_may_cancel() -> None:
    told: list[float] = []
    engle_granger(market(1, 100), progress=told.append)
    assert told[-1] == 1.0

    def cancel(share: float) -> None:
        raise KeyboardInterrupt(share)

    with pytest.raises(KeyboardInterrupt):
        engle_granger(market(1, 100), progress=cancel)
