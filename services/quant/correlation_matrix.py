"""Correlations of many symbols, each of what its two have in common."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from services.quant.fit import is_flat

Values = NDArray[np.float64]
LEAST = 3


class Correlated(NamedTuple):
    """A correlation in [-1, 1], or None with the reason, of so many samples."""

    value: float | None
    samples: int
    reason: str | None = None


def correlate(
    a: Values, b: Values, method: Literal["pearson", "spearman"], of: Literal["returns", "prices"]
) -> Correlated:
    """Return the correlation of two symbols' closes (above 0) at common times.

    Log returns are between neighbours in the arrays: where a bar is missing both span the same longer time.
    Source: Pearson (1895), Spearman (1904), ranks of ties averaged; equal to ``scipy.stats``.
    """
    if of == "returns":
        a, b = np.diff(np.log(a)), np.diff(np.log(b))
    if (n := len(a)) < LEAST:
        return Correlated(None, n, f"{n} samples, {LEAST} needed")
    if method == "spearman":
        a, b = rankdata(a), rankdata(b)
    legs = [leg - leg.mean() for leg in (a, b)]
    squares = [float(leg @ leg) for leg in legs]
    if any(is_flat(square, leg.mean(), n) for square, leg in zip(squares, (a, b), strict=True)):
        return Correlated(None, n, "one of them did not move")
    value = float(legs[0] @ legs[1] / np.sqrt(squares[0]) / np.sqrt(squares[1]))
    return Correlated(max(-1.0, min(1.0, value)), n)
