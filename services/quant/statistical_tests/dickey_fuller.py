"""Augmented Dickey-Fuller regression by numpy alone: its lags and its statistic."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.quant.fit import NotEnoughDataError
from services.quant.options import Criterion, Trend

# Lags that more observations would allow for cost more than they tell.
_SCHWERT = 10_000
MOST_LAGS = 24
"""Most lags of tests that choose lags for many regressions at once: more lags cost time and add nothing."""
_ROWS = 1 << 15

Values = NDArray[np.float64]


def choose_lags(series: Values, trend: Trend, criterion: Criterion) -> int:
    """Return the number of lags with the least AIC or BIC, all compared on the same observations.

    One triangle holds the residuals of all the regressions, each of which has one column more than the one before.
    Source: Hamilton, Time Series Analysis, 17.7; the same lags as the ``autolag`` of statsmodels.
    """
    most = most_lags(len(series), trend)
    n = len(series) - 1 - most
    triangle = _triangle([*trends(n, trend).T, series[most:-1], *lagged_steps(series, most)])
    # What the columns from k on take of the last one, from behind: sums of squares, never a difference.
    rest = np.cumsum(triangle[::-1, -1] ** 2)[::-1]
    fixed = terms(trend) + 1
    parameters = np.arange(fixed, fixed + most + 1)
    cost = 2.0 if criterion == "aic" else math.log(n)
    with np.errstate(divide="ignore"):
        information = n * np.log(rest[fixed : fixed + most + 1]) + cost * parameters
    return int(np.argmin(information))


def statistic(series: Values, trend: Trend, lags: int) -> tuple[float, int]:
    """Return Student's t of the level that the steps of `series` are regressed on, and of how many samples it is.

    The level is the last of the regressors, so its part of the triangle is all that it takes. NotEnoughDataError if the
    regression is not determined, or leaves nothing.
    """
    n = len(series) - 1 - lags
    *lagged, step = lagged_steps(series, lags)
    triangle = _triangle([*trends(n, trend).T, *lagged, series[lags:-1], step])
    spread = np.abs(np.diagonal(triangle)[:-1])
    if spread.min() <= n * np.finfo(float).eps * spread.max():
        raise NotEnoughDataError("the series moves too seldom for the regression of the test")
    (level, taken), left = triangle[-2, -2:], abs(triangle[-1, -1])
    if left <= n * np.finfo(float).eps * np.linalg.norm(triangle[:, -1]):
        raise NotEnoughDataError("the series is its trend and nothing else")
    return float(math.copysign(1, level) * taken / left * math.sqrt(n - len(triangle) + 1)), n


def lagged_steps(series: Values, lags: int) -> list[Values]:
    """Return the steps that are so many and fewer before those that have all of them before, and those themselves."""
    steps = np.diff(series)
    return [steps[lags - lag : len(steps) - lag] for lag in (*range(1, lags + 1), 0)]


def _triangle(columns: Sequence[Values]) -> Values:
    """Return R of the QR decomposition of `columns`, each by its largest value, in the memory of some of the rows."""
    scales = np.array([np.abs(column).max() for column in columns]).clip(min=np.finfo(float).tiny)
    triangle = np.empty((0, len(columns)))
    for first in range(0, len(columns[0]), _ROWS):
        some = np.column_stack([column[first : first + _ROWS] for column in columns]) / scales
        triangle = np.asarray(np.linalg.qr(np.vstack([triangle, some]), mode="r"))
    return triangle


def limit(n: int, trend: Trend) -> int:
    """Return the most lags that leave the regression a degree of freedom."""
    return n // 2 - max(1, terms(trend)) - 1


def most_lags(n: int, trend: Trend) -> int:
    """Return the most lags that are tried of a series of `n` (Schwert, 1989)."""
    return min(limit(n, trend), math.ceil(12 * math.pow(min(n, _SCHWERT) / 100, 0.25)))


def terms(trend: Trend) -> int:
    """Return how many columns a trend has."""
    return 0 if trend == "n" else len(trend)


def trends(n: int, trend: Trend) -> Values:
    """Return the columns of a trend (n x terms)."""
    return np.vander(np.linspace(-1, 1, n), terms(trend), increasing=True)


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
