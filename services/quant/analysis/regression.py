"""Regression over a whole sample: hedge ratio, its confidence interval, r-squared."""

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy import special, stats

from services.quant.estimators import registry
from services.quant.estimators.kalman import KalmanFit
from services.quant.estimators.registry import Method
from services.quant.estimators.theil_sen import TheilSen
from services.quant.fit import ROUNDING, Fit, is_flat
from services.quant.statistical_tests.hac import hac_error
from services.quant.transform import Transform

Values = NDArray[np.float64]
# All of them for up to 632 observations.
_SLOPES = 200_000
# Degrees of freedom that the line takes, where the standard error is that of least squares.
_LEAST_SQUARES = {"ols": 2, "ols_origin": 1}


class Regression(Struct, frozen=True):
    """y = intercept + hedge_ratio * x + spread, of `samples` observations; `scale` is the spread's deviation.

    From `low` to `high` the hedge ratio lies with probability `level`, if the errors are independent and of equal
    variance; both are None where the method has no standard interval. From `hac_low` to `hac_high` it lies also if
    errors are autocorrelated over some `hac_lags` bars and change in variance; of `ols` and `ols_origin` alone, and
    None where the spread is rounding. `r_squared` is 1 - SSR / SST, through the origin with an SST about 0, as in
    statsmodels, of `r_squared_samples` observations: those with a residual. It is None if y did not move in them.
    """

    hedge_ratio: float
    hedge_ratio_se: float | None
    low: float | None
    high: float | None
    level: float
    hac_se: float | None
    hac_low: float | None
    hac_high: float | None
    hac_lags: int | None
    intercept: float
    intercept_se: float | None
    scale: float
    r_squared: float | None
    r_squared_samples: int
    samples: int


def fit_line(
    method: Method, y: Sequence[float], x: Sequence[float], window: int, transform: Transform = "price"
) -> Fit:
    """Return the line of all observations, as `transform` left them; NotEnoughDataError as the estimator.

    Estimators without a window (`kalman`, `rls`, `ewma`) take `window` for their memory, and this is their last line.
    """
    n = max(1, len(y))
    if method == "theil_sen":
        estimator: registry.Estimator = TheilSen(n, pairs=_SLOPES)
    else:
        estimator = registry.create(method, window if method in registry.MOVING else n, transform)
    for pair in zip(y, x, strict=True):
        estimator.update(*pair)
    return estimator.get()


def describe(method: Method, fit: Fit, y: Values, x: Values, spread: Values, level: float) -> Regression:
    """Return the regression of `fit`, whose residuals are `spread` (nan before the first fit).

    Intervals: of least squares by Student's t, equal to ``statsmodels.OLS.conf_int``; of `huber`, `rls`,
    `ewma` and `kalman` by the normal distribution, as ``statsmodels.RLM.conf_int``; of `theil_sen` Sen's (1968) by
    ranks, where all slopes were compared. HAC: Newey and West (1987), normal, as
    ``statsmodels.OLS.fit(cov_type="HAC")``.
    """
    low, high = _interval(method, fit, y, x, level)
    known = ~np.isnan(spread)
    hac = None
    if method in _LEAST_SQUARES and np.abs(spread).max() > ROUNDING * np.abs(y).max():
        hac = hac_error(spread, x, origin=method == "ols_origin")
    reach = None if hac is None else float(special.ndtri((1 + level) / 2)) * hac.standard_error
    return Regression(
        hedge_ratio=fit.hedge_ratio,
        hedge_ratio_se=fit.hedge_ratio_se,
        low=low,
        high=high,
        level=level,
        hac_se=None if hac is None else hac.standard_error,
        hac_low=None if reach is None else fit.hedge_ratio - reach,
        hac_high=None if reach is None else fit.hedge_ratio + reach,
        hac_lags=None if hac is None else hac.lags,
        intercept=fit.intercept,
        intercept_se=_intercept_se(method, fit, x),
        scale=fit.scale,
        r_squared=_r_squared(y[known], spread[known], about_zero=method == "ols_origin"),
        r_squared_samples=int(known.sum()),
        samples=fit.samples,
    )


def _r_squared(y: Values, residuals: Values, *, about_zero: bool) -> float | None:
    mean = float(y.mean()) if len(y) else 0.0
    around = 0.0 if about_zero else mean
    total = float(((y - around) ** 2).sum())
    return None if is_flat(total, mean, len(y)) else 1 - float((residuals**2).sum()) / total


def _interval(
    method: Method, fit: Fit, y: Values, x: Values, level: float
) -> tuple[float | None, float | None]:
    n = len(y)
    if method == "theil_sen" and n * (n - 1) // 2 <= _SLOPES:
        # Of legs with too many equal values the ranks have no variance left, and there is no interval.
        with np.errstate(invalid="ignore"):
            found = stats.theilslopes(y, x, alpha=level)
        low, high = float(found.low_slope), float(found.high_slope)
        return (low, high) if math.isfinite(low) and math.isfinite(high) else (None, None)
    if fit.hedge_ratio_se is None:
        return None, None
    tail = (1 + level) / 2
    taken = _LEAST_SQUARES.get(method)
    quantile = special.ndtri(tail) if taken is None else special.stdtrit(n - taken, tail)
    reach = float(quantile) * fit.hedge_ratio_se
    return fit.hedge_ratio - reach, fit.hedge_ratio + reach


def _intercept_se(method: Method, fit: Fit, x: Values) -> float | None:
    if isinstance(fit, KalmanFit):
        return fit.intercept_se
    if method != "ols" or fit.hedge_ratio_se is None:
        return None
    return math.hypot(fit.scale / math.sqrt(len(x)), float(x.mean()) * fit.hedge_ratio_se)
