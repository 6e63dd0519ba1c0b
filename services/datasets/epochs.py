"""Times that are numbers: since 1970 in one of four units, days of a spreadsheet, or digits of a date."""

import re
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from services.common import clock
from services.datasets.options import TimeUnit

NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?")
COMPACT = "^(?:19|20)[0-9]{6}(?:[0-9]{2}(?:[0-9]{2}(?:[0-9]{2}(?:[0-9]{3})?)?)?)?$"
"""A date and a time of day without anything between them, down to milliseconds."""
END_US = 253_402_300_800_000_000
_PER_UNIT: dict[TimeUnit, Fraction] = {
    "s": Fraction(1_000_000),
    "ms": Fraction(1_000),
    "us": Fraction(1),
    "ns": Fraction(1, 1_000),
}
# Bitcoin's first block is of January 2009; a bar ends at most a year ahead, as one of futures might be dated.
_EARLIEST_US = 1_230_768_000_000_000
_AHEAD_US = 366 * 86_400_000_000
# Day 0 of spreadsheets is 1899-12-30, for days behind February 1900.
_EXCEL_1970 = 25_569
_DAY_S = 86_400


def since(text: str, unit: TimeUnit) -> int:
    """Return the time that a number of `unit` stands for, µs since 1970."""
    if unit == "excel":
        return _excel_us(text)
    return int(Fraction(text) * _PER_UNIT[unit])


def unit_of(text: str) -> TimeUnit | None:
    """Return the unit by which a number is a time from 2009 to a year ahead, None if there is none.

    The ranges of the units do not meet: at most one unit fits.
    """
    latest_us = clock.now_us() + _AHEAD_US
    for unit, per in _PER_UNIT.items():
        if _EARLIEST_US <= int(Fraction(text) * per) < latest_us:
            return unit
    if not re.match(COMPACT, text) and _EARLIEST_US <= _excel_us(text) < latest_us:
        return "excel"
    return None


def units(text: str) -> list[TimeUnit]:
    """Return the units that may be meant, where none is likely: those with a time from 1971 to 2100."""
    found: list[TimeUnit] = ["s", "ms", "us", "ns", "excel"]
    return [unit for unit in found if 31_536_000_000_000 <= since(text, unit) < 4_102_444_800_000_000]


def since_all(numbers: NDArray[np.int64], unit: TimeUnit | None) -> NDArray[np.int64]:
    """Return what `since` returns for whole numbers; ValueError unless they are of one unit, told or likely."""
    low, high = int(numbers.min()), int(numbers.max())
    if unit is None:
        unit = unit_of(str(high))
        if unit is None or unit_of(str(low)) != unit:
            raise ValueError("expected numbers of one unit")
    if unit == "excel":
        if high > 1e7:
            raise ValueError("expected days until 9999")
        return np.asarray((numbers - _EXCEL_1970) * _DAY_S * 1_000_000, np.int64)
    ratio = _PER_UNIT[unit]
    if high * ratio >= END_US:
        raise ValueError("expected times until 9999")
    return np.asarray(numbers * ratio.numerator // ratio.denominator, np.int64)


def _excel_us(text: str) -> int:
    """Return the time of a day of a spreadsheet, whose fraction is as exact as its digits: seconds or minutes."""
    seconds = (Fraction(text) - _EXCEL_1970) * _DAY_S
    step = 1 if len(text.partition(".")[2]) > 4 else 60
    return round(seconds / step) * step * 1_000_000
