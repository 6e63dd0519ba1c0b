"""Closes of many symbols on common times: a hole has the close before it, symbols with many holes are left out."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
COVERED = 0.95
"""Share of the times at which a symbol must have a bar."""


class CommonCloses(NamedTuple):
    """Closes (times x symbols), the times (epoch, us), how many closes of each were carried, and who was left out."""

    symbols: list[str]
    at_us: NDArray[np.int64]
    prices: Values
    carried: list[int]
    left_out: dict[str, str]


def common(bars: Mapping[str, tuple[NDArray[np.int64], Values]]) -> CommonCloses:
    """Return the closes of `bars` (symbol to times and closes) at every time from which on all symbols have begun."""
    every = np.unique(np.concatenate([np.array([], np.int64), *(at_us for at_us, _ in bars.values())]))
    left_out, kept = {}, []
    for symbol, (at_us, _) in bars.items():
        if len(at_us) < COVERED * len(every):
            left_out[symbol] = (
                f"bars at {len(at_us):,} of {len(every):,} times, at least {COVERED:.0%} are needed"
            )
        else:
            kept.append(symbol)
    begun = max((int(bars[symbol][0][0]) for symbol in kept), default=0)
    at_us = every[every >= begun]
    prices, carried = np.empty((len(at_us), len(kept))), []
    for number, symbol in enumerate(kept):
        own, closes = bars[symbol]
        places = np.searchsorted(own, at_us, side="right") - 1
        prices[:, number] = closes[places]
        carried.append(int(np.count_nonzero(own[places] != at_us)))
    return CommonCloses(kept, at_us, prices, carried, left_out)
