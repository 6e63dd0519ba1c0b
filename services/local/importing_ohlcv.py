"""OHLCV csv as people have it: any order of columns, times in ISO 8601 or since 1970; plain, gz or zip."""

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from services.common import clock
from services.common.errors import FatalError
from services.common.pairs import parse_symbol
from services.ingest.feeds.archive_rows import Damage
from services.ingest.feeds.packed import unpacked

_TIMES = ("open_time", "timestamp", "time", "datetime", "date", "ts", "start_time")
_SYMBOLS = ("symbol", "ticker", "instrument")
_PRICES = ("open", "high", "low", "close")
# The venue's archive of klines had no header until 2022.
_KLINE = ("open_time", *_PRICES, "volume", *"abcdef")
_NUMBER = re.compile(r"\d{1,30}(\.\d{1,30})?", re.ASCII)
# Numbers since 1970 are ns, µs, ms or s, told by their size: it is the same from 1973 to 5138.
_UNITS = (
    (10**17, Fraction(1, 1_000)),
    (10**14, Fraction(1)),
    (10**11, Fraction(1_000)),
    (0, Fraction(1_000_000)),
)
_LARGEST = 1e20
_END_US = 253_402_300_800_000_000


class Bar(NamedTuple):
    """One line: the time at which the bar begins (epoch, us), its prices, and its volume if the file has it."""

    line: int
    symbol: str
    start_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None


class _Columns(NamedTuple):
    """Where what is; `header` is false for a file that begins with a bar."""

    time: int
    prices: Sequence[int]
    volume: int | None
    symbol: int | None
    header: bool


def is_ohlcv(path: Path) -> bool:
    """Return whether a file's first line names the columns of bars or is a kline; FatalError if it cannot be read."""
    return _columns(path) is not None


def bars(path: Path, symbol: str | None) -> Iterator[Bar | Damage]:
    """Yield every bar and every line that is none, in the order of the file.

    `symbol` is what the bars are of if no column says it; without it the file's name does, up to the first
    ``-`` or ``_``. A time without a zone is taken as UTC. FatalError if the file cannot be read to its end.
    """
    columns = _columns(path)
    assert columns is not None, "is_ohlcv has said so"
    if columns.symbol is None and symbol is None:
        symbol = _symbol_of(path)
    with unpacked(path) as file:
        for number, line in enumerate(file, 1):
            text = line.decode("utf-8", "replace").strip()
            if text and not (number == 1 and columns.header):
                try:
                    yield _bar(number, _cells(text), columns, symbol)
                except (ValueError, IndexError, csv.Error) as error:
                    yield Damage(number, line, f"expected a bar, received {text[:120]!r}: {error}")


def _columns(path: Path) -> _Columns | None:
    with unpacked(path) as file:
        line = file.readline(1 << 16).decode("utf-8-sig", "replace").strip()
    try:
        first = [cell.lower().replace(" ", "_") for cell in _cells(line)]
    except csv.Error:
        return None
    header = not all(map(_NUMBER.fullmatch, first))
    if not header and len(first) == len(_KLINE):
        first = list(_KLINE)
    places = {name: place for place, name in enumerate(first)}
    times = [places[name] for name in _TIMES if name in places]
    if not times or not all(name in places for name in _PRICES):
        return None
    symbols = [places[name] for name in _SYMBOLS if name in places]
    prices = [places[name] for name in _PRICES]
    return _Columns(times[0], prices, places.get("volume"), symbols[0] if symbols else None, header)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line]), [])]


def _symbol_of(path: Path) -> str:
    try:
        return parse_symbol(re.split(r"[-_.]", path.name)[0])
    except ValueError:
        raise FatalError(
            f"{path}: expected --symbol, a column symbol, or a name such as BTCUSDT-1m.csv, received none of them"
        ) from None


def _bar(line: int, row: Sequence[str], columns: _Columns, symbol: str | None) -> Bar:
    opened, high, low, close = (_amount(row[place]) for place in columns.prices)
    if not 0 < low <= min(opened, close) <= max(opened, close) <= high:
        raise ValueError("expected 0 < low <= open, close <= high")
    volume = None if columns.volume is None or not row[columns.volume] else _amount(row[columns.volume])
    if columns.symbol is not None:
        symbol = parse_symbol(row[columns.symbol])
    assert symbol is not None, "the file's name says it"
    return Bar(line, symbol, _moment(row[columns.time]), opened, high, low, close, volume)


def _amount(text: str) -> float:
    value = float(text)
    if not 0 <= value < _LARGEST:
        raise ValueError(f"expected a number from 0 to {_LARGEST:g}, received {text!r}")
    return value


def _moment(text: str) -> int:
    if _NUMBER.fullmatch(text):
        number = Fraction(text)
        us = int(number * next(unit for least, unit in _UNITS if number >= least))
    else:
        moment = datetime.fromisoformat(text)
        us = clock.from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if not 0 <= us < _END_US:
        raise ValueError(f"expected a time from 1970 to 9999, received {text!r}")
    return us
