import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quant.correlation.rolling import correlation
from services.quant.estimators import ols
from services.quant.fit import is_flat
from services.quant.moments import Moments, RollingMoments
from tests.unit.quant.series import fresh, kinds, legs, samples, seeds


def moments_of(x: "np.typing.ArrayLike", y: "np.typing.ArrayLike") -> Moments:
    pairs = list(zip(np.asarray(x, float), np.asarray(y, float), strict=True))
    rolling = RollingMoments(len(pairs))
    for a, b in pairs:
        rolling.update(float(a), float(b))
    return rolling.get()


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(5, 400),
    level=st.floats(1e-2, 1e5),
    slope=st.floats(-10, 10),
    noise=st.floats(1e-3, 1),
)
def test_the_fit_equals_statsmodels(seed: int, n: int, level: float, slope: float, noise: float) -> None:
    random = np.random.default_rng(seed)
    x = level * np.exp(np.cumsum(random.normal(0, 1e-3, n)))
    y = 3 * level + slope * x + noise * level * 1e-3 * random.normal(size=n)
    expected = sm.OLS(y, sm.add_constant(x)).fit()
    fit = ols.fit(moments_of(x, y))
    assert fit.intercept == pytest.approx(expected.params[0], rel=1e-6, abs=1e-6 * level)
    assert fit.hedge_ratio == pytest.approx(expected.params[1], rel=1e-7, abs=1e-7)
    # What is left of y after a nearly perfect fit is a difference of nearly equal sums.
    rounding = 1e-14 / (1 - expected.rsquared)
    assert fit.scale == pytest.approx(expected.mse_resid**0.5, rel=1e-9 + rounding)
    assert fit.hedge_ratio_se == pytest.approx(expected.bse[1], rel=1e-9 + rounding)
    assert correlation(moments_of(x, y)) == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-9)


def test_swapped_legs_are_another_regression() -> None:
    x, y = [1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 7.0, 7.0]
    assert ols.fit(moments_of(x, y)).hedge_ratio == pytest.approx(1.9)
    assert ols.fit(moments_of(y, x)).hedge_ratio == pytest.approx(9.5 / 20.75)


def test_spread_and_zscore_of_an_observation_outside_the_window() -> None:
    fit = ols.Fit(hedge_ratio=2.0, intercept=1.0, scale=0.5, samples=300)
    assert fit.spread(y=8.0, x=3.0) == 1.0
    assert fit.zscore(y=8.0, x=3.0) == 2.0


@pytest.mark.parametrize("price", [0.1, 7.6110, 61234.5])
def test_a_flat_leg_has_no_hedge_ratio_and_no_correlation(price: float) -> None:
    moving = np.linspace(1, 2, 250)
    flat = np.full(250, price)
    with pytest.raises(ols.NotEnoughDataError, match="x did not move"):
        ols.fit(moments_of(flat, moving))
    with pytest.raises(ols.NotEnoughDataError, match="y did not move"):
        correlation(moments_of(moving, flat))


def test_a_perfect_fit_has_no_zscore() -> None:
    x = np.linspace(1, 2, 100)
    fit = ols.fit(moments_of(x, 3 + 2 * x))
    assert fit.scale == 0
    with pytest.raises(ols.NotEnoughDataError, match="spread did not move"):
        fit.zscore(5.0, 1.0)


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_observations_are_said(n: int) -> None:
    with pytest.raises(ols.NotEnoughDataError, match=f"there are {n}"):
        ols.fit(moments_of([1.0, 2.0][:n], [1.0, 5.0][:n]))


@settings(max_examples=60, deadline=None)
@given(kind=kinds, seed=seeds, window=st.integers(3, 60))
def test_fit_and_correlation_of_every_window_equal_a_fresh_computation(
    kind: str, seed: int, window: int
) -> None:
    y, x = legs(kind, seed, 3 * window + 5)
    estimator = ols.Ols(window)
    for end, (b, a) in enumerate(samples(y, x), start=1):
        estimator.update(b, a)
        expected = fresh(y[max(0, end - window) : end], x[max(0, end - window) : end])
        if expected.n < 3 or is_flat(expected.sxx, expected.mean_x, expected.n):
            with pytest.raises(ols.NotEnoughDataError):
                estimator.get()
            continue
        fit = estimator.get()
        tolerance = 1e-9 * expected.natural
        assert fit.hedge_ratio == pytest.approx(expected.sxy / expected.sxx, rel=0, abs=tolerance)
        if not is_flat(expected.syy, expected.mean_y, expected.n):
            pearson = expected.sxy / np.sqrt(expected.sxx) / np.sqrt(expected.syy)
            assert correlation(estimator.moments.get()) == pytest.approx(pearson, abs=1e-9)


def test_movement_within_the_rounding_of_a_price_is_none() -> None:
    price = 61234.5
    rounding = np.where(np.arange(250) % 3 == 0, np.nextafter(price, np.inf), price)
    with pytest.raises(ols.NotEnoughDataError, match="x did not move"):
        ols.fit(moments_of(rounding, np.linspace(1, 2, 250)))
    for name, x, y in (("x", rounding, np.arange(250.0)), ("y", np.arange(250.0), rounding)):
        with pytest.raises(ols.NotEnoughDataError, match=f"{name} did not move"):
            correlation(moments_of(x, y))
