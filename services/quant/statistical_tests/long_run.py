"""Long-run variance of an autocorrelated series, by Newey-West and by an autoregression."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.quant.fit import ROUNDING, NotEnoughDataError
from services.quant.statistical_tests.dickey_fuller import MOST_LAGS, choose_lags, lagged_steps

Values = NDArray[np.float64]


class Autoregression(NamedTuple):
    """An autoregression of a series; `persistence` is the sum of its coefficients, corrected for its bias.

    `variance` is that of the series' sum over many bars, by bar. `innovations` are what was not foreseen.
    """

    persistence: float
    variance: float
    innovations: Values


def autoregression(series: Values, parameters: int = 1) -> Autoregression:
    """Return the autoregression of the residuals of a fit with `parameters` parameters.

    Its order is the one of least BIC, up to 25. NotEnoughDataError if the residuals are as persistent as a random walk:
    their long-run variance is infinite. Source: Andrews and Monahan (1992), prewhitening; the bias by Kendall
    (1954), which is -(1 + 3 b) / n for one mean and about half of that more for each further parameter.
    """
    n = len(series)
    series = series - series.mean()
    lags = min(choose_lags(series, "n", "bic"), MOST_LAGS)
    *lagged, _ = lagged_steps(series, lags)
    columns = [series[lags:-1], *lagged]
    design, target = np.column_stack(columns), series[lags + 1 :]
    coefficients = np.linalg.lstsq(design, target)[0]
    innovations = target - design @ coefficients
    persistence = float(coefficients[0])
    persistence += (1 + 3 * persistence) / n * max(1.0, parameters / 2)
    if persistence >= 1:
        raise NotEnoughDataError("the residuals do not come back more than a random walk")
    variance = float(innovations @ innovations) / (len(target) - len(columns))
    if variance <= ROUNDING**2 * float(series @ series) / n:
        raise NotEnoughDataError("the residuals do not move but for what the bars before them say")
    return Autoregression(persistence, variance / (1 - persistence) ** 2, innovations)


def bandwidth(series: Values) -> int:
    """Return how many lags of `series` a Newey-West variance takes, as if it were an AR(1); at most a third of it.

    Source: Andrews (1991), "Heteroskedasticity and autocorrelation consistent covariance matrix estimation", (6.2),
    (6.4), for Bartlett's kernel.
    """
    before, after = series[:-1], series[1:]
    squares = float(before @ before)
    b = min(0.97, max(-0.97, float(before @ after) / squares)) if squares else 0.0
    alpha = 4 * b * b / ((1 - b) ** 2 * (1 + b) ** 2)
    return min(len(series) // 3, math.floor(1.1447 * math.cbrt(alpha * len(series))))


def newey_west(scores: Values, lags: int) -> Values:
    """Return the sum of products of the rows of `scores` up to `lags` apart, with Bartlett's weights.

    Source: Newey and West (1987); equal to ``statsmodels.stats.sandwich_covariance.S_hac_simple``.
    """
    total = scores.T @ scores
    for lag in range(1, lags + 1):
        product = scores[lag:].T @ scores[:-lag]
        total = total + (1 - lag / (lags + 1)) * (product + product.T)
    return np.asarray(total)
