"""Measured null of a scan: the p-values that independent walks get, of as many bars, by the same test.

The greater p-value of both ways round is below 5 % for 1.8 % of pairs that have nothing in common, and choosing lags
moves that further: it is measured, not assumed. Volatilities do not matter, for no test of a pair depends on the unit
of its legs; nor does the number of symbols, which correction is for.
"""

from functools import lru_cache

import numpy as np

from services.quant.options import Criterion, Trend
from services.quant.scan.all_pairs import engle_granger
from services.quant.scan.lag_products import Values

SYMBOLS, UNIVERSES = 100, 4
"""Walks at once, and how often: 19,800 pairs, among which those of one universe share legs."""
MOST_TIMES = 1_000
"""Bars of a walk: of 350, 700 and 3,024 the shares below 5, 1 and 0.1 % are the same but for chance."""
# As many p-values have to be below one of which the share is measured; for smaller ones it goes on in proportion.
_LEAST = 50
_SEED = 20_260_101


@lru_cache(maxsize=8)
def null_p_values(times: int, trend: Trend, lags: int | Criterion) -> Values:
    """Return the greater p-values of both ways round of pairs of independent walks, in order.

    The walks have `times` bars, `MOST_TIMES` at most. That takes a second or two, and is kept for the process.
    """
    times = min(times, MOST_TIMES)
    draw = np.random.default_rng(_SEED)
    upper = np.triu_indices(SYMBOLS, 1)
    found = []
    for _ in range(UNIVERSES):
        walks = np.cumsum(draw.standard_normal((times, SYMBOLS)), axis=0)
        found.append(engle_granger(walks, trend, lags).worse_p_value[upper])
    every = np.concatenate(found)
    every = np.sort(every[~np.isnan(every)])
    every.setflags(write=False)
    return every


def measured_p_values(p_values: Values, null: Values) -> Values:
    """Return the share of `null` at or below each p-value; NaN stays NaN.

    Below the 50th of them the share goes on in proportion to the p-value, as it nearly does above.
    """
    floor = null[_LEAST - 1]
    shares = (np.searchsorted(null, p_values, side="right") + 1) / (len(null) + 1)
    with np.errstate(invalid="ignore"):
        small = (_LEAST + 1) / (len(null) + 1) * p_values / floor
        found = np.where(p_values < floor, small, shares)
    return np.where(np.isnan(p_values), np.nan, np.minimum(found, 1.0))
