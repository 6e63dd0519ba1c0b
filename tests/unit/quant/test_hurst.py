"""Hurst's exponent of series whose exponent is known."""

import numpy as np
import pytest

from services.quant.fit import NotEnoughDataError
from services.quant.hurst import hurst
from tests.unit.quant.series import Array


def fractional_walk(random: np.random.Generator, n: int, exponent: float) -> Array:
    """Return a fractional Brownian motion, by the Cholesky factor of its covariance."""
    t = np.arange(1.0, n + 1)
    powers = t ** (2 * exponent)
    covariance = (powers[:, None] + powers - np.abs(t[:, None] - t) ** (2 * exponent)) / 2
    walk: Array = np.linalg.cholesky(covariance) @ random.normal(size=n)
    return walk


@pytest.mark.parametrize("exponent", [0.2, 0.35, 0.5, 0.65, 0.8])
def test_that_of_a_fractional_walk_is_its_own(exponent: float) -> None:
    random = np.random.default_rng(1)
    found = [hurst(fractional_walk(random, 1_000, exponent)).exponent for _ in range(12)]
    assert np.mean(found) == pytest.approx(exponent, abs=0.04)


def test_that_of_noise_is_near_zero_and_of_a_trend_is_one() -> None:
    assert hurst(np.random.default_rng(2).normal(size=2_000)).exponent == pytest.approx(0, abs=0.02)
    assert hurst(np.arange(500.0)).exponent == pytest.approx(1, abs=1e-9)


def test_unit_and_level_do_not_matter() -> None:
    walk = np.cumsum(np.random.default_rng(3).normal(size=500))
    assert hurst(1e-200 * walk).exponent == pytest.approx(hurst(walk).exponent, rel=1e-9)
    assert hurst(walk - 5).longest == 50


def test_short_or_still_series_are_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="at least 100 observations, there are 99"):
        hurst(np.arange(99.0))
    with pytest.raises(NotEnoughDataError, match="does not move"):
        hurst(np.full(200, 3.0))
