"""The regression of the augmented Dickey-Fuller test, by numpy alone: its lags and its statistic."""

import math

import numpy as np
from numpy.typing import NDArray

from services.quant.options import Criterion, Trend

Values = NDArray[np.float64]


def choose_lags(series: Values, trend: Trend, criterion: Criterion) -> int:
    """Return the number of lags with the least AIC or BIC, all compared on the same observations.

    One triangle holds the residuals of all the regressions, each of which has one column more than the one before.
    Source: Hamilton, Time Series Analysis, 17.7; the same lags as the ``autolag`` of statsmodels.
    """
    steps = np.diff(series)
    most = most_lags(len(series), trend)
    n = len(steps) - most
    lagged = [steps[most - lag : len(steps) - lag] for lag in range(1, most + 1)]
    columns = np.column_stack([trends(n, trend), series[most:-1], *lagged, steps[most:]])
    scales = np.abs(columns).max(axis=0).clip(min=np.finfo(float).tiny)
    triangle = np.asarray(np.linalg.qr(columns / scales, mode="r"))
    # What the columns from k on take of the last one, from behind: sums of squares, never a difference.
    rest = np.cumsum(triangle[::-1, -1] ** 2)[::-1]
    fixed = columns.shape[1] - 1 - most
    parameters = np.arange(fixed, fixed + most + 1)
    cost = 2.0 if criterion == "aic" else math.log(n)
    with np.errstate(divide="ignore"):
        information = n * np.log(rest[fixed : fixed + most + 1]) + cost * parameters
    return int(np.argmin(information))


def limit(n: int, trend: Trend) -> int:
    """Return the most lags that leave the regression a degree of freedom."""
    return n // 2 - max(1, terms(trend)) - 1


def most_lags(n: int, trend: Trend) -> int:
    """Return the most lags that are tried of a series of `n` (Schwert, 1989)."""
    return min(limit(n, trend), math.ceil(12 * math.pow(n / 100, 0.25)))


def terms(trend: Trend) -> int:
    """Return how many columns a trend has."""
    return 0 if trend == "n" else len(trend)


def trends(n: int, trend: Trend) -> Values:
    """Return the columns of a trend (n x terms)."""
    return np.vander(np.linspace(-1, 1, n), terms(trend), increasing=True)


def statistic(series: Values, lags: int) -> float:
    """Return the t-statistic of the level in the regression of the steps on it and `lags` steps before, no constant.

    NaN if the regression is not determined. `series` has more than 2 * lags + 2 values.
    """
    steps = np.diff(series)
    n = len(steps) - lags
    lagged = [steps[lags - lag : len(steps) - lag] for lag in range(1, lags + 1)]
    columns = np.column_stack([*lagged, series[lags:-1], steps[lags:]])
    triangle = np.asarray(np.linalg.qr(columns, mode="r"))
    of_level, of_steps, rest = triangle[-2, -2], triangle[-2, -1], abs(triangle[-1, -1])
    if not of_level or not rest:
        return math.nan
    return float(math.copysign(1.0, of_level) * of_steps / rest * math.sqrt(n - lags - 1))


# MacKinnon's polynomials for two series and a constant: below the bound the first, above it the second.
_BOUND, _LEAST, _MOST = -2.62, -18.86, 0.92
_SMALL = (2.92, 1.5012, 0.039796)
_LARGE = (2.1945, 0.64695, -0.29198, -0.042377)


def cointegration_p(found: float) -> float:
    """Return the p-value of the ``statistic`` of what a line with a constant leaves of one series by another one.

    Source: MacKinnon (1994), "Approximate Asymptotic Distribution Functions for Unit-Root and Cointegration Tests".
    """
    if found > _MOST:
        return 1.0
    if found < _LEAST:
        return 0.0
    total = 0.0
    for coefficient in reversed(_SMALL if found <= _BOUND else _LARGE):
        total = total * found + coefficient
    return 0.5 * math.erfc(-total / math.sqrt(2))
