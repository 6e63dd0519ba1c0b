"""Parser of one line: a bar, or the reason why it is none; every faster way of reading must agree with it."""

import csv
import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from services.contracts.symbol_forms import market_symbol
from services.datasets.columns import normal
from services.datasets.dialect import COMMENTS, Dialect
from services.datasets.numbers import UNKNOWN

ROUNDING = 1e-6
"""By so much of a price an open or a close may be outside of high and low."""
_SHOWN = 120
_TOTAL = re.compile(
    r"(?:grand )?(?:total|sum|subtotal|average|avg|mean|median|min|max|count)\b.*", re.IGNORECASE
)
_RULE = re.compile(r"[-=_*#\s|+;,\"]*")


class DatasetBar(NamedTuple):
    """One line: the time at which the bar begins (epoch, us), its prices, and its volume if the file has it."""

    line: int
    symbol: str
    start_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None


class ContradictedError(Exception):
    """A line that contradicts what the lines before it were taken for."""


class RowProblem(NamedTuple):
    """A line that is not as it should be, and why: no bar, not meant as one, or a bar that was adjusted."""

    line: int
    reason: str
    kind: Literal["rejected", "skipped", "adjusted"] = "rejected"


def parse_row(
    number: int,
    line: bytes,
    dialect: Dialect,
    symbol: str | None,
    named: Callable[[str], str] = market_symbol,
) -> DatasetBar | RowProblem:
    """Return what a line holds; `symbol` is what the bar is of if no column says it, which is `named`.

    A bar may be in need of `adjusted`. ContradictedError if the line contradicts what the file was taken for.
    """
    text = line.decode("utf-8", "replace").strip("\r\n")
    if not text.strip():
        return RowProblem(number, "a blank line", "skipped")
    try:
        return _bar(number, dialect.cells(text), dialect, symbol, named)
    except (ValueError, csv.Error) as error:
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        if skipped := _no_bar(text, dialect):
            return RowProblem(number, f"{skipped}: {shown!r}", "skipped")
        return RowProblem(number, f"{error}, in {shown!r}")


def adjusted(bar: DatasetBar) -> tuple[DatasetBar, RowProblem | None]:
    """Return a bar whose high and low hold its open and close, and what that took, if it took anything."""
    low, high = min(bar[3:7]), max(bar[3:7])
    if (low, high) == (bar.low, bar.high):
        return bar, None
    reason = f"high {bar.high!r} and low {bar.low!r} were rounded: {high!r} and {low!r} hold open and close"
    return bar._replace(low=low, high=high), RowProblem(bar.line, reason, "adjusted")


def _no_bar(text: str, dialect: Dialect) -> str | None:
    """Return what a line is that is not meant as a bar, None if it may be."""
    if text.lstrip().startswith(COMMENTS):
        return "a comment"
    if _RULE.fullmatch(text):
        return "a line without values"
    try:
        cells = dialect.cells(text)
    except csv.Error:
        return None
    if dialect.header and list(map(normal, cells)) == list(map(normal, dialect.names)):
        return "the header again"
    priceless = len(cells) == dialect.width and all(cells[one] in UNKNOWN for one in dialect.columns.prices)
    if priceless and _has_time(cells, dialect):
        return "a time without prices"
    first = next((cell for cell in cells if cell), "")
    return "a total" if _TOTAL.fullmatch(first) else None


def _has_time(cells: Sequence[str], dialect: Dialect) -> bool:
    try:
        dialect.times.parse(dialect.time_text(cells))
    except ValueError:
        return False
    return True


def _bar(
    number: int, cells: Sequence[str], dialect: Dialect, symbol: str | None, named: Callable[[str], str]
) -> DatasetBar:
    columns = dialect.columns
    if len(cells) != dialect.width:
        raise ValueError(f"expected {dialect.width} columns, received {len(cells)}")
    opened, high, low, close = (dialect.numbers.parse(cells[place]) for place in columns.prices)
    least, most = min(opened, close), max(opened, close)
    if not (0 < low <= least * (1 + ROUNDING) and most <= high * (1 + ROUNDING) and low <= high):
        raise ValueError("expected 0 < low <= open, close <= high")
    volume = None
    if columns.volume is not None and cells[columns.volume] not in UNKNOWN:
        volume = dialect.numbers.parse(cells[columns.volume], multiples=True)
    if columns.symbol is not None:
        symbol = named(cells[columns.symbol])
    if symbol is None:
        raise ValueError("expected a symbol, received none")
    start_us = dialect.times.parse(dialect.time_text(cells))
    _require_silence(cells, dialect)
    return DatasetBar(number, symbol, start_us, opened, high, low, close, volume)


def _require_silence(cells: Sequence[str], dialect: Dialect) -> None:
    silent, taken = dialect.silent, dialect.columns.volume
    if (
        silent is None
        or taken is None
        or cells[silent] in UNKNOWN
        or dialect.numbers.parse(cells[silent]) == 0
    ):
        return
    names = dialect.names[silent], dialect.names[taken]
    raise ContradictedError(
        f"expected {names[0]} to be 0 throughout, as in the first lines, received {cells[silent]!r}: say by "
        f"mapping= whether the volume is {names[0]} or {names[1]}"
    )
