"""Hurst exponent of series whose exponent is known."""

import numpy as np
import pytest

from services.quant.fit import NotEnoughDataError
from services.quant.statistical_tests.hurst import hurst
from tests.unit.quant.series import Array


def fractional_walks(random: np.random.Generator, count: int, n: int, exponent: float) -> Array:
    """Return fractional Brownian motions, one a row, by the Cholesky factor of their covariance."""
    t = np.arange(1.0, n + 1)
    powers = t ** (2 * exponent)
    covariance = (powers[:, None] + powers - np.abs(t[:, None] - t) ** (2 * exponent)) / 2
    walks: Array = random.normal(size=(count, n)) @ np.linalg.cholesky(covariance).T
    return walks


@pytest.mark.parametrize("exponent", [0.2, 0.35, 0.5, 0.65, 0.8])
def test_that_of_a_fractional_walk_is_its_own(exponent: float) -> None:
    walks = fractional_walks(np.random.default_rng(1), 12, 1_000, exponent)
    assert np.mean([hurst(walk).exponent for walk in walks]) == pytest.approx(exponent, abs=0.04)


def test_that_of_noise_is_near_zero_and_of_a_trend_is_one() -> None:
    assert hurst(np.random.default_rng(2).normal(size=2_000)).exponent == pytest.approx(0, abs=0.02)
    assert hurst(np.arange(500.0)).exponent == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("n", [100, 1_000])
def test_the_standard_error_is_the_deviation_between_random_walks(n: int) -> None:
    walks = np.cumsum(np.random.default_rng(4).normal(size=(600, n)), axis=1)
    found = [hurst(walk) for walk in walks]
    assert found[0].standard_error == pytest.approx(np.std([one.exponent for one in found]), rel=0.1)


def test_unit_and_level_do_not_matter() -> None:
    walk = np.cumsum(np.random.default_rng(3).normal(size=500))
    assert hurst(1e-200 * walk).exponent == pytest.approx(hurst(walk).exponent, rel=1e-9)
    assert hurst(walk - 5).longest == 50


def test_short_or_still_series_are_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="at least 100 observations, there are 99"):
        hurst(np.arange(99.0))
    with pytest.raises(NotEnoughDataError, match="does not move"):
        hurst(np.full(200, 3.0))
