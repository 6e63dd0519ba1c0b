"""Scan of all pairs: tested on the first part of a history, corrected for having tried, survivors tested again."""

import math
from typing import Any

import numpy as np
from msgspec import Struct, structs

from services.contracts.scans import Stage
from services.quant.options import SIGNIFICANCE, Criterion, Trend
from services.quant.scan import survivors
from services.quant.scan.all_pairs import AllPairs, Progress, engle_granger
from services.quant.scan.lag_products import Values
from services.quant.scan.selection import adjusted_p_values
from services.quant.statistical_tests.unit_root import LEAST, without_trend

# Of the progress, the test of all pairs; the rest is of survivors.
_TESTS = 0.8


class ScanOptions(Struct, frozen=True, kw_only=True):
    """Options of a scan; the last `held_out` share of the history takes no part in the choice."""

    trend: Trend = "c"
    lags: int | Criterion = "aic"
    level: float = SIGNIFICANCE
    held_out: float = 0.3


class ScannedPair(Struct, frozen=True, kw_only=True):
    """One pair of columns, `y` on `x` the way round that has the smaller p-value.

    `p_value` is the greater one of both ways round, `adjusted` the same for the number of tries. What follows is of
    survivors, or None: `held_out_p` of the part held out, Johansen's trace statistic of the first part, and the
    statistic of a break of all bars, at the bar `break_at` if one is found. `against` says why a survivor is not
    confirmed. `half_life` is in bars, of the AR(1) of the spread, not corrected for its bias; None if the spread does
    not revert. `spread_std` is in the unit of y.
    """

    y: int
    x: int
    stage: Stage
    p_value: float
    adjusted: float
    hedge_ratio: float
    hedge_ratio_se: float
    r_squared: float
    half_life: float | None
    spread_std: float
    level_correlation: float
    return_correlation: float
    held_out_p: float | None = None
    trace: survivors.Trace | None = None
    break_statistic: float | None = None
    break_critical_value: float | None = None
    break_at: int | None = None
    against: str | None = None


class Scan(Struct, frozen=True, kw_only=True):
    """Result of a scan: the funnel, the pairs with the smallest p-value first, and why others were in none.

    Of `tried` pairs `significant` are below the level, `corrected` still are once the number of tries counts, and
    `confirmed` stand the tests of survivors, too. `reasons` are by columns: of one or of two. `returns` are the
    correlations of the steps of all columns.
    """

    bars: int
    held_out_bars: int
    tried: int
    significant: int
    corrected: int
    confirmed: int
    pairs: list[ScannedPair]
    reasons: dict[tuple[int, ...], str]
    returns: Values


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
    tell = progress or _nobody
    found = engle_granger(first, options.trend, options.lags, lambda share: tell(_TESTS * share))
    with np.errstate(invalid="ignore", divide="ignore"):
        returns = np.atleast_2d(np.corrcoef(np.diff(first, axis=0), rowvar=False))
    reasons: dict[tuple[int, ...], str] = {(number,): reason for number, reason in found.refused.items()}
    reasons.update(found.reasons.items())
    pairs = _ranked(found, returns, _deviations(first, options.trend, found), options.level)
    pairs = _Survivors(first, rest, found, options).judged(pairs, tell)
    tell(1.0)
    return Scan(
        bars=len(first),
        held_out_bars=len(rest),
        tried=len(pairs),
        significant=sum(pair.stage != "tried" for pair in pairs),
        corrected=sum(pair.stage in ("corrected", "confirmed") for pair in pairs),
        confirmed=sum(pair.stage == "confirmed" for pair in pairs),
        pairs=pairs,
        reasons=reasons,
        returns=returns,
    )


def _nobody(_: float) -> None: ...


def _deviations(first: Values, trend: Trend, found: AllPairs) -> Values:
    """Return the standard deviation of each column around its trend."""
    deviations = np.full(first.shape[1], np.nan)
    for number in set(range(first.shape[1])) - set(found.refused):
        rest = without_trend(first[:, number], trend)
        deviations[number] = math.sqrt(float(rest @ rest) / len(rest))
    return deviations


