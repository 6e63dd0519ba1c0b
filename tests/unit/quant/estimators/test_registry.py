"""Properties of every estimator."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.quant.estimators.registry import ESTIMATORS, ON_BAR_CLOSE, Estimator, Method, create
from services.quant.fit import Fit, NotEnoughDataError
from services.quant.moments import RollingMoments
from services.quant.transform import TRANSFORMS, Transform
from tests.unit.quant.series import exact_scale, kinds, legs, samples, seeds

METHODS = sorted(ESTIMATORS)
ROLLING: list[Method] = ["ols", "ols_origin", "tls", "huber", "theil_sen"]
methods = st.sampled_from(METHODS)


def fit_of(estimator: Estimator) -> Fit | str:
    try:
        return estimator.get()
    except NotEnoughDataError as error:
        return str(error)


def fits(estimator: Estimator, points: list[tuple[float, float]]) -> list[Fit | str]:
    """Return what there was before each observation."""
    before = []
    for y, x in points:
        before.append(fit_of(estimator))
        estimator.update(y, x)
    return before


@settings(max_examples=80, deadline=None)
@given(method=methods, kind=kinds, seed=seeds, cut=st.integers(0, 59))
def test_changing_the_future_changes_nothing_in_the_past(
    method: Method, kind: str, seed: int, cut: int
) -> None:
    points = samples(*legs(kind, seed, 60))
    other = points[:cut] + [(3 * y + 1, x / 7) for y, x in points[cut:]]
    assert fits(create(method, 20), points)[: cut + 1] == fits(create(method, 20), other)[: cut + 1]


@settings(max_examples=120, deadline=None)
@given(method=methods, kind=kinds, seed=seeds, window=st.integers(2, 40), stop=st.integers(0, 100))
def test_a_restored_estimator_goes_on_bit_for_bit(
    method: Method, kind: str, seed: int, window: int, stop: int
) -> None:
    points = samples(*legs(kind, seed, 160))
    going = create(method, window)
    for y, x in points[:stop]:
        going.update(y, x)
    state = json.loads(json.dumps(going.state()))
    assert len(state) <= 12
    restored = create(method, window)
    restored.restore(state, points[max(0, stop - going.memory) : stop])
    assert fits(restored, points[stop:]) == fits(going, points[stop:])


@pytest.mark.parametrize("method", ROLLING)
def test_an_absurd_price_leaves_no_trace_after_it_left_the_window(method: Method) -> None:
    points = samples(*legs("walk", 5, 200))
    soiled = [*points[:70], (1e9, points[70][1]), (points[71][0], 1e9), *points[72:]]
    clean, other = fits(create(method, 50), points), fits(create(method, 50), soiled)
    assert clean[72] != other[72]
    assert clean[122:] == other[122:]


@settings(max_examples=120, deadline=None)
@given(method=st.sampled_from(["ols", "ols_origin", "tls"]), kind=kinds, seed=seeds, n=st.integers(10, 150))
def test_the_scale_has_all_its_digits_however_closely_y_follows_x(
    method: Method, kind: str, seed: int, n: int
) -> None:
    y, x = legs(kind, seed, n)
    estimator = create(method, 60)
    for point in samples(y, x):
        estimator.update(*point)
    fit = fit_of(estimator)
    if isinstance(fit, Fit):
        expected = exact_scale(fit, y[-60:], x[-60:], 1 if method == "ols_origin" else 2)
        rounding = 2e-14 * float(np.sqrt(np.mean(y[-60:] ** 2)))
        assert fit.scale == pytest.approx(expected, rel=1e-9, abs=rounding)


CHEAP_AND_ABSURD = [(2e-5 + 3e-9 * (n % 5), 1e9 if n == 8 else 1e-5 + 1e-9 * (n % 3)) for n in range(30)]


@settings(max_examples=200, deadline=None)
@example(method="kalman", points=CHEAP_AND_ABSURD, window=20)
@given(
    method=methods,
    points=st.lists(st.tuples(*[st.floats(1e-9, 1e9)] * 2), max_size=40),
    window=st.integers(3, 20),
)
def test_whatever_the_prices_there_is_a_finite_number_or_none(
    method: Method, points: list[tuple[float, float]], window: int
) -> None:
    """Any other error would end the worker, again and again."""
    estimator = create(method, window)
    for y, x in points:
        fit = fit_of(estimator)
        if isinstance(fit, Fit):
            assert np.isfinite([fit.hedge_ratio, fit.intercept, fit.scale]).all()
            if fit.scale_at(x):
                assert np.isfinite(fit.zscore(y, x))
        estimator.update(y, x)


@pytest.mark.parametrize("method", METHODS)
def test_swapped_legs_are_another_regression(method: Method) -> None:
    y, x = legs("walk", 3, 100)
    pair, swapped = create(method, 80), create(method, 80)
    for b, a in samples(np.log(y), np.log(x)):
        pair.update(b, a)
        swapped.update(a, b)
    product = pair.get().hedge_ratio * swapped.get().hedge_ratio
    if method == "tls":
        assert product == pytest.approx(1, rel=1e-9)
    else:
        assert product != pytest.approx(1, rel=1e-9)
    assert pair.get().hedge_ratio != pytest.approx(swapped.get().hedge_ratio, rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_line_is_found(method: Method) -> None:
    random = np.random.default_rng(9)
    x = 100 + np.cumsum(random.normal(size=400))
    y = (0 if method == "ols_origin" else 20) + 1.5 * x + 0.1 * random.normal(size=400)
    estimator = create(method, 200)
    for b, a in samples(y, x):
        estimator.update(b, a)
    fit = estimator.get()
    assert fit.hedge_ratio == pytest.approx(1.5, abs=0.03)
    assert fit.spread(120 + fit.spread(0, 0), 80) == pytest.approx(
        120 - 80 * fit.hedge_ratio - 2 * fit.intercept
    )
    assert abs(fit.zscore(float(y[-1]), float(x[-1]))) < 5
    assert fit.samples == (200 if method in ROLLING else 400)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_observations_are_said(method: Method, n: int) -> None:
    estimator = create(method, 10)
    for y, x in [(1.0, 2.0), (2.0, 5.0)][:n]:
        estimator.update(y, x)
    with pytest.raises(NotEnoughDataError, match=str(n)):
        estimator.get()


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"ols_origin"}))
@pytest.mark.parametrize("price", [0.1, 7.6110, 61234.5])
def test_a_flat_leg_has_no_hedge_ratio(method: Method, price: float) -> None:
    estimator = create(method, 50)
    for number in range(250):
        estimator.update(1 + 0.01 * number, price)
    with pytest.raises(NotEnoughDataError, match="x did not move"):
        estimator.get()


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"ols_origin"}))
def test_legs_in_step_have_no_zscore_or_only_that_of_rounding(method: Method) -> None:
    estimator = create(method, 100)
    for x in np.linspace(1, 2, 150).tolist():
        estimator.update(3 + 2 * x, x)
    fit = estimator.get()
    assert fit.hedge_ratio == pytest.approx(2)
    assert fit.scale < 1e-14


@pytest.mark.parametrize("factor", [7e-5, 1 / 3, 2.0])
@pytest.mark.parametrize(
    ("method", "transform"), [(m, t) for m in METHODS for t in TRANSFORMS if (m, t) != ("ols_origin", "log")]
)
def test_a_leg_that_is_a_multiple_of_the_other_has_no_zscore(
    method: Method, transform: Transform, factor: float
) -> None:
    estimator, seen = create(method, 60, transform), TRANSFORMS[transform]
    steps = np.random.default_rng(1).normal(0, 5e-5, 300)
    for x in (60_000 * np.exp(np.cumsum(steps))).tolist():
        found = fit_of(estimator)
        if isinstance(found, Fit):
            with pytest.raises(NotEnoughDataError, match="spread did not move"):
                found.zscore(seen(factor * x), seen(x))
        estimator.update(seen(factor * x), seen(x))
    assert isinstance(found, Fit)


def test_a_fit_without_error_has_no_zscore() -> None:
    with pytest.raises(NotEnoughDataError, match="spread did not move"):
        Fit(hedge_ratio=2.0, intercept=1.0, scale=0.0, samples=3).zscore(5.0, 1.0)


@pytest.mark.parametrize("method", METHODS)
def test_a_window_of_nothing_is_refused(method: Method) -> None:
    with pytest.raises(ValueError, match="at least 1 observation, received 0"):
        create(method, 0)


def test_those_that_read_the_window_are_named() -> None:
    assert set(METHODS) >= ON_BAR_CLOSE


@pytest.mark.parametrize("method", METHODS)
def test_the_moments_are_those_of_the_window_or_none(method: Method) -> None:
    moments = create(method, 5).moments
    assert isinstance(moments, RollingMoments) == (method in ROLLING)
    assert moments is None or moments.window == 5


def test_a_logarithm_needs_a_price_above_0() -> None:
    assert TRANSFORMS["price"](5.0) == 5
    assert TRANSFORMS["log"](1.0) == 0
    for price in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="expected a price above 0"):
            TRANSFORMS["log"](price)
