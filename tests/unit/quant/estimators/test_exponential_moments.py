"""Exponentially weighted moments, and the two regressions on them."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quant.estimators.ewma import Ewma
from services.quant.estimators.exponential_moments import ExponentialMoments, forgetting_of
from services.quant.estimators.rls import RecursiveLeastSquares
from services.quant.fit import NotEnoughDataError
from tests.unit.quant.series import Array, legs, samples, seeds

windows = st.integers(5, 100)
kinds = st.sampled_from(["walk", "jumps", "cents"])


def moments_of(y: Array, x: Array, forgetting: float) -> ExponentialMoments:
    moments = ExponentialMoments(forgetting)
    for b, a in samples(y, x):
        moments.update(a, b)
    return moments


@settings(max_examples=40, deadline=None)
@given(kind=kinds, seed=seeds, window=windows, n=st.integers(2, 120))
def test_the_moments_equal_pandas(kind: str, seed: int, window: int, n: int) -> None:
    y, x = legs(kind, seed, n)
    moments = moments_of(y, x, forgetting_of(window))
    # pandas loses digits at a high level.
    frame = pd.DataFrame({"y": y - y[-1], "x": x - x[-1]})
    weighted = frame.ewm(span=window)
    assert moments.mean_x == pytest.approx(float(weighted.mean()["x"].iloc[-1]) + x[-1], rel=1e-12)
    assert moments.mean_y == pytest.approx(float(weighted.mean()["y"].iloc[-1]) + y[-1], rel=1e-12)
    covariance = weighted.cov().iloc[-2:].to_numpy()
    unbiased = moments.weight - moments.squared_weights / moments.weight
    assert moments.syy / unbiased == pytest.approx(covariance[0, 0], rel=1e-9, abs=1e-20)
    assert moments.sxx / unbiased == pytest.approx(covariance[1, 1], rel=1e-9, abs=1e-20)
    unit = np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert moments.sxy / unbiased == pytest.approx(covariance[0, 1], abs=1e-9 * unit + 1e-20)


@settings(max_examples=60, deadline=None)
@given(kind=kinds, seed=seeds, window=windows, n=st.integers(5, 200))
def test_the_standard_error_is_that_of_weights_that_are_no_variances(
    kind: str, seed: int, window: int, n: int
) -> None:
    y, x = legs(kind, seed, n)
    moments = moments_of(y, x, forgetting_of(window))
    if not np.ptp(x[-window:]):
        return
    weights = np.longdouble(forgetting_of(window)) ** np.arange(n - 1, -1, -1)
    design = np.stack([np.ones(n), x - x[-1]]).astype(np.longdouble)
    (a, b), (_, d) = design * weights @ design.T
    bread = np.array([[d, -b], [-b, a]]) / (a * d - b * b)
    hat = bread @ design * weights
    residuals = (y - y[-1]).astype(np.longdouble) @ (np.eye(n) - hat.T @ design)
    free = weights.sum() - np.trace(design * weights @ hat.T)
    variance = weights @ residuals**2 / free
    expected = np.sqrt(variance * (hat @ hat.T)[1, 1])
    rounding = 1e-14 * np.abs(y).max() * np.sqrt((hat @ hat.T)[1, 1])
    assert moments.slope_error() == pytest.approx(float(expected), rel=1e-6, abs=float(rounding))


@settings(max_examples=40, deadline=None)
@given(seed=seeds, window=windows, n=st.integers(10, 200))
def test_the_weighted_regression_equals_statsmodels(seed: int, window: int, n: int) -> None:
    y, x = legs("walk", seed, n)
    estimator = Ewma(window)
    for b, a in samples(y, x):
        estimator.update(b, a)
    weights = forgetting_of(window) ** np.arange(n - 1, -1, -1)
    expected = sm.WLS(y, sm.add_constant(x - x[-1]), weights).fit()
    fit = estimator.get()
    assert fit.hedge_ratio == pytest.approx(expected.params[1], rel=1e-8, abs=1e-10)
    assert fit.intercept + fit.hedge_ratio * x[-1] == pytest.approx(expected.params[0], rel=1e-9)
    effective = weights.sum() ** 2 / (weights**2).sum()
    variance = weights @ expected.resid**2 / weights.sum() * effective / (effective - 2)
    assert fit.scale == pytest.approx(np.sqrt(variance), rel=1e-7)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(["walk", "outliers", "venues", "together"]),
    seed=seeds,
    n=st.integers(10, 120),
)
def test_the_scale_has_its_digits_however_closely_y_follows_x(kind: str, seed: int, n: int) -> None:
    y, x = legs(kind, seed, n)
    estimator = Ewma(30)
    for b, a in samples(y, x):
        estimator.update(b, a)
    weights = np.longdouble(forgetting_of(30)) ** np.arange(n - 1, -1, -1)
    total = weights.sum()
    dx, dy = (leg - (weights @ leg) / total for leg in (x.astype(np.longdouble), y.astype(np.longdouble)))
    if not dx.any():
        return
    residuals = dy - (weights * dx @ dy) / (weights * dx @ dx) * dx
    effective = total**2 / (weights**2).sum()
    expected = float(np.sqrt(weights @ residuals**2 / total * effective / (effective - 2)))
    level = float(np.sqrt(weights @ y.astype(np.longdouble) ** 2 / total))
    assert estimator.get().scale == pytest.approx(expected, rel=1e-7, abs=2e-14 * level)


def textbook_recursion(y: Array, x: Array, forgetting: float) -> tuple[np.ndarray, list[float]]:
    """Return parameters and the innovations; Haykin, table 9.1, in extended precision."""
    theta = np.zeros(2, np.longdouble)
    p = np.eye(2, dtype=np.longdouble) * np.longdouble(1e12)
    innovations = []
    for b, a in zip(y.astype(np.longdouble), x.astype(np.longdouble), strict=True):
        phi = np.array([1, a], np.longdouble)
        gain = p @ phi / (forgetting + phi @ p @ phi)
        innovations.append(float(b - phi @ theta))
        theta = theta + gain * (b - phi @ theta)
        p = (p - np.outer(gain, phi @ p)) / forgetting
    return theta, innovations


@settings(max_examples=30, deadline=None)
@given(seed=seeds, window=st.integers(10, 100))
def test_the_recursion_equals_the_textbooks(seed: int, window: int) -> None:
    random = np.random.default_rng(seed)
    x = np.cumsum(random.normal(size=300))
    y = 3 + 2 * x + random.normal(size=300)
    forgetting = forgetting_of(window)
    estimator = RecursiveLeastSquares(window)
    for b, a in samples(y, x):
        estimator.update(b, a)
    theta, innovations = textbook_recursion(y, x, forgetting)
    fit = estimator.get()
    assert fit.hedge_ratio == pytest.approx(float(theta[1]), rel=1e-6)
    assert fit.intercept == pytest.approx(float(theta[0]), rel=1e-6, abs=1e-6)
    squares = pd.Series(innovations[3:]) ** 2
    scale = float(np.sqrt(squares.ewm(span=window).mean().iloc[-1]))
    assert fit.scale == pytest.approx(scale, rel=1e-5)


def test_both_regressions_find_the_same_line() -> None:
    ewma, rls = Ewma(50), RecursiveLeastSquares(50)
    for y, x in samples(*legs("cents", 8, 300)):
        ewma.update(y, x)
        rls.update(y, x)
    assert (ewma.get().hedge_ratio, ewma.get().intercept) == (rls.get().hedge_ratio, rls.get().intercept)
    assert ewma.get().scale < rls.get().scale
    assert ewma.get().hedge_ratio_se == rls.get().hedge_ratio_se


def test_an_absurd_price_fades_as_its_weight() -> None:
    points = samples(*legs("walk", 1, 2_000))
    clean, soiled = Ewma(20), Ewma(20)
    for number, (y, x) in enumerate(points):
        clean.update(y, x)
        soiled.update(1e9 if number == 5 else y, x)
    assert soiled.get().hedge_ratio == pytest.approx(clean.get().hedge_ratio, rel=1e-9)
    assert soiled.get().scale == pytest.approx(clean.get().scale, rel=1e-9)


def test_a_leg_that_stands_still_is_said() -> None:
    moments = ExponentialMoments(0.5)
    for number in range(200):
        moments.update(float(min(number, 3)), float(number))
    with pytest.raises(NotEnoughDataError, match="x did not move lately"):
        moments.line()


def test_weights_of_hardly_two_observations_determine_no_scale() -> None:
    estimator = Ewma(1, forgetting=0.2)
    for y, x in [(1.0, 2.0), (2.0, 1.0), (3.0, 7.0)]:
        estimator.update(y, x)
    with pytest.raises(NotEnoughDataError, match="more than 2 observations"):
        estimator.get()


@pytest.mark.parametrize("forgetting", [0.0, 1.0, -0.5, 1.5])
def test_a_factor_that_forgets_nothing_or_all_is_refused(forgetting: float) -> None:
    with pytest.raises(ValueError, match=f"between 0 and 1, received {forgetting}"):
        ExponentialMoments(forgetting)
