"""Correlation matrix of many symbols, each cell over the times that its two symbols share."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from services.quant.fit import ROUNDING

Values = NDArray[np.float64]
LEAST = 30


class Correlated(NamedTuple):
    """Correlation in [-1, 1], or None with the reason, and its number of samples."""

    value: float | None
    samples: int
    reason: str | None = None


def correlate(
    a: Values, b: Values, method: Literal["pearson", "spearman"], of: Literal["returns", "prices"]
) -> Correlated:
    """Return the correlation of two symbols' closes (above 0) at common times, of at least 30 samples.

    Log returns are between neighbours in the arrays: where a bar is missing both span the same longer time.
    Source: Pearson (1895), Spearman (1904), ranks of ties averaged; equal to ``scipy.stats``.
    """
    n = max(0, len(a) - 1) if of == "returns" else len(a)
    if n < LEAST:
        return Correlated(None, n, f"{n} samples, {LEAST} needed")
    legs = [_returns(leg) if of == "returns" else _prices(leg) for leg in (a, b)]
    if any(np.abs(leg).max() <= rounding for leg, rounding in legs):
        return Correlated(None, n, "one of them did not vary")
    x, y = (leg for leg, _ in legs)
    if method == "spearman":
        x, y = (ranks - ranks.mean() for ranks in (rankdata(x), rankdata(y)))
    value = float(x @ y / np.sqrt(x @ x) / np.sqrt(y @ y))
    return Correlated(max(-1.0, min(1.0, value)), n)


def _prices(close: Values) -> tuple[Values, float]:
    """Return the deviations from the mean, and how large they can be by rounding."""
    return close - close.mean(), ROUNDING * float(close.max())


def _returns(close: Values) -> tuple[Values, float]:
    """Return those of log returns. The logarithm of a price near 1 is near 0, but as uncertain as the price."""
    levels = np.log(close)
    returns = np.diff(levels)
    return returns - returns.mean(), ROUNDING * max(1.0, float(np.abs(levels).max()))
