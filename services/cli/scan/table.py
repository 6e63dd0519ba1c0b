"""Table of a scan on the terminal: the funnel and the first pairs."""

from collections.abc import Iterable
from itertools import islice

from services.common import clock
from services.contracts.pairs import Pair
from services.quant.options import SIGNIFICANCE
from services.research.scan.pair_rows import PairRow, rows
from services.research.scan.run import FoundPairs

SHOWN = 20


def described(scanned: FoundPairs) -> list[str]:
    """Return the funnel and the first pairs in lines."""
    summary = scanned.summary
    all_rows = list(rows(scanned))
    tested = [row for row in all_rows if row.stage != "refused"]
    refused = [row for row in all_rows if row.stage == "refused"]
    left_out = [f"{symbol} is left out: {reason}" for symbol, reason in summary.left_out.items()]
    return [
        *_some(left_out),
        *funnel(scanned),
        *_some([f"{_name(row)} was not tested: {row.reason}" for row in refused]),
        *_table(tested),
    ]


def funnel(scanned: FoundPairs) -> list[str]:
    """Return which history was tested, and how many pairs are left at each stage."""
    summary = scanned.summary
    first, last = clock.to_iso(summary.first_us), clock.to_iso(summary.last_us)
    return [
        f"{len(summary.symbols)} symbols, {summary.bars:,} bars and {summary.held_out_bars:,} held out, "
        f"{first} to {last}, {summary.carried:,} closes carried from the bar before",
        f"{summary.tried:,} pairs tried: {summary.significant:,} with p < {SIGNIFICANCE:g} both ways round, "
        f"{summary.corrected:,} once the number of tries counts, {summary.confirmed:,} confirmed in the part held out, "
        "by the trace test and without a break",
    ]


def interval(row: PairRow) -> str:
    """Return the interval of a half-life in bars; of a random walk there is no end."""
    if row.half_life_low_bars is None:
        return "no reversion"
    return f"{row.half_life_low_bars:.1f} to {_told(row.half_life_high_bars, '.1f', 'no end')}"


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - SHOWN
    return lines[:SHOWN] + ([f"... and {more:,} more"] if more > 0 else [])


def _table(tested: list[PairRow]) -> Iterable[str]:
    if tested:
        yield (
            f"{'pair':<28}{'p':>10}{'adjusted':>10}{'held out':>10}{'hedge ratio':>13}{'half-life':>11}"
            f"{'95 %':>16}{'crossings':>11}{'bp':>8}{'returns':>9}  stage"
        )
    for row in islice(tested, SHOWN):
        yield (
            f"{_name(row):<28}{row.p_value:>10.4g}{row.adjusted_p_value:>10.4g}{_told(row.held_out_p_value, '.4f'):>10}"
            f"{_told(row.hedge_ratio, '.6g'):>13}{_told(row.half_life_corrected_bars, '.1f'):>11}"
            f"{interval(row):>16}{_told(row.zero_crossings, ','):>11}{_told(row.spread_bp, '.1f'):>8}"
            f"{_told(row.return_correlation, '.3f'):>9}  {row.stage}{f': {row.reason}' if row.reason else ''}"
        )


def _name(row: PairRow) -> str:
    return row.y if row.y == row.x else str(Pair(row.y, row.x))


def _told(value: float | None, form: str, none: str = "-") -> str:
    return none if value is None else format(value, form)
