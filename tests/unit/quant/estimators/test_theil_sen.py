from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import theilslopes

from services.quant.estimators.theil_sen import TheilSen, _distances
from tests.unit.quant.series import kinds, legs, samples, seeds


def fitted(points: list[tuple[float, float]], window: int, pairs: int = 20_000) -> TheilSen:
    estimator = TheilSen(window, pairs)
    for y, x in points:
        estimator.update(y, x)
    return estimator


@settings(max_examples=60, deadline=None)
@given(kind=kinds, seed=seeds, n=st.integers(3, 80), window=st.integers(3, 60))
def test_the_fit_equals_scipy(kind: str, seed: int, n: int, window: int) -> None:
    y, x = legs(kind, seed, n)
    y, x = y[-window:], x[-window:]
    if np.ptp(x) == 0:
        return
    fit = fitted(samples(*legs(kind, seed, n)), window).get()
    # Its confidence interval, which we do not ask for, is invalid when prices repeat.
    with np.errstate(invalid="ignore"):
        expected = theilslopes(y, x, method="joint")
    assert fit.hedge_ratio == pytest.approx(expected.slope, rel=1e-12)
    assert fit.intercept == pytest.approx(expected.intercept, rel=1e-12, abs=1e-12 * abs(y).max())


@pytest.mark.parametrize(("n", "pairs"), [(2, 5), (7, 100), (8, 100), (200, 20_000)])
def test_a_small_window_compares_every_pair_once(n: int, pairs: int) -> None:
    compared = Counter(
        frozenset((i, (i + distance) % n))
        for distance in _distances(n, pairs)
        for i in range(n // 2 if 2 * distance == n else n)
    )
    assert compared == Counter(map(frozenset, combinations(range(n), 2)))


@given(n=st.integers(2, 500), pairs=st.integers(1, 5_000))
def test_a_large_window_compares_every_observation_equally_often(n: int, pairs: int) -> None:
    distances = _distances(n, pairs)
    assert len(set(distances)) == len(distances)
    assert all(1 <= distance <= n // 2 for distance in distances)
    assert len(distances) * n <= max(n, pairs)


def test_some_pairs_say_nearly_the_same_as_all() -> None:
    y, x = legs("walk", 2, 1_000)
    every, some = fitted(samples(y, x), 1_000, 500_000).get(), fitted(samples(y, x), 1_000).get()
    assert some.hedge_ratio == pytest.approx(every.hedge_ratio, rel=5e-3)
    assert some == fitted(samples(y, x), 1_000).get()


def test_a_quarter_may_be_absurd() -> None:
    random = np.random.default_rng(6)
    x = 100 + np.cumsum(random.normal(size=400))
    y = 3 + 2 * x + random.normal(size=400)
    y[random.permutation(400)[:50]] = 1e9
    x[random.permutation(400)[:50]] = 1e9
    fit = fitted(samples(y, x), 400).get()
    assert fit.hedge_ratio == pytest.approx(2, abs=0.3)


def test_no_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 pair of observations, received 0"):
        TheilSen(10, pairs=0)
