import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quant.moments import Moments, RollingMoments

prices = st.floats(min_value=1e-3, max_value=1e6)
observations = st.lists(st.tuples(prices, prices), min_size=1, max_size=200)


def plain(points: list[tuple[float, float]]) -> Moments:
    x, y = np.array(points).T
    dx, dy = x - x.mean(), y - y.mean()
    return Moments(len(points), x.mean(), y.mean(), dx @ dx, dx @ dy, dy @ dy)


@given(observations, st.integers(1, 50))
def test_the_window_equals_a_fresh_computation(points: list[tuple[float, float]], window: int) -> None:
    rolling = RollingMoments(window)
    for x, y in points:
        rolling.update(x, y)
    assert rolling.get() == pytest.approx(plain(points[-window:]), rel=1e-9, abs=1e-3)


@given(observations, observations)
def test_a_merge_is_the_moments_of_both(a: list[tuple[float, float]], b: list[tuple[float, float]]) -> None:
    assert plain(a).merge(plain(b)) == pytest.approx(plain(a + b), rel=1e-9, abs=1e-3)


def test_an_absurd_price_leaves_no_trace_after_it_left_the_window() -> None:
    random = np.random.default_rng(7)
    rolling = RollingMoments(300)
    points = [(float(x), float(y)) for x, y in 1e5 + np.cumsum(random.normal(size=(20_000, 2)), axis=0)]
    points[15_000] = (1e15, 1e-3)
    for x, y in points:
        rolling.update(x, y)
    assert rolling.get() == pytest.approx(plain(points[-300:]), rel=1e-9)


@pytest.mark.parametrize("window", [0, -1])
def test_a_window_of_nothing_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1 observation, received {window}"):
        RollingMoments(window)
