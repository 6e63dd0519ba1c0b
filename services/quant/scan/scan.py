"""Scan of all pairs: tested on the first part of a history, corrected for having tried, survivors tested again."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from msgspec import Struct, structs

from services.contracts.scans import Correction, Stage
from services.quant.options import SIGNIFICANCE, Criterion, Trend
from services.quant.scan import survivors
from services.quant.scan.all_pairs import AllPairs, Progress, engle_granger
from services.quant.scan.lag_products import Values
from services.quant.scan.null import measured_p_values, null_p_values
from services.quant.scan.selection import adjusted_p_values
from services.quant.scan.spreads import spreads
from services.quant.statistical_tests.half_life import half_life_intervals
from services.quant.statistical_tests.unit_root import LEAST, without_trend

# Of the progress, the test of all pairs; the rest is of survivors.
_TESTS = 0.8


class ScanOptions(Struct, frozen=True, kw_only=True):
    """Options of a scan; the last `held_out` share of the history takes no part in the choice.

    `correction` for the number of tries: `dependent` holds however tests depend on each other (Benjamini, Yekutieli),
    `measured` takes the p-values that independent walks get (Benjamini, Hochberg), and has more power.
    """

    trend: Trend = "c"
    lags: int | Criterion = "aic"
    correction: Correction = "dependent"
    level: float = SIGNIFICANCE
    held_out: float = 0.3


class ScannedPair(Struct, frozen=True, kw_only=True):
    """One pair of columns, `y` on `x` the way round that has the smaller p-value.

    `p_value` is the greater one of both ways round, `adjusted` the same for the number of tries. What follows is of
    survivors, or None: `held_out_p` of the part held out, Johansen's trace statistic of the first part, and the
    statistic of a break of all bars, at the bar `break_at` if one is found. `against` says why a survivor is not
    confirmed. `half_life` is in bars, of the AR(1) of the spread, not corrected for its bias; None if the spread does
    not revert. `half_life_corrected` is median-unbiased, `half_life_low` and `half_life_high` are the ends of its
    interval of 95 %; None where that is a random walk's. `zero_crossings` counts how often the spread changed its side
    of the line. `spread_std` is in the unit of y.
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
    half_life_corrected: float | None
    half_life_low: float | None
    half_life_high: float | None
    zero_crossings: int
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
    first, later = prices[: len(prices) - held_out], prices[len(prices) - held_out :]
    if min(len(first), len(later)) < LEAST:
        raise ValueError(
            f"expected at least {LEAST} bars in each part, received {len(first)} and, held out, {len(later)}"
        )
    tell = progress or _nobody
    found = engle_granger(first, options.trend, options.lags, lambda share: tell(_TESTS * share))
    with np.errstate(invalid="ignore", divide="ignore"):
        returns = np.atleast_2d(np.corrcoef(np.diff(first, axis=0), rowvar=False))
    reasons: dict[tuple[int, ...], str] = {(number,): reason for number, reason in found.refused.items()}
    reasons.update(found.reasons.items())
    adjusted = partial(_adjusted, times=len(first), options=options)
    rest = _without_trends(first, options.trend, found)
    pairs = _ranked(found, returns, rest, adjusted, options.level)
    pairs = _Survivors(first, later, found, options).judged(pairs, tell)
    tell(1.0)
    return Scan(
        bars=len(first),
        held_out_bars=len(later),
        tried=len(pairs),
        significant=sum(pair.stage != "tried" for pair in pairs),
        corrected=sum(pair.stage in ("corrected", "confirmed") for pair in pairs),
        confirmed=sum(pair.stage == "confirmed" for pair in pairs),
        pairs=pairs,
        reasons=reasons,
        returns=returns,
    )


def _nobody(_: float) -> None: ...


def _without_trends(first: Values, trend: Trend, found: AllPairs) -> Values:
    """Return what the trend leaves of each column that was tested, NaN of others."""
    rest = np.full_like(first, np.nan)
    for number in set(range(first.shape[1])) - set(found.refused):
        rest[:, number] = without_trend(first[:, number], trend)
    return rest


def _adjusted(p_values: Values, times: int, options: ScanOptions) -> Values:
    if options.correction == "dependent":
        return adjusted_p_values(p_values)
    measured = measured_p_values(p_values, null_p_values(times, options.trend, options.lags))
    return adjusted_p_values(measured, however_dependent=False)


def _ranked(
    found: AllPairs, returns: Values, rest: Values, adjust: Callable[[Values], Values], level: float
) -> list[ScannedPair]:
    upper = np.triu_indices(len(returns), 1)
    worse = found.worse_p_value[upper]
    adjusted = adjust(worse)
    order = np.argsort(worse, kind="stable")[: int(np.count_nonzero(~np.isnan(worse)))]
    one, other = upper[0][order], upper[1][order]
    is_forward = found.p_value[one, other] <= found.p_value[other, one]
    y, x = np.where(is_forward, one, other), np.where(is_forward, other, one)
    p_value, adjusted = worse[order], adjusted[order]
    hedge_ratio, r_squared = found.hedge_ratio[y, x], found.r_squared[y, x]
    deviations = np.sqrt(np.square(rest).mean(axis=0))
    spread = spreads(rest, y, x, hedge_ratio)
    is_reverting = (spread.coefficient > 0) & (spread.coefficient < 1)
    half_life = math.log(0.5) / np.log(np.where(is_reverting, spread.coefficient, np.nan))
    corrected, low, high = half_life_intervals(spread.coefficient, len(rest) - 1)
    columns: dict[str, list[Any]] = {
        "y": y.tolist(),
        "x": x.tolist(),
        "stage": np.where(
            adjusted < level, "corrected", np.where(p_value < level, "significant", "tried")
        ).tolist(),
        "p_value": p_value.tolist(),
        "adjusted": adjusted.tolist(),
        "hedge_ratio": hedge_ratio.tolist(),
        "hedge_ratio_se": found.hedge_ratio_se[y, x].tolist(),
        "r_squared": r_squared.tolist(),
        "half_life": _told(half_life),
        "half_life_corrected": _told(corrected),
        "half_life_low": _told(low),
        "half_life_high": _told(high),
        "zero_crossings": spread.crossings.tolist(),
        "spread_std": (deviations[y] * np.sqrt(np.maximum(1 - r_squared, 0))).tolist(),
        "level_correlation": (np.sign(hedge_ratio) * np.sqrt(np.clip(r_squared, 0, 1))).tolist(),
        "return_correlation": returns[y, x].tolist(),
    }
    return [
        ScannedPair(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)
    ]


def _told(values: Values) -> list[float | None]:
    """Return `values` with None where there is no number."""
    return [None if math.isnan(value) else value for value in values.tolist()]


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
