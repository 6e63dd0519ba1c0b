"""P-values of the Engle-Granger test for whole arrays of statistics."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from services.quant.options import Trend

Values = NDArray[np.float64]


class _Polynomials(NamedTuple):
    """The normal quantile of a p-value: up to `bound` by the first polynomial, above it by the second."""

    least: float
    bound: float
    most: float
    small: tuple[float, ...]
    large: tuple[float, ...]


# Of two series. Source: MacKinnon (1994), "Approximate Asymptotic Distribution Functions for Unit-Root and
# Cointegration Tests", tables 3 and 4; a test holds them against ``statsmodels.tsa.adfvalues.mackinnonp``.
_OF_TWO: dict[Trend, _Polynomials] = {
    "n": _Polynomials(-19.62, -1.53, 1.51, (1.9129, 1.3857, 0.035322), (1.5578, 0.8558, -0.2083, -0.033549)),
    "c": _Polynomials(-18.86, -2.62, 0.92, (2.92, 1.5012, 0.039796), (2.1945, 0.64695, -0.29198, -0.042377)),
    "ct": _Polynomials(-21.15, -3.19, 0.63, (3.6646, 1.5419, 0.036448), (2.85, 0.5272, -0.36622, -0.051695)),
    "ctt": _Polynomials(
        -21.1, -3.51, 0.79, (4.3534, 1.6016, 0.037947), (3.4713, 0.5967, -0.32507, -0.042286)
    ),
}


def cointegration_p_values(statistics: Values, trend: Trend) -> Values:
    """Return the p-value of each Engle-Granger statistic of two series; NaN stays NaN."""
    table = _OF_TWO[trend]
    small = np.polynomial.polynomial.polyval(statistics, table.small)
    large = np.polynomial.polynomial.polyval(statistics, table.large)
    found = ndtr(np.where(statistics <= table.bound, small, large))
    found = np.where(statistics > table.most, 1.0, found)
    found = np.where(statistics < table.least, 0.0, found)
    return np.where(np.isnan(statistics), np.nan, found)
