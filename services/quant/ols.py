"""The hedge ratio by ordinary least squares."""

import math
import sys
from typing import NamedTuple

from services.quant.moments import Moments

# A spread of values within a few units in the last place of their mean is rounding, not movement.
_ROUNDING = 64 * sys.float_info.epsilon


class NotEnoughDataError(ValueError):
    """The observations do not determine the statistic; the message says why."""


class Fit(NamedTuple):
    """y = intercept + hedge_ratio * x + residual."""

    hedge_ratio: float
    intercept: float
    residual_std: float
    """Standard error of the regression, sqrt(SSR / (n - 2)); statsmodels calls its square ``mse_resid``."""

    def spread(self, y: float, x: float) -> float:
        """Return the residual of an observation, in units of y."""
        return y - (self.intercept + self.hedge_ratio * x)

    def zscore(self, y: float, x: float) -> float:
        """Return the residual in standard errors; NotEnoughDataError if the fit has no error at all."""
        if self.residual_std == 0.0:
            raise NotEnoughDataError("the spread did not move in the window")
        return self.spread(y, x) / self.residual_std


def fit(moments: Moments) -> Fit:
    """Regress y on x with an intercept; NotEnoughDataError with fewer than 3 observations or a flat x.

    Source: any textbook, e.g. Greene, Econometric Analysis, 3.2; equal to ``statsmodels.OLS(y, [1, x])``.
    """
    if moments.n < 3:
        raise NotEnoughDataError(f"a regression needs at least 3 observations, there are {moments.n}")
    if _is_flat(moments.sxx, moments.mean_x, moments.n):
        raise NotEnoughDataError("x did not move in the window")
    hedge_ratio = moments.sxy / moments.sxx
    residuals = moments.syy - hedge_ratio * moments.sxy
    if residuals <= _ROUNDING * moments.syy or _is_flat(residuals, moments.mean_y, moments.n):
        residuals = 0.0
    return Fit(
        hedge_ratio,
        moments.mean_y - hedge_ratio * moments.mean_x,
        math.sqrt(residuals / (moments.n - 2)),
    )


def correlation(moments: Moments) -> float:
    """Return Pearson's correlation of x and y, in [-1, 1]; NotEnoughDataError if a leg is flat."""
    if moments.n < 2:
        raise NotEnoughDataError(f"a correlation needs at least 2 observations, there are {moments.n}")
    for name, squares, mean in (("x", moments.sxx, moments.mean_x), ("y", moments.syy, moments.mean_y)):
        if _is_flat(squares, mean, moments.n):
            raise NotEnoughDataError(f"{name} did not move in the window")
    return max(-1.0, min(1.0, moments.sxy / math.sqrt(moments.sxx) / math.sqrt(moments.syy)))


def _is_flat(squares: float, mean: float, n: int) -> bool:
    return squares <= n * (_ROUNDING * abs(mean)) ** 2
