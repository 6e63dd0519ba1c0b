import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quant.moments import Moments, RollingMoments
from tests.unit.quant.series import Array, fresh, kinds, legs, samples, seeds

prices = st.floats(min_value=1e-3, max_value=1e6)
observations = st.lists(st.tuples(prices, prices), min_size=1, max_size=200)


def plain(points: list[tuple[float, float]]) -> Moments:
    x, y = np.array(points).T
    return Moments(*fresh(y, x))


def assert_equal(moments: Moments, y: Array, x: Array) -> None:
    expected = fresh(y, x)
    assert moments.n == expected.n
    assert moments.mean_x == pytest.approx(expected.mean_x, rel=1e-12)
    assert moments.mean_y == pytest.approx(expected.mean_y, rel=1e-12)
    # Below the rounding of the mean nothing is known of a sum of squares.
    noise_x, noise_y = (1e-15 * len(x) * abs(leg).max() for leg in (x, y))
    assert moments.sxx == pytest.approx(expected.sxx, rel=1e-9, abs=noise_x**2)
    assert moments.syy == pytest.approx(expected.syy, rel=1e-9, abs=noise_y**2)
    unit = np.sqrt(expected.sxx * expected.syy)
    assert moments.sxy == pytest.approx(expected.sxy, rel=0, abs=1e-9 * unit + noise_x * noise_y)


@settings(max_examples=60, deadline=None)
@given(kind=kinds, seed=seeds, window=st.integers(1, 90))
def test_every_window_equals_a_fresh_computation(kind: str, seed: int, window: int) -> None:
    y, x = legs(kind, seed, 3 * window + 7)
    rolling = RollingMoments(window)
    for end, (b, a) in enumerate(samples(y, x), start=1):
        rolling.update(a, b)
        start = max(0, end - window)
        assert_equal(rolling.get(), y[start:end], x[start:end])


@given(observations, st.integers(1, 50))
def test_the_observations_are_those_of_the_window(points: list[tuple[float, float]], window: int) -> None:
    rolling = RollingMoments(window)
    for number, (x, y) in enumerate(points, start=1):
        rolling.update(x, y)
        xs, ys = rolling.observations()
        assert list(zip(xs, ys, strict=True)) == points[max(0, number - window) : number]


@given(observations, st.integers(1, 90), st.data())
def test_many_observations_at_once_are_to_the_bit_the_same_one_by_one(
    points: list[tuple[float, float]], window: int, data: st.DataObject
) -> None:
    position = data.draw(st.integers(0, window - 1))
    cut = data.draw(st.integers(0, len(points)))
    one, many = RollingMoments(window, position), RollingMoments(window, position)
    for x, y in points:
        one.update(x, y)
    for part in points[:cut], points[cut:]:
        many.extend([x for x, _ in part], [y for _, y in part])
    for _ in range(window + 1):
        assert (many.get(), many.position, many.observations()) == (
            one.get(),
            one.position,
            one.observations(),
        )
        one.update(1.0, 2.0)
        many.update(1.0, 2.0)


@given(observations, observations)
def test_a_merge_is_the_moments_of_both(a: list[tuple[float, float]], b: list[tuple[float, float]]) -> None:
    assert plain(a).merge(plain(b)) == pytest.approx(plain(a + b), rel=1e-9, abs=1e-3)


@pytest.mark.parametrize("window", [300, 3_600])
def test_an_absurd_price_leaves_no_trace_after_it_left_the_window(window: int) -> None:
    random = np.random.default_rng(7)
    points = [(float(x), float(y)) for x, y in 1e5 + np.cumsum(random.normal(size=(3 * window, 2)), axis=0)]
    clean, soiled = RollingMoments(window), RollingMoments(window)
    for number, (x, y) in enumerate(points):
        clean.update(x, y)
        soiled.update(*((1e15, 1e-3) if number == window + 5 else (x, y)))
    assert soiled.get() == clean.get()


@pytest.mark.parametrize("window", [0, -1])
def test_a_window_of_nothing_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1 observation, received {window}"):
        RollingMoments(window)


@pytest.mark.parametrize("position", [-1, 5])
def test_a_position_outside_of_the_window_is_refused(position: int) -> None:
    with pytest.raises(ValueError, match=f"position of 0 to 4 in the window, received {position}"):
        RollingMoments(5, position)
