"""Parser of one line: a bar, or the reason why it is none; every faster way of reading must agree with it."""

import csv
import re
from collections.abc import Sequence
from typing import NamedTuple

from services.contracts.pairs import parse_symbol
from services.datasets.dialect import Dialect

LARGEST = 1e20
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SHOWN = 120


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


class RowProblem(NamedTuple):
    """A line that is no bar, and why."""

    line: int
    reason: str


def parse_row(
    number: int, line: bytes, dialect: Dialect, symbol: str | None
) -> DatasetBar | RowProblem | None:
    """Return what a line holds, None if it is empty; `symbol` is what the bar is of if no column says it."""
    text = line.decode("utf-8", "replace").strip("\r\n")
    if not text.strip():
        return None
    try:
        return _bar(number, dialect.cells(text), dialect, symbol)
    except (ValueError, csv.Error) as error:
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        return RowProblem(number, f"{error}, in {shown!r}")


def market_symbol(text: str) -> str:
    """Return the symbol in the form of ours; ValueError if it cannot be one.

    >>> market_symbol("btc/usdt"), market_symbol("BTC-USDT")
    ('BTCUSDT', 'BTCUSDT')
    """
    return parse_symbol(text.replace("/", "").replace("-", ""))


def _bar(number: int, cells: Sequence[str], dialect: Dialect, symbol: str | None) -> DatasetBar:
    columns = dialect.columns
    if len(cells) != dialect.width:
        raise ValueError(f"expected {dialect.width} columns, received {len(cells)}")
    opened, high, low, close = (_amount(cells[place], dialect.decimal) for place in columns.prices)
    if not 0 < low <= min(opened, close) <= max(opened, close) <= high:
        raise ValueError("expected 0 < low <= open, close <= high")
    volume = None
    if columns.volume is not None and cells[columns.volume]:
        volume = _amount(cells[columns.volume], dialect.decimal)
    if columns.symbol is not None:
        symbol = market_symbol(cells[columns.symbol])
    if symbol is None:
        raise ValueError("expected a symbol, received none")
    return DatasetBar(
        number, symbol, dialect.times.parse(dialect.time_text(cells)), opened, high, low, close, volume
    )


def _amount(text: str, decimal: str) -> float:
    plain = text if decimal == "." else text.replace(",", ".")
    if not _NUMBER.fullmatch(plain) or (decimal == "," and "." in text):
        raise ValueError(f"expected a number such as 64123{decimal}4, received {text!r}")
    if not 0 <= (value := float(plain)) < LARGEST:
        raise ValueError(f"expected a number from 0 to {LARGEST:g}, received {text!r}")
    return value