def _ranked(found: AllPairs, returns: Values, deviations: Values, level: float) -> list[ScannedPair]:
    upper = np.triu_indices(len(returns), 1)
    worse = found.worse_p_value[upper]
    adjusted = adjusted_p_values(worse)
    order = np.argsort(worse, kind="stable")[: int(np.count_nonzero(~np.isnan(worse)))]
    one, other = upper[0][order], upper[1][order]
    is_forward = found.p_value[one, other] <= found.p_value[other, one]
    y, x = np.where(is_forward, one, other), np.where(is_forward, other, one)
    hedge_ratio, r_squared = found.hedge_ratio[y, x], found.r_squared[y, x]
    columns = (
        *(y, x, worse[order], adjusted[order], hedge_ratio, found.hedge_ratio_se[y, x], r_squared),
        *(found.reversion[y, x], deviations[y] * np.sqrt(np.maximum(1 - r_squared, 0))),
        *(np.sign(hedge_ratio) * np.sqrt(np.clip(r_squared, 0, 1)), returns[y, x]),
    )
    return [_pair(level, *row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _pair(
    level: float,
    y: int,
    x: int,
    p_value: float,
    adjusted: float,
    hedge_ratio: float,
    hedge_ratio_se: float,
    r_squared: float,
    reversion: float,
    spread_std: float,
    level_correlation: float,
    return_correlation: float,
) -> ScannedPair:
    return ScannedPair(
        y=y,
        x=x,
        stage="corrected" if adjusted < level else "significant" if p_value < level else "tried",
        p_value=p_value,
        adjusted=adjusted,
        hedge_ratio=hedge_ratio,
        hedge_ratio_se=hedge_ratio_se,
        r_squared=r_squared,
        half_life=math.log(0.5) / math.log(reversion) if 0 < reversion < 1 else None,
        spread_std=spread_std,
        level_correlation=level_correlation,
        return_correlation=return_correlation,
    )


class _Survivors:
    def __init__(self, first: Values, rest: Values, found: AllPairs, options: ScanOptions) -> None:
        self._first, self._rest, self._found, self._options = first, rest, found, options
        self._whole = np.concatenate([first, rest])

    def judged(self, pairs: list[ScannedPair], tell: Progress) -> list[ScannedPair]:
        """Return `pairs`, of which those that are corrected are first, with the survivors' tests."""
        options = self._options
        survived = sum(pair.stage == "corrected" for pair in pairs)
        again = survivors.held_out_p_values(
            self._rest, [(pair.y, pair.x) for pair in pairs[:survived]], options.trend, options.lags
        )
        judged = []
        for number, pair in enumerate(pairs[:survived]):
            tell(_TESTS + (1 - _TESTS) * number / survived)
            judged.append(self._one(pair, again.get((pair.y, pair.x)), number < survivors.MOST))
        return judged + pairs[survived:]

    def _one(self, pair: ScannedPair, held_out_p: float | None, is_tested: bool) -> ScannedPair:
        level = self._options.level
        fields: dict[str, Any] = {"held_out_p": held_out_p}
        if not is_tested:
            fields["against"] = f"not tested further: only the first {survivors.MOST} survivors are"
            return structs.replace(pair, **fields)
        against = []
        if held_out_p is None:
            against.append("there is no test of the part held out")
        elif held_out_p >= level:
            against.append(f"p = {held_out_p:.2g} in the part held out")
        y, x = self._first[:, pair.y], self._first[:, pair.x]
        lags = int(self._found.lags[pair.y, pair.x])
        found = fields["trace"] = survivors.trace(y, x, self._options.trend, lags)
        if found is not None and not found.is_rejected:
            against.append(
                f"trace statistic {found.statistic:.3g}, critical value {found.critical_value:.3g}"
            )
        one = survivors.broken(self._whole[:, pair.y], self._whole[:, pair.x])
        if one is not None:
            fields["break_statistic"], fields["break_critical_value"] = one.statistic, one.critical_value
            if one.is_found:
                fields["break_at"] = one.at
                against.append(
                    f"its hedge ratio broke from {one.hedge_ratio_before:.4g} to {one.hedge_ratio_after:.4g}"
                )
        fields["stage"] = "corrected" if against else "confirmed"
        fields["against"] = "; ".join(against) or None
        return structs.replace(pair, **fields)
