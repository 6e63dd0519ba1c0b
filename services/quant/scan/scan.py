"""Scan of all pairs: tested on the first part of a history, corrected for having tried, tested again on the rest."""

import math

import numpy as np
from msgspec import Struct

from services.quant.fit import NotEnoughDataError
from services.quant.options import SIGNIFICANCE, Criterion, Trend
from services.quant.scan.all_pairs import AllPairs, Progress, engle_granger
from services.quant.scan.lag_products import Values
from services.quant.scan.selection import adjusted_p_values
from services.quant.statistical_tests.unit_root import LEAST
from services.quant.statistical_tests.unit_root import engle_granger as of_one_pair


class ScanOptions(Struct, frozen=True, kw_only=True):
    """Options of a scan; the last `held_out` share of the history takes no part in the choice."""

    trend: Trend = "c"
    lags: int | Criterion = "aic"
    level: float = SIGNIFICANCE
    held_out: float = 0.3


class ScannedPair(Struct, frozen=True, kw_only=True):
    """One pair of columns, `y` on `x` the way round that has the smaller p-value.

    `p_value` is the greater one of both ways round, `adjusted` the same for the number of tries, `held_out_p` that
    of the part held out, None if the pair was not tested there. `half_life` is in bars, of the AR(1) of the spread, not
    corrected for its bias; None if the spread does not revert.
    """

    y: int
    x: int
    p_value: float
    adjusted: float
    held_out_p: float | None
    hedge_ratio: float
    hedge_ratio_se: float
    r_squared: float
    half_life: float | None
    return_correlation: float


class Scan(Struct, frozen=True, kw_only=True):
    """Result of a scan: the funnel, the pairs with the smallest p-value first, and why others were in none.

    Of `tried` pairs `significant` are below the level, `corrected` still are once the number of tries counts, and
    `confirmed` are below the level in the part held out, too. `reasons` are by columns: of one or of two.
    """

    bars: int
    held_out_bars: int
    tried: int
    significant: int
    corrected: int
    confirmed: int
    pairs: list[ScannedPair]
    reasons: dict[tuple[int, ...], str]


def scan(prices: Values, options: ScanOptions, progress: Progress | None = None) -> Scan:
    """Scan all pairs of `prices` (times x symbols, or their logarithms).

    ValueError if a part has fewer than 30 times, or prices have gaps.
    """
    held_out = int(len(prices) * options.held_out)
    first, rest = prices[: len(prices) - held_out], prices[len(prices) - held_out :]
    if min(len(first), len(rest)) < LEAST:
        raise ValueError(
            f"expected at least {LEAST} bars in each part, received {len(first)} and, held out, {len(rest)}"
        )
    found = engle_granger(first, options.trend, options.lags, progress)
    upper = np.triu_indices(prices.shape[1], 1)
    worse = found.worse_p_value[upper]
    adjusted = adjusted_p_values(worse)
    with np.errstate(invalid="ignore", divide="ignore"):
        returns = np.asarray(np.corrcoef(np.diff(first, axis=0), rowvar=False))
    reasons: dict[tuple[int, ...], str] = {(number,): reason for number, reason in found.refused.items()}
    reasons.update(found.reasons.items())
    pairs = []
    for place in np.argsort(worse, kind="stable")[: int(np.count_nonzero(~np.isnan(worse)))].tolist():
        one, other = int(upper[0][place]), int(upper[1][place])
        y, x = (one, other) if found.p_value[one, other] <= found.p_value[other, one] else (other, one)
        again = _again(rest, y, x, options) if adjusted[place] < options.level else None
        pairs.append(_pair(found, y, x, float(worse[place]), float(adjusted[place]), again, returns))
    return Scan(
        bars=len(first),
        held_out_bars=len(rest),
        tried=len(pairs),
        significant=sum(pair.p_value < options.level for pair in pairs),
        corrected=sum(pair.adjusted < options.level for pair in pairs),
        confirmed=sum(pair.held_out_p is not None and pair.held_out_p < options.level for pair in pairs),
        pairs=pairs,
        reasons=reasons,
    )


def _again(rest: Values, y: int, x: int, options: ScanOptions) -> float | None:
    """Return the worse p-value of a pair in the part held out, None if it cannot be tested there."""
    legs = rest[:, y], rest[:, x]
    try:
        return max(
            of_one_pair(*legs, options.trend, options.lags).p_value,
            of_one_pair(*legs[::-1], options.trend, options.lags).p_value,
        )
    except NotEnoughDataError:
        return None


def _pair(
    found: AllPairs, y: int, x: int, p_value: float, adjusted: float, again: float | None, returns: Values
) -> ScannedPair:
    b = float(found.reversion[y, x])
    return ScannedPair(
        y=y,
        x=x,
        p_value=p_value,
        adjusted=adjusted,
        held_out_p=again,
        hedge_ratio=float(found.hedge_ratio[y, x]),
        hedge_ratio_se=float(found.hedge_ratio_se[y, x]),
        r_squared=float(found.r_squared[y, x]),
        half_life=math.log(0.5) / math.log(b) if 0 < b < 1 else None,
        return_correlation=float(returns[y, x]),
    )
