"""Spreads of many pairs at once: how fast each reverts, and how often it crosses its line."""

from typing import NamedTuple

import numpy as np

from services.quant.scan.lag_products import Numbers, Values

# Spreads of so many numbers at once stay in the processor's cache.
_NUMBERS = 1 << 16


class Spreads(NamedTuple):
    """Of each spread the b of s[t] = a + b s[t-1] + e by least squares, and the `crossings`: changes of its sign.

    0 counts as above the line. `coefficient` is NaN if the spread stands still.
    """

    coefficient: Values
    crossings: Numbers


def spreads(rest: Values, y: Numbers, x: Numbers, hedge_ratio: Values) -> Spreads:
    """Measure the spread of each pair, column `y` less `hedge_ratio` times column `x` of `rest`.

    `rest` is times x symbols, what the trend leaves of each.
    """
    rows = np.ascontiguousarray(rest.T)
    coefficient, crossings = np.empty(len(y)), np.empty(len(y), np.int64)
    size = max(1, _NUMBERS // len(rest))
    for at in range(0, len(y), size):
        some = slice(at, at + size)
        spread = rows[y[some]] - hedge_ratio[some, None] * rows[x[some]]
        is_above = spread >= 0
        crossings[some] = (is_above[:, 1:] ^ is_above[:, :-1]).sum(axis=1, dtype=np.int32)
        before, after = spread[:, :-1], spread[:, 1:]
        before = before - before.mean(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            coefficient[some] = np.einsum("ij,ij->i", before, after) / np.einsum("ij,ij->i", before, before)
    return Spreads(coefficient, crossings)
