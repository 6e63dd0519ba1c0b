"""Columns of a file without a header, told by what is in them: a time, four prices that fit together, a volume."""

import re
from collections.abc import Sequence

from services.datasets import epochs
from services.datasets.columns import Columns
from services.datasets.numbers import UNKNOWN, Numbers, recognise_numbers
from services.datasets.options import ReadOptions
from services.datasets.questions import UnclearError
from services.datasets.times import is_time

# Open, high, low, close, as most write them, and as Coinbase and Bitfinex do.
_ORDERS = ((0, 1, 2, 3), (2, 1, 0, 3), (0, 2, 3, 1))
_CLOCK = re.compile(r"[0-9]{1,2}:?[0-9]{2}(?::?[0-9]{2}(?:\.[0-9]+)?)?")
_FITTING = 0.9
# Kraken's REST has the mean price before the volume.
_KRAKEN_WIDTH = 8


def unnamed(rows: Sequence[Sequence[str]], options: ReadOptions) -> Columns | None:
    """Return where everything is in rows of one width, None if they are no bars."""
    width = len(rows[0])
    if width < 5 or not _is_time(rows[0][0], options):
        return None
    clock = 1 if _CLOCK.fullmatch(rows[0][1]) and ":" in rows[0][1] else None
    first = 1 if clock is None else 2
    numbers = _numbers([cell for row in rows for cell in row[first : first + 5]], options)
    values = [_values(row[first:], numbers) for row in rows]
    prices = [value[:4] for value in values if len(value) >= 4]
    if len(prices) < _FITTING * len(rows) or not prices:
        return None
    order = next((one for one in _ORDERS if _fits(prices, one)), None)
    if order is None:
        return None
    opened, high, low, close = (first + place for place in order)
    volume = first + 4
    if width == _KRAKEN_WIDTH and all(len(one) > 5 and one[2] <= one[4] <= one[1] for one in values):
        volume += 1
    has_volume = volume < width and all(len(one) > volume - first for one in values if one)
    return Columns(0, clock, None, opened, high, low, close, volume if has_volume else None)


def _numbers(cells: Sequence[str], options: ReadOptions) -> Numbers:
    try:
        return recognise_numbers(cells, options)
    except UnclearError as unclear:  # which is asked once the columns are known
        return recognise_numbers(cells, options.with_option(unclear.option, unclear.values[0]))


def _values(cells: Sequence[str], numbers: Numbers) -> list[float]:
    """Return the numbers that a row begins with."""
    found: list[float] = []
    for cell in cells:
        try:
            is_unknown = cell in UNKNOWN and len(found) >= 4
            found.append(0.0 if is_unknown else numbers.parse(cell, multiples=True))
        except ValueError:
            break
    return found


def _fits(prices: Sequence[Sequence[float]], order: tuple[int, int, int, int]) -> bool:
    """Return whether nearly all rows are bars in this order."""
    _, high, low, _ = order
    fitting = sum(0 < one[low] <= min(one) <= max(one) <= one[high] for one in prices)
    return fitting >= _FITTING * len(prices)


def _is_time(text: str, options: ReadOptions) -> bool:
    if epochs.NUMBER.fullmatch(text):
        return bool(options.time_unit or epochs.unit_of(text) or re.match(epochs.COMPACT, text))
    return is_time(text, options)
