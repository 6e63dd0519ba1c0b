"""Fit of a pair: a line through the prices of its legs, as every estimator returns it."""

import math
import sys

from msgspec import Struct

# A spread of values within a few units in the last place of their mean is rounding, not movement.
ROUNDING = 64 * sys.float_info.epsilon


class NotEnoughDataError(ValueError):
    """The observations do not determine the statistic; the message says why."""


class Fit(Struct, frozen=True):
    """y = intercept + hedge_ratio * x + residual, of `samples` observations.

    The intercept and `scale` are in units of y, the hedge ratio in y per x. `scale` is the standard deviation that
    a z-score divides by; which one, each estimator says. `hedge_ratio_se` is the standard error of the
    hedge ratio, None where the method has none.
    """

    hedge_ratio: float
    intercept: float
    scale: float
    samples: int
    hedge_ratio_se: float | None = None

    def spread(self, y: float, x: float) -> float:
        """Return the residual of an observation, in units of y."""
        return y - (self.intercept + self.hedge_ratio * x)

    def scale_at(self, x: float) -> float:
        """Return the standard deviation of the spread that is expected at `x`, in units of y."""
        return self.scale

    def zscore(self, y: float, x: float) -> float:
        """Return the spread in standard deviations; NotEnoughDataError if the fit has no error at all."""
        scale = self.scale_at(x)
        if scale == 0.0:
            raise NotEnoughDataError("the spread did not move in the window")
        return (y - (self.intercept + self.hedge_ratio * x)) / scale


def is_flat(squares: float, mean: float, n: float) -> bool:
    """Tell whether a centred sum of squares of `n` values is no more than the rounding of their mean."""
    limit = ROUNDING * mean
    return squares <= n * limit * limit


def check_regression(n: int, mean_x: float, sxx: float) -> None:
    """Raise NotEnoughDataError unless the observations determine a slope: at least 3, and x moves."""
    if n < 3:
        raise NotEnoughDataError(f"a regression needs at least 3 observations, there are {n}")
    limit = ROUNDING * mean_x
    if sxx <= n * limit * limit:
        raise NotEnoughDataError("x did not move in the window")


def is_rounding(residuals: float, squares: float, mean: float, n: float) -> bool:
    """Tell whether a sum of squared residuals is no more than the rounding of `n` values y.

    `squares` and `mean` are those of y.
    """
    return residuals <= ROUNDING * ROUNDING * (squares + n * mean * mean)


def residual_scale(residuals: float, squares: float, mean: float, n: int, parameters: int = 2) -> float:
    """Return sqrt(SSR / (n - parameters)), and 0 when `residuals` are only the rounding of y.

    `squares` and `mean` are those of y, of which the residual sum of squares is a small difference.
    """
    limit = ROUNDING * mean
    if residuals <= ROUNDING * squares or residuals <= n * limit * limit:
        return 0.0
    return math.sqrt(residuals / (n - parameters))
