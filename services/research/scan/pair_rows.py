"""Rows of a scan's pairs, as they are stored and exported: the least p-value first, those without a test last."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from services.contracts.scans import Stage
from services.quant.scan.scan import ScannedPair
from services.research.scan.run import FoundPairs

DRAWN = 500
"""Pairs whose spread is kept, in at most `POINTS` points."""
POINTS = 60
_BASIS_POINTS = 1e4


class PairRow(NamedTuple):
    """Row of ``scan_pairs`` without its job."""

    rank: int
    y: str
    x: str
    stage: Stage
    p_value: float | None = None
    adjusted_p_value: float | None = None
    held_out_p_value: float | None = None
    trace_statistic: float | None = None
    trace_critical_value: float | None = None
    break_statistic: float | None = None
    break_critical_value: float | None = None
    break_us: int | None = None
    hedge_ratio: float | None = None
    hedge_ratio_se: float | None = None
    r_squared: float | None = None
    half_life_bars: float | None = None
    half_life_corrected_bars: float | None = None
    half_life_low_bars: float | None = None
    half_life_high_bars: float | None = None
    zero_crossings: int | None = None
    spread_bp: float | None = None
    level_correlation: float | None = None
    return_correlation: float | None = None
    reason: str | None = None
    spread: list[float] | None = None


def rows(scanned: FoundPairs) -> Iterator[PairRow]:
    """Yield the row of each pair, and of each symbol or pair that was in no test."""
    symbols, found = scanned.closes.symbols, scanned.found
    means = scanned.closes.prices.mean(axis=0).tolist()
    is_log = scanned.request.transform == "log"
    for rank, pair in enumerate(found.pairs, start=1):
        unit = 1.0 if is_log else means[pair.y]
        trace, at = pair.trace, pair.break_at
        yield PairRow(
            rank,
            symbols[pair.y],
            symbols[pair.x],
            pair.stage,
            pair.p_value,
            pair.adjusted,
            pair.held_out_p,
            None if trace is None else trace.statistic,
            None if trace is None else trace.critical_value,
            pair.break_statistic,
            pair.break_critical_value,
            None if at is None else int(scanned.closes.at_us[at]),
            _finite(pair.hedge_ratio),
            _finite(pair.hedge_ratio_se),
            _finite(pair.r_squared),
            pair.half_life,
            pair.half_life_corrected,
            pair.half_life_low,
            pair.half_life_high,
            pair.zero_crossings,
            _finite(_BASIS_POINTS * pair.spread_std / unit),
            _finite(pair.level_correlation),
            _finite(pair.return_correlation),
            pair.against,
            drawn(scanned, pair) if rank <= DRAWN else None,
        )
    rank = len(found.pairs)
    seen = set()
    for columns, reason in found.reasons.items():
        # The other way round it is the same.
        if (both := frozenset(columns)) not in seen:
            seen.add(both)
            rank += 1
            names = [symbols[column] for column in columns]
            yield PairRow(rank, names[0], names[-1], "refused", reason=reason)


def drawn(scanned: FoundPairs, pair: ScannedPair) -> list[float]:
    """Return the spread of all bars by the line of the first part, in standard deviations of that part, thinned."""
    prices, bars = scanned.prices, scanned.found.bars
    spread = prices[:, pair.y] - pair.hedge_ratio * prices[:, pair.x]
    spread = spread - spread[:bars].mean()
    scale = float(spread[:bars].std()) or 1.0
    chosen = np.linspace(0, len(spread) - 1, min(POINTS, len(spread))).round().astype(int)
    return [round(value, 3) for value in (spread[chosen] / scale).tolist()]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
