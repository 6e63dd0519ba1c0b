"""Influence of one observation on the regression line of a window."""

import math

from services.quant.fit import ROUNDING, is_flat
from services.quant.moments import Moments

_LEAST = 30
_MOST_SQUARED = 4.0
# Of two samples alone at a new price each has as much leverage as all others, but for rounding.
_MOST_LEVERAGE = 1 + 1e-9


def is_outlier(moments: Moments, y: float, x: float, zscore: float | None = None) -> bool:
    """Tell whether an observation that joins those of `moments` is an outlier; of fewer than 30 none is.

    It is one if the least-squares line at `x` moves by more than two of its standard errors (DFFITS beyond 2), or if
    `x` has more leverage than all others together (a hat value above 1/2): then the line goes through it, and no
    residual is left to see. So the first that moves a leg which stood still is one. Of 36,000 samples of independent
    walks and of cointegrated legs none is. `zscore` is that of `y` by the least-squares line of `moments`, where it is
    known already.
    Source: Belsley, Kuh and Welsch (1980), Regression Diagnostics, 2.1; Huber (1981), Robust Statistics, 7.2, for 1/2;
    ``OLSInfluence`` of statsmodels.
    """
    n, mean_x, mean_y, sxx, sxy, syy = moments
    if n < _LEAST:
        return False
    away = x - mean_x
    if is_flat(sxx, mean_x, n):
        return _leaves(x, mean_x)
    lever = 1 / n + away * away / sxx
    if lever > _MOST_LEVERAGE:
        return True
    if zscore is None:
        slope = sxy / sxx
        squares = max(syy - slope * sxy, ROUNDING * syy, n * (ROUNDING * mean_y) ** 2)
        if squares == 0.0:
            return _leaves(y, mean_y)
        zscore = (y - mean_y - slope * away) * math.sqrt((n - 2) / squares)
    return zscore * zscore * lever > _MOST_SQUARED * (1.0 + lever)


def _leaves(value: float, mean: float) -> bool:
    """Tell whether a value differs from all others; unknown where squares are too small for a float."""
    limit = ROUNDING * abs(mean)
    return abs(value - mean) > limit and (limit * limit > 0.0 or mean == 0.0)
