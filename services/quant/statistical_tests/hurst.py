"""Hurst exponent: how the moves of a series grow with time."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.quant.fit import NotEnoughDataError

LEAST = 100
_SCALES = 20


class Hurst(Struct, frozen=True):
    """`exponent` of moves over 1 to `longest` samples: 0.5 of a random walk, less if it comes back, more if it trends.

    `standard_error` is the deviation of the exponents of random walks as long as this series, 0.27 n^-0.265: simulated,
    because the scales of one series are not independent, and the error of the line through them is far too small.
    """

    exponent: float
    standard_error: float
    longest: int


def hurst(series: NDArray[np.float64]) -> Hurst:
    """Return half the slope of log mean squared moves against log time, over 1 to n / 10 samples.

    NotEnoughDataError with fewer than 100 observations or a series that stands still.
    Source: Di Matteo, Aste and Dacorogna (2003), "Scaling behaviors in differently developed markets": the
    generalised exponent of order 2; for a fractional Brownian motion it is that of Mandelbrot and Van Ness (1968).
    """
    n = len(series)
    if n < LEAST:
        raise NotEnoughDataError(f"Hurst's exponent needs at least {LEAST} observations, there are {n}")
    series = series / (np.ptp(series) or 1.0)
    scales = np.unique(np.geomspace(1, n // 10, _SCALES).round().astype(int))
    moves = np.array([np.mean((series[scale:] - series[:-scale]) ** 2) for scale in scales])
    if not moves.all():
        raise NotEnoughDataError("the series does not move at every scale")
    t, v = np.log(scales), np.log(moves) / 2
    t -= t.mean()
    return Hurst(float(t @ v / (t @ t)), 0.27 * n**-0.265, int(scales[-1]))
