"""P-values and critical values of unit root tests of one series (ADF) and of two (Engle-Granger)."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.polynomial.polynomial import polyval
from numpy.typing import NDArray
from scipy.special import ndtr

from services.quant.options import Trend

Values = NDArray[np.float64]
Series = Literal[1, 2]
Cubic = tuple[float, float, float, float]


class _Polynomials(NamedTuple):
    """The normal quantile of a p-value: up to `bound` by the first polynomial, above it by the second."""

    least: float
    bound: float
    most: float
    small: tuple[float, float, float]
    large: Cubic


# Source: MacKinnon (1994), "Approximate Asymptotic Distribution Functions for Unit-Root and Cointegration Tests",
# tables 3 and 4; a test holds them against ``statsmodels.tsa.adfvalues.mackinnonp``.
_P_VALUES: dict[tuple[Series, Trend], _Polynomials] = {
    (1, "n"): _Polynomials(
        -19.04, -1.04, np.inf, (0.6344, 1.2378, 0.032496), (0.4797, 0.93557, -0.06999, 0.033066)
    ),
    (1, "c"): _Polynomials(
        -18.83, -1.61, 2.74, (2.1659, 1.4412, 0.038269), (1.7339, 0.93202, -0.12745, -0.010368)
    ),
    (1, "ct"): _Polynomials(
        -16.18, -2.89, 0.7, (3.2512, 1.6047, 0.049588), (2.5261, 0.61654, -0.37956, -0.060285)
    ),
    (1, "ctt"): _Polynomials(
        -17.17, -3.21, 0.54, (4.0003, 1.658, 0.048288), (3.0778, 0.49529, -0.41477, -0.059359)
    ),
    (2, "n"): _Polynomials(
        -19.62, -1.53, 1.51, (1.9129, 1.3857, 0.035322), (1.5578, 0.8558, -0.2083, -0.033549)
    ),
    (2, "c"): _Polynomials(
        -18.86, -2.62, 0.92, (2.92, 1.5012, 0.039796), (2.1945, 0.64695, -0.29198, -0.042377)
    ),
    (2, "ct"): _Polynomials(
        -21.15, -3.19, 0.63, (3.6646, 1.5419, 0.036448), (2.85, 0.5272, -0.36622, -0.051695)
    ),
    (2, "ctt"): _Polynomials(
        -21.1, -3.51, 0.79, (4.3534, 1.6016, 0.037947), (3.4713, 0.5967, -0.32507, -0.042286)
    ),
}
# At 1 %, 5 % and 10 %, as polynomials of 1 / observations.
# Source: MacKinnon (2010), "Critical Values for Cointegration Tests", table 2, and for one series without a constant
# MacKinnon (1996); a test holds them against ``statsmodels.tsa.adfvalues.mackinnoncrit``.
_CRITICAL: dict[tuple[Series, Trend], tuple[Cubic, Cubic, Cubic]] = {
    (1, "n"): (
        (-2.56574, -2.2358, -3.627, 0.0),
        (-1.941, -0.2686, -3.365, 31.223),
        (-1.61682, 0.2656, -2.714, 25.364),
    ),
    (1, "c"): (
        (-3.43035, -6.5393, -16.786, -79.433),
        (-2.86154, -2.8903, -4.234, -40.04),
        (-2.56677, -1.5384, -2.809, 0.0),
    ),
    (1, "ct"): (
        (-3.95877, -9.0531, -28.428, -134.155),
        (-3.41049, -4.3904, -9.036, -45.374),
        (-3.12705, -2.5856, -3.925, -22.38),
    ),
    (1, "ctt"): (
        (-4.37113, -11.5882, -35.819, -334.047),
        (-3.83239, -5.9057, -12.49, -118.284),
        (-3.55326, -3.6596, -5.293, -63.559),
    ),
    (2, "c"): (
        (-3.89644, -10.9519, -33.527, 0.0),
        (-3.33613, -6.1101, -6.823, 0.0),
        (-3.04445, -4.2412, -2.72, 0.0),
    ),
    (2, "ct"): (
        (-4.32762, -15.4387, -35.679, 0.0),
        (-3.78057, -9.5106, -12.074, 0.0),
        (-3.49631, -7.0815, -7.538, 21.892),
    ),
    (2, "ctt"): (
        (-4.69276, -20.2284, -64.919, 88.884),
        (-4.15387, -13.3114, -28.402, 72.741),
        (-3.87346, -10.4637, -17.408, 66.313),
    ),
}
_LEVELS = ("1%", "5%", "10%")


def p_values(statistics: Values, trend: Trend, series: Series) -> Values:
    """Return the p-value of each statistic of a test of so many `series`; NaN stays NaN."""
    table = _P_VALUES[series, trend]
    small = polyval(statistics, table.small)
    large = polyval(statistics, table.large)
    found = ndtr(np.where(statistics <= table.bound, small, large))
    found = np.where(statistics > table.most, 1.0, found)
    found = np.where(statistics < table.least, 0.0, found)
    return np.where(np.isnan(statistics), np.nan, found)


def critical_values(observations: int, trend: Trend, series: Series) -> dict[str, float] | None:
    """Return the critical values of a test of so many `series`; None where there are none (two, no constant)."""
    if (table := _CRITICAL.get((series, trend))) is None:
        return None
    return {
        level: float(polyval(1 / observations, terms)) for level, terms in zip(_LEVELS, table, strict=True)
    }
