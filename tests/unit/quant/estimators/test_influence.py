"""Influence of an observation on a window's line, against statsmodels, and what makes an outlier."""

from typing import Literal

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from statsmodels.stats.outliers_influence import OLSInfluence

from services.quant.estimators.influence import is_outlier
from services.quant.estimators.ols import fit
from services.quant.estimators.ols_origin import OlsOrigin
from services.quant.estimators.r_squared import r_squared
from services.quant.moments import RollingMoments

seeds = st.integers(0, 2**32 - 1)


def legs(seed: int, count: int, kind: Literal["walks", "cointegrated"]) -> tuple[np.ndarray, np.ndarray]:
    """Return y and x of a pair in logarithms, some 5e-5 a step."""
    draw = np.random.default_rng(seed)
    x = 11 + np.cumsum(draw.normal(0, 5e-5, count))
    if kind == "walks":
        return 8 + np.cumsum(draw.normal(0, 5e-5, count)), x
    spread, noise = np.zeros(count), draw.normal(0, 3e-5, count)
    for at in range(1, count):
        spread[at] = 0.97 * spread[at - 1] + noise[at]
    return 8 + 1.3 * (x - 11) + spread, x


def window(y: np.ndarray, x: np.ndarray) -> RollingMoments:
    moments = RollingMoments(len(y))
    moments.extend(x.tolist(), y.tolist())
    return moments


@settings(max_examples=200, deadline=None)
@given(seeds, st.integers(30, 200), st.sampled_from(["y", "x"]), st.floats(0, 0.01))
def test_it_is_judged_by_the_measures_of_statsmodels(seed: int, count: int, leg: str, size: float) -> None:
    y, x = legs(seed, count + 1, "walks")
    (y if leg == "y" else x)[-1] += size
    theirs = OLSInfluence(sm.OLS(y, sm.add_constant(x)).fit())
    dffits, hat = abs(theirs.dffits[0][-1]), theirs.hat_matrix_diag[-1]
    assume(abs(dffits - 2) > 1e-3 and abs(hat - 0.5) > 1e-6)
    assert is_outlier(window(y[:-1], x[:-1]).get(), y[-1], x[-1]) == (dffits > 2 or hat > 0.5)


@pytest.mark.parametrize("kind", ["walks", "cointegrated"])
def test_no_ordinary_sample_is_an_outlier(kind: Literal["walks", "cointegrated"]) -> None:
    for seed in range(20):
        y, x = legs(seed, 900, kind)
        moments = RollingMoments(300)
        for at, (one_y, one_x) in enumerate(zip(y.tolist(), x.tolist(), strict=True)):
            assert at < 30 or not is_outlier(moments.get(), one_y, one_x), (seed, at)
            moments.update(one_x, one_y)


@pytest.mark.parametrize("kind", ["walks", "cointegrated"])
@pytest.mark.parametrize("leg", ["y", "x"])
@pytest.mark.parametrize("size", [0.05, -0.05])
def test_a_wick_of_5_percent_is_one(kind: Literal["walks", "cointegrated"], leg: str, size: float) -> None:
    for seed in range(50):
        y, x = legs(seed, 301, kind)
        (y if leg == "y" else x)[-1] += size
        assert is_outlier(window(y[:-1], x[:-1]).get(), y[-1], x[-1]), seed


def test_a_window_of_too_few_samples_has_none() -> None:
    x = np.arange(40.0)
    assert not is_outlier(window(x[:29] ** 2, x[:29]).get(), 1e9, 1e9)


@pytest.mark.parametrize("level", [1e-8, 0.0, 3_000.0, 1e6])
def test_the_first_that_moves_a_leg_which_stood_still_is_one_and_no_other(level: float) -> None:
    still, moving = np.full(40, level), np.arange(40.0) ** 1.5
    step = abs(level) * 1e-4 or 1e-4
    flat_x, flat_y = window(moving, still), window(still, moving)
    assert is_outlier(flat_x.get(), 20.0, level + step)
    assert is_outlier(flat_y.get(), level + step, 20.0)
    assert not is_outlier(flat_x.get(), 1e9, level)
    assert not is_outlier(flat_y.get(), level, 20.0)
    for moments, y, x in ((flat_x, 20.0, level + step), (flat_y, level + step, 20.0)):
        moments.update(x, y)
        assert not is_outlier(moments.get(), y, x)


def test_of_a_line_without_errors_only_what_is_off_it_is_one() -> None:
    x = np.arange(40.0)
    moments = window(2 * x, x).get()
    assert not is_outlier(moments, 60.0, 30.0)
    assert is_outlier(moments, 61.0, 30.0)


def test_legs_whose_squares_no_float_holds_have_none() -> None:
    tiny, moving = 1e-300 * (1 + np.arange(40.0) / 100), np.arange(40.0) ** 1.5
    assert not is_outlier(window(tiny, moving).get(), 1.5e-300, 20.0)
    assert not is_outlier(window(moving, tiny).get(), 20.0, 1.5e-300)


@settings(max_examples=50, deadline=None)
@given(seeds, st.integers(10, 200))
def test_the_share_that_is_explained_is_that_of_statsmodels(seed: int, count: int) -> None:
    y, x = legs(seed, count, "cointegrated")
    moments = window(y, x)
    assert r_squared(fit(moments.get()), moments.get()) == pytest.approx(
        sm.OLS(y, sm.add_constant(x)).fit().rsquared, abs=1e-6
    )
    origin = OlsOrigin(count)
    for one_y, one_x in zip(y.tolist(), x.tolist(), strict=True):
        origin.update(one_y, one_x)
    assert r_squared(origin.get(), moments.get(), about_zero=True) == pytest.approx(
        sm.OLS(y, x).fit().rsquared, abs=1e-9
    )
