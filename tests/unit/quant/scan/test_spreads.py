"""Spreads of many pairs: each half-life, its interval and its crossings are those of that spread alone."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quant.options import Trend
from services.quant.scan import spreads
from services.quant.scan.scan import ScanOptions, scan
from services.quant.statistical_tests.half_life import half_life, half_life_interval
from tests.unit.quant.scan.test_scan import Prices, planted


def spread_alone(prices: Prices, y: int, x: int, trend: Trend) -> list[float]:
    terms = {"n": 0, "c": 1, "ct": 2}[trend]
    times = np.arange(float(len(prices)))
    regressors = np.column_stack([prices[:, x], *(times**power for power in range(terms))])
    spread: list[float] = sm.OLS(prices[:, y], regressors).fit(method="qr").resid.tolist()
    return spread


@given(seed=st.integers(0, 2**31), times=st.integers(100, 500), trend=st.sampled_from(["n", "c", "ct"]))
@settings(max_examples=12, deadline=None)
def test_each_spread_is_that_of_a_regression_alone(seed: int, times: int, trend: Trend) -> None:
    prices = planted(seed, times, 6)
    found = scan(prices, ScanOptions(trend=trend, held_out=0.4, lags=1))
    assert found.pairs
    for pair in found.pairs:
        spread = spread_alone(prices[: found.bars], pair.y, pair.x, trend)
        alone = half_life(spread)
        told = (pair.half_life, pair.half_life_corrected, pair.half_life_low, pair.half_life_high)
        for one, expected in zip(told, (alone.samples, *half_life_interval(alone)), strict=True):
            assert (one is None) == (expected is None), (pair, alone)
            assert expected is None or one == pytest.approx(expected, rel=1e-5)
        assert pair.zero_crossings == sum((one >= 0) != (other >= 0) for one, other in pairwise(spread))


def test_blocks_of_pairs_are_put_together(monkeypatch: Any) -> None:
    rest = planted(3, 200, 8)
    y, x = np.triu_indices(8, 1)
    hedge_ratio = np.linspace(0.5, 1.5, len(y))
    whole = spreads.spreads(rest, y, x, hedge_ratio)
    monkeypatch.setattr(spreads, "_NUMBERS", 3 * len(rest))
    for one, other in zip(whole, spreads.spreads(rest, y, x, hedge_ratio), strict=True):
        assert one.tolist() == other.tolist()


def test_a_spread_that_stands_still_has_no_coefficient() -> None:
    rest = np.ones((50, 2))
    found = spreads.spreads(rest, np.array([0]), np.array([1]), np.array([0.5]))
    assert np.isnan(found.coefficient).all()
    assert found.crossings.tolist() == [0]
