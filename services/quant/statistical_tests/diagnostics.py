"""Diagnostics of the residuals of a regression."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.stats import chi2
from statsmodels.stats.diagnostic import het_arch
from statsmodels.stats.stattools import durbin_watson, jarque_bera

from services.quant.fit import NotEnoughDataError
from services.quant.statistical_tests.determined import determined

LAGS = 10
_LEAST = 30


class Statistic(Struct, frozen=True):
    """A statistic and the probability of one as large if there is nothing to find."""

    statistic: float
    p_value: float


class Diagnostics(Struct, frozen=True):
    """Residuals of a good regression: Durbin-Watson near 2, and no small p-value.

    `ljung_box` of autocorrelation and `arch` of changing variance look at `lags` lags; `jarque_bera` looks for what is
    not normal, with its `skew` and `kurtosis` (3 if normal).
    """

    durbin_watson: float
    ljung_box: Statistic
    arch: Statistic
    lags: int
    jarque_bera: Statistic
    skew: float
    kurtosis: float


def diagnose(residuals: NDArray[np.float64]) -> Diagnostics:
    """Return the diagnostics of at least 30 residuals that move; NotEnoughDataError otherwise.

    Source: Durbin and Watson (1950); Ljung and Box (1978); Engle (1982); Jarque and Bera (1980), by statsmodels.
    """
    if len(residuals) < _LEAST:
        raise NotEnoughDataError(f"residuals need at least {_LEAST} observations, there are {len(residuals)}")
    if not np.ptp(residuals):
        raise NotEnoughDataError("the spread did not move")
    # The tests do not depend on the unit, but squares of squares can be out of range.
    residuals = residuals / np.abs(residuals).max()
    normal, p_normal, skew, kurtosis = jarque_bera(residuals)
    return Diagnostics(
        durbin_watson=float(durbin_watson(residuals)),
        ljung_box=_ljung_box(residuals),
        arch=arch(residuals),
        lags=LAGS,
        jarque_bera=Statistic(float(normal), float(p_normal)),
        skew=float(skew),
        kurtosis=float(kurtosis),
    )


def arch(values: NDArray[np.float64]) -> Statistic:
    """Return Engle's test of a changing variance, up to 10 lags; NotEnoughDataError if nothing determines it."""
    with determined():
        found = het_arch(values / np.abs(values).max(), nlags=LAGS, result_object=True)
    return Statistic(float(found.lm), float(found.lmpval))


def _ljung_box(residuals: NDArray[np.float64]) -> Statistic:
    """Return what ``acorr_ljungbox`` of statsmodels does, which takes all lags there are before it looks at some."""
    n, moves = len(residuals), residuals - residuals.mean()
    lags = np.arange(1, LAGS + 1)
    correlations = np.array([moves[lag:] @ moves[:-lag] for lag in lags]) / (moves @ moves)
    statistic = n * (n + 2) * np.sum(correlations**2 / (n - lags))
    return Statistic(float(statistic), float(chi2.sf(statistic, LAGS)))
