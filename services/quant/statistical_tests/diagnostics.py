"""Diagnostics of the residuals of a regression."""

import numpy as np
from msgspec import Struct
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.special import chdtrc

from services.quant.fit import NotEnoughDataError

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

    Source: Durbin and Watson (1950); Ljung and Box (1978); Engle (1982); Jarque and Bera (1980), equal to statsmodels.
    """
    if len(residuals) < _LEAST:
        raise NotEnoughDataError(f"residuals need at least {_LEAST} observations, there are {len(residuals)}")
    if not np.ptp(residuals):
        raise NotEnoughDataError("the spread did not move")
    # The tests do not depend on the unit, but squares of squares can be out of range.
    residuals = residuals / np.abs(residuals).max()
    moves = residuals - residuals.mean()
    variance = np.mean(moves**2)
    skew = float(np.mean(moves**3) / variance**1.5)
    kurtosis = float(np.mean(moves**4) / variance**2)
    return Diagnostics(
        durbin_watson=float(np.sum(np.diff(residuals) ** 2) / np.sum(residuals**2)),
        ljung_box=_ljung_box(residuals),
        arch=arch(residuals),
        lags=LAGS,
        jarque_bera=_chi_squared(len(residuals) / 6 * (skew**2 + (kurtosis - 3) ** 2 / 4), 2),
        skew=skew,
        kurtosis=kurtosis,
    )


def arch(values: NDArray[np.float64]) -> Statistic:
    """Return Engle's test of a changing variance, up to 10 lags; NotEnoughDataError if nothing determines it."""
    squares = (values / np.abs(values).max()) ** 2
    windows = sliding_window_view(squares, LAGS + 1)
    now, before = windows[:, -1], np.column_stack([np.ones(len(windows)), windows[:, :-1]])
    solution, _, rank, _ = np.linalg.lstsq(before, now, rcond=(LAGS + 1) * np.finfo(np.float64).eps)
    moves = now - now.mean()
    if rank <= LAGS or not moves.any():
        raise NotEnoughDataError("the series moves too seldom for the regression of the test")
    rest = now - before @ solution
    return _chi_squared(len(now) * (1 - (rest @ rest) / (moves @ moves)), LAGS)


def _ljung_box(residuals: NDArray[np.float64]) -> Statistic:
    """Return what ``acorr_ljungbox`` of statsmodels does, which takes all lags there are before it looks at some."""
    n, moves = len(residuals), residuals - residuals.mean()
    lags = np.arange(1, LAGS + 1)
    correlations = np.array([moves[lag:] @ moves[:-lag] for lag in lags]) / (moves @ moves)
    statistic = n * (n + 2) * np.sum(correlations**2 / (n - lags))
    return _chi_squared(statistic, LAGS)


def _chi_squared(statistic: float, degrees: int) -> Statistic:
    return Statistic(float(statistic), float(chdtrc(degrees, statistic)))
