"""Half-life of a spread from its autoregression, with its confidence interval."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.quant.estimators.ols import Ols

# Of least squares' error, (b - rho) / sqrt((1 - rho^2) / n + 20 / n^2), the 2.5 %, 50 % and 97.5 % quantiles, by
# 8 n (1 - rho^2) / (1 + 3 rho)^2, the sum of Kendall's bias in units of the error; simulated: docs/statistics.md.
_UNIT_ROOT = 20.0
_ARGUMENTS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 512, math.inf)
_GIVEN_LINE = (
    (-3.757, -3.577, -3.425, -3.243, -3.056, -2.810, -2.611, -2.432, -2.292, -2.065, -1.960),
    (-0.969, -0.868, -0.796, -0.681, -0.566, -0.439, -0.335, -0.253, -0.185, -0.090, 0.0),
    (0.103, 0.205, 0.274, 0.398, 0.606, 0.862, 1.128, 1.339, 1.509, 1.734, 1.960),
)
_FITTED_LINE = (
    (-5.247, -4.956, -4.698, -4.310, -3.779, -3.377, -2.959, -2.641, -2.463, -2.162, -1.960),
    (-1.770, -1.600, -1.447, -1.254, -1.019, -0.788, -0.583, -0.430, -0.316, -0.181, 0.0),
    (-0.152, -0.057, 0.037, 0.183, 0.397, 0.684, 0.970, 1.198, 1.398, 1.661, 1.960),
)
# Of -1 / sqrt(1 + argument), which rises with it, the quantiles are almost straight lines.
_PLACES = tuple(-1 / math.sqrt(1 + argument) for argument in _ARGUMENTS)
_HALVINGS = 40

Values = NDArray[np.float64]


class HalfLife(NamedTuple):
    """`samples` until half of a deviation is gone, or None with the `reason`.

    `coefficient` is b of s[t] = a + b * s[t-1] + e, `standard_error` its own, both of `steps`. (b - 1) / standard_error
    is the Dickey-Fuller statistic: a random walk has b below 1 by chance, so a finite half-life proves nothing. It is
    biased short: `half_life_interval` corrects it.
    """

    samples: float | None
    coefficient: float
    standard_error: float
    steps: int
    reason: str | None = None


class HalfLifeInterval(NamedTuple):
    """`samples` is as often too long as too short; the truth lies from `low` to `high` with a probability of 95 %.

    None is no end at all: what a random walk leaves is not excluded. 0 is less than a sample.
    """

    samples: float | None
    low: float | None
    high: float | None


class RollingHalfLife:
    """ln(1/2) / ln(b) of the last `window` steps of a spread.

    This is exact for an AR(1), and what -ln(2) / (b - 1) approximates when b is near 1.
    Source: Chan, Algorithmic Trading (2013), chapter 2; Hamilton, Time Series Analysis, 3.4 for the AR(1).
    """

    def __init__(self, window: int) -> None:
        self._steps = Ols(window)
        self._last: float | None = None

    def update(self, spread: float) -> None:
        """Add the spread of the next sample."""
        if self._last is not None:
            self._steps.update(spread, self._last)
        self._last = spread

    def skip(self) -> None:
        """Forget the last spread: the next step would span a gap."""
        self._last = None

    def get(self) -> HalfLife:
        """Return the half-life; NotEnoughDataError with fewer than 3 steps or a spread that stood still."""
        fit = self._steps.get()
        b, error = fit.hedge_ratio, fit.hedge_ratio_se or 0.0
        if b >= 1:
            reason = "the spread does not revert to a mean: b is 1 or more"
            return HalfLife(None, b, error, fit.samples, reason)
        if b <= 0:
            reason = "the spread overshoots its mean within a sample: b is 0 or less"
            return HalfLife(None, b, error, fit.samples, reason)
        return HalfLife(_samples(b), b, error, fit.samples)


def half_life(spread: Iterable[float]) -> HalfLife:
    """Return the half-life of all of `spread`; NotEnoughDataError as ``RollingHalfLife.get``."""
    values = list(spread)
    estimator = RollingHalfLife(max(1, len(values) - 1))
    for value in values:
        estimator.update(value)
    return estimator.get()


def half_life_interval(found: HalfLife, *, fitted: bool = True) -> HalfLifeInterval:
    """Return the median-unbiased half-life of an AR(1) with an interval of 95 %, some ms after `found`.

    The same of many spreads is `half_life_intervals`.
    """
    ends = half_life_intervals(np.array([found.coefficient]), found.steps, fitted=fitted)
    return HalfLifeInterval(*(None if np.isnan(end) else end for end in ends[:, 0].tolist()))


def half_life_intervals(coefficients: Values, steps: int, *, fitted: bool = True) -> Values:
    """Return the median-unbiased half-lives of AR(1)s, and the ends of their intervals of 95 %, in three rows.

    NaN is no end. The coefficient is the one of which that of `coefficients` would be the median, the ends those of
    which it would be the 2.5 and the 97.5 % quantile. `fitted` says that least squares on these samples left the spread
    of two legs, which pulls it closer to 0; without it the line was given. At least 30 steps: with fewer the interval
    is not that of 95 %.
    Source: Andrews (1993), "Exactly Median-Unbiased Estimation of First Order Autoregressive/Unit Root Models".
    """
    high, middle, low = _FITTED_LINE if fitted else _GIVEN_LINE
    found = np.stack([_true(coefficients, steps, quantiles) for quantiles in (middle, low, high)])
    with np.errstate(divide="ignore"):
        return np.where(found >= 1, np.nan, np.maximum(math.log(0.5) / np.log(found), 0.0))


def _samples(b: float) -> float:
    return math.log(0.5) / math.log(b)


def _true(coefficients: Values, steps: int, quantiles: tuple[float, ...]) -> Values:
    """Return the rho in [0, 1] of whose estimates each of `coefficients` is that quantile."""
    low, high = np.zeros(len(coefficients)), np.ones(len(coefficients))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_low = _quantile(middle, steps, quantiles) <= coefficients
        low, high = np.where(is_low, middle, low), np.where(is_low, high, middle)
    low[coefficients >= _quantile(np.ones(1), steps, quantiles)] = 1.0
    return low


def _quantile(rho: Values, n: int, quantiles: tuple[float, ...]) -> Values:
    variance = (1 - rho * rho) / n
    places = -1 / np.sqrt(1 + 8 * n * n * variance / (1 + 3 * rho) ** 2)
    return rho + np.interp(places, _PLACES, quantiles) * np.sqrt(variance + _UNIT_ROOT / (n * n))
