"""Calibration: every number beside scipy and statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from statsmodels.tsa.stattools import acf

from services.quant.analysis.calibration import (
    EDGE,
    LAGS,
    QUANTILES,
    autocorrelations,
    beyond,
    calibrate,
    histogram,
    quantiles,
)
from services.quant.analysis.entries import Bands, Seconds
from services.quant.fit import NotEnoughDataError
from tests.unit.quant.statistical_tests.test_unit_root import autoregressive

SECOND = 1_000_000
BANDS = Bands(entry=2.0, exit=0.5, stop=4.0, within_us=900 * SECOND)


def normal(n: int, seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=n)


def seconds(n: int) -> NDArray[np.int64]:
    return np.arange(n, dtype=np.int64) * SECOND


def measured(zscore: NDArray[np.float64], spread: NDArray[np.float64]) -> Seconds:
    return Seconds(seconds(len(zscore)), zscore, spread, np.zeros(len(zscore), bool))


@given(st.lists(st.floats(-9, 9, width=16), min_size=30, max_size=300).filter(lambda z: len(set(z)) > 1))
def test_every_zscore_is_in_one_bin(zscores: list[float]) -> None:
    bins = histogram(np.array(zscores))
    assert sum(one.count for one in bins) == len(zscores)
    assert sum(one.share for one in bins) == pytest.approx(1)
    for one in bins:
        low, high = -np.inf if one.low is None else one.low, np.inf if one.high is None else one.high
        assert one.count == sum(low <= z < high for z in zscores)


def test_the_density_is_that_of_numpy_and_the_normal_that_of_scipy() -> None:
    z = normal(5_000)
    inner = histogram(z)[1:-1]
    edges = np.array([one.low for one in inner] + [EDGE])
    density, _ = np.histogram(z, edges, density=True)
    assert [one.density for one in inner] == pytest.approx(density.tolist(), abs=1e-12)
    middles = (edges[1:] + edges[:-1]) / 2
    assert [one.normal for one in inner] == pytest.approx(stats.norm.pdf(middles).tolist(), rel=1e-12)


@pytest.mark.parametrize("n", [30, QUANTILES, 5_000, 86_400])
def test_quantiles_are_those_of_probplot(n: int) -> None:
    z = 1.5 * normal(n)
    (theory, ordered), _ = stats.probplot(z)
    found = quantiles(z)
    places = [one.order - 1 for one in found]
    assert [one.normal for one in found] == pytest.approx(theory[places].tolist(), abs=1e-9)
    assert [one.zscore for one in found] == ordered[places].tolist()
    assert (places[0], places[-1]) == (0, n - 1)
    assert len(places) == n if n <= QUANTILES else 250 < len(places) <= QUANTILES + 1
    # Thinned evenly along the axis: nowhere is a gap wider than the points there themselves leave.
    if n > QUANTILES:
        step = 2 * theory[-1] / (QUANTILES - 1)
        inner = np.abs(theory[places]) < 2
        assert np.diff(theory[places][inner]).max() < 2.1 * step


@pytest.mark.parametrize("n", [30, 400, 3_000])
def test_autocorrelations_are_those_of_statsmodels(n: int) -> None:
    spread = 1e-9 * autoregressive(np.random.default_rng(2), n, 0.9) + 1e-8
    found = autocorrelations(seconds(n), spread)
    lags = min(LAGS, n // 4)
    known = acf(spread * 1e9, nlags=lags, fft=False, alpha=0.05, bartlett_confint=False, result_object=True)
    expected, interval = known.acf, known.confint
    assert [one.lag_s for one in found] == list(range(lags + 1))
    assert [one.acf for one in found] == pytest.approx(expected.tolist(), abs=1e-9)
    assert found[1].bound == pytest.approx(interval[1, 1] - expected[1], rel=1e-9)


def test_a_missing_second_is_a_pair_with_none() -> None:
    n = 2_000
    spread = autoregressive(np.random.default_rng(3), n, 0.95)
    kept = np.sort(np.random.default_rng(4).permutation(n)[: n // 2])
    with_holes = np.full(n, np.nan)
    with_holes[kept] = spread[kept]
    expected = acf(with_holes, nlags=LAGS, fft=False, missing="conservative")
    found = autocorrelations(kept * SECOND, spread[kept])
    assert [one.acf for one in found] == pytest.approx(expected.tolist(), abs=1e-9)


def test_a_long_gap_changes_nothing_but_what_lies_across_it() -> None:
    spread = autoregressive(np.random.default_rng(5), 600, 0.9)
    near, far = seconds(600), seconds(600)
    near[300:] += (LAGS + 1) * SECOND
    far[300:] += 10**6 * SECOND
    assert autocorrelations(near, spread) == autocorrelations(far, spread)
    grid = np.full(near[-1] // SECOND + 1, np.nan)
    grid[near // SECOND] = spread
    expected = acf(grid, nlags=LAGS, fft=False, missing="conservative")
    assert [one.acf for one in autocorrelations(near, spread)] == pytest.approx(expected.tolist(), abs=1e-9)
    assert autocorrelations(near, spread) != autocorrelations(seconds(600), spread)


def test_levels_are_counted_as_they_are_and_as_a_normal_would() -> None:
    z = normal(10_000)
    found = {one.level: one for one in beyond(z, 2.25)}
    assert 2.25 in found
    for level, one in found.items():
        assert one.seconds == int((np.abs(z) >= level).sum())
        assert one.share == one.seconds / len(z)
        assert one.normal == pytest.approx(2 * stats.norm.sf(level), rel=1e-12)


def test_a_zscore_at_the_entry_is_beyond_it_as_the_alert_has_it() -> None:
    z = np.array([2.0, -2.0, 1.0] * 10)
    assert next(one.seconds for one in beyond(z, 2.0) if one.level == 2.0) == 20


def test_a_calibration_has_every_part() -> None:
    z = autoregressive(np.random.default_rng(6), 20_000, 0.97)
    z = z / z.std()
    found = calibrate(measured(z, 3 * z), BANDS)
    assert found.not_enough_data == {}
    assert found.moments is not None
    assert (found.moments.mean, found.moments.deviation) == pytest.approx((z.mean(), z.std(ddof=1)))
    assert found.hit_rate is not None
    assert found.hit_rate.entries == len(found.entries) > 50
    assert found.waits[-1].share <= 1


@pytest.mark.parametrize(
    ("zscore", "reason"),
    [
        (np.zeros(0), "at least 30 seconds with a z-score are needed, there are 0"),
        (np.zeros(100), "the z-score stands still: it is 0 in all of 100 seconds"),
        (np.full(100, 2.5), "the z-score stands still: it is 2.5 in all of 100 seconds"),
        (normal(29), "at least 30 seconds with a z-score are needed, there are 29"),
    ],
)
def test_what_says_nothing_is_a_reason_and_no_number(zscore: NDArray[np.float64], reason: str) -> None:
    found = calibrate(measured(zscore, 0 * zscore), BANDS)
    assert (found.moments, found.histogram, found.qq, found.beyond) == (None, [], [], [])
    assert {found.not_enough_data[part] for part in ("moments", "histogram", "qq", "beyond")} == {reason}
    assert "spread" in found.not_enough_data["acf"]
    assert found.acf == []


def test_a_zscore_that_never_enters_has_no_hit_rate() -> None:
    z = np.clip(normal(500), -1.9, 1.9)
    found = calibrate(measured(z, z), BANDS)
    assert (found.hit_rate, found.waits, found.entries) == (None, [], [])
    assert found.not_enough_data["hit_rate"].startswith("no entry: the z-score never went")
    with pytest.raises(NotEnoughDataError):
        histogram(np.ones(50))
