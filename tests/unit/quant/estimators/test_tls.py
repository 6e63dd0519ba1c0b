import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quant.estimators.tls import Tls
from services.quant.fit import NotEnoughDataError, is_flat
from tests.unit.quant.series import fresh, kinds, legs, samples, seeds


def fitted(points: list[tuple[float, float]], window: int) -> Tls:
    estimator = Tls(window)
    for y, x in points:
        estimator.update(y, x)
    return estimator


@settings(max_examples=60, deadline=None)
@given(seed=seeds, n=st.integers(10, 100), slope=st.floats(-50, 50))
def test_the_line_is_the_first_principal_component(seed: int, n: int, slope: float) -> None:
    random = np.random.default_rng(seed)
    x = 100 + random.normal(0, 3, n)
    y = 7 + slope * x + random.normal(size=n)
    fit = fitted(samples(y, x), n).get()
    _, _, axes = np.linalg.svd(np.column_stack([x - x.mean(), y - y.mean()]))
    assert np.arctan(fit.hedge_ratio) == pytest.approx(np.arctan(axes[0, 1] / axes[0, 0]), abs=1e-9)
    residuals = y - fit.intercept - fit.hedge_ratio * x
    assert residuals.mean() == pytest.approx(0, abs=1e-9 * (1 + abs(fit.hedge_ratio)))
    assert fit.scale == pytest.approx(np.sqrt(residuals @ residuals / (n - 2)), rel=1e-7)


@settings(max_examples=60, deadline=None)
@given(kind=kinds, seed=seeds, window=st.integers(3, 60))
def test_every_window_equals_a_fresh_computation(kind: str, seed: int, window: int) -> None:
    y, x = legs(kind, seed, 2 * window + 5)
    estimator = Tls(window)
    for end, (b, a) in enumerate(samples(y, x), start=1):
        estimator.update(b, a)
        expected = fresh(y[max(0, end - window) : end], x[max(0, end - window) : end])
        root = np.hypot((expected.syy - expected.sxx) / 2, expected.sxy)
        if expected.n < 3 or is_flat(expected.sxx, expected.mean_x, expected.n) or root == 0:
            continue
        if expected.sxy == 0 and expected.syy >= expected.sxx:
            continue
        angle = 0.5 * np.arctan2(2 * expected.sxy, expected.sxx - expected.syy)
        # Legs that move alike in every direction have no line: what is known of it falls with `root`.
        certain = root / (expected.sxx + expected.syy)
        error = np.arctan(estimator.get().hedge_ratio) - angle
        assert abs(np.sin(error)) <= 1e-9 / certain


@pytest.mark.parametrize(
    "points", [[(1.0, 1.0), (2.0, 0.0), (1.0, -1.0), (0.0, 0.0)], [(0, 1), (9, 2), (0, 3)]]
)
def test_legs_without_a_direction_have_no_line(points: list[tuple[float, float]]) -> None:
    with pytest.raises(NotEnoughDataError, match="no line is nearest"):
        fitted(points, 4).get()


def test_y_that_stands_still_has_the_slope_0() -> None:
    fit = fitted([(5.0, 1.0), (5.0, 2.0), (5.0, 4.0)], 3).get()
    assert (fit.hedge_ratio, fit.intercept, fit.scale) == (0, 5, 0)
