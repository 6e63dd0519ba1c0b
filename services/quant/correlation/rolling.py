"""Pearson's correlation over a rolling window."""

import math

from services.quant.fit import ROUNDING, NotEnoughDataError
from services.quant.moments import Moments


def correlation(moments: Moments) -> float:
    """Return Pearson's correlation of x and y, in [-1, 1]; NotEnoughDataError if a leg is flat.

    Source: Pearson (1895), sxy / sqrt(sxx * syy); equal to ``numpy.corrcoef``.
    """
    n, mean_x, mean_y, sxx, sxy, syy = moments
    if n < 2:
        raise NotEnoughDataError(f"a correlation needs at least 2 observations, there are {n}")
    limit_x, limit_y = ROUNDING * mean_x, ROUNDING * mean_y
    # is_flat, without the calls: this is done for every observation.
    if sxx <= n * limit_x * limit_x:
        raise NotEnoughDataError("x did not move in the window")
    if syy <= n * limit_y * limit_y:
        raise NotEnoughDataError("y did not move in the window")
    value = sxy / math.sqrt(sxx) / math.sqrt(syy)
    return value if -1.0 <= value <= 1.0 else math.copysign(1.0, value)
