"""Closes of symbols as arrays, from the bars of the market or of a dataset."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from services.api.queries.reader import StoreReader
from services.common import clock
from services.contracts.intervals import WIDTHS_US, Interval
from services.store.arrays import load_arrays

Moments = NDArray[np.int64]
Prices = NDArray[np.float64]

# A bar that can still change is no observation.
_MARKET = sql.SQL("""
SELECT symbol, ts, close FROM {table}
WHERE ts <= coalesce((SELECT max(ts) FROM ticks WHERE symbol = %(symbol)s), 'infinity') - {width}::interval
""")

_CLOSES = sql.SQL("""
SELECT array_agg(ts ORDER BY ts), array_agg(close ORDER BY ts)
FROM (
    SELECT ts, close FROM ({bars}) AS bars
    WHERE symbol = %(symbol)s {period} ORDER BY ts {direction} LIMIT %(count)s
) AS selected
""")


class Bars(NamedTuple):
    """Source of bars: a SELECT of `symbol`, `ts` and `close`, its values, and the width of a bar in µs."""

    select: sql.Composable
    values: Mapping[str, Any]
    width_us: int


class Closes(NamedTuple):
    """The closes of one symbol, oldest first, and the starts of their bars in µs since the epoch."""

    start_us: Moments
    price: Prices


class Period(NamedTuple):
    """The first `limit` bars from `start` on or, without it, the last ones; all of them before `end` (µs)."""

    limit: int
    start: int | None = None
    end: int | None = None


def market_bars(interval: Interval) -> Bars:
    """Return the bars made of trades; one is read once a later trade has completed it."""
    table, width = sql.Identifier(f"ohlc_{interval}"), sql.Literal(interval)
    return Bars(_MARKET.format(table=table, width=width), {}, WIDTHS_US[interval])


async def closes(store: StoreReader, bars: Bars, symbols: Iterable[str], period: Period) -> dict[str, Closes]:
    """Return the closes of each symbol within the one range in which none has more than `limit` bars.

    Nothing is filled: a symbol has no close where it had no trade. TransientError as the store.
    """
    first: Literal["", "DESC"] = "" if period.start is not None else "DESC"
    conditions: list[sql.Composable] = []
    values = dict(bars.values)
    for name, test, us in (("start", ">=", period.start), ("end", "<", period.end)):
        if us is not None:
            conditions.append(sql.SQL("AND ts {} {}").format(sql.SQL(test), sql.Placeholder(name)))
            values[name] = clock.to_datetime(us)
    query = _CLOSES.format(bars=bars.select, period=sql.SQL(" ").join(conditions), direction=sql.SQL(first))
    found = {}
    async with store.reading() as connection, connection.cursor(binary=True) as cursor:
        load_arrays(cursor)
        for symbol in symbols:
            await cursor.execute(query, {**values, "symbol": symbol, "count": period.limit + 1})
            found[symbol] = Closes(*_or_nothing(*(await cursor.fetchone() or (None, None))))
    return _cut(found, period)


class Aligned(NamedTuple):
    """Closes of several symbols at the starts of bars that all of them have."""

    start_us: Moments
    prices: tuple[Prices, ...]


def align(legs: Iterable[Closes]) -> Aligned:
    """Return the closes of `legs` at their common starts; nothing is carried forward."""
    legs = list(legs)
    common = legs[0].start_us
    for leg in legs[1:]:
        common = np.intersect1d(common, leg.start_us, assume_unique=True)
    return Aligned(common, tuple(leg.price[np.searchsorted(leg.start_us, common)] for leg in legs))


def _cut(found: dict[str, Closes], period: Period) -> dict[str, Closes]:
    """Cut every symbol where the first of them has more than the limit."""
    full = [one.start_us for one in found.values() if len(one.start_us) > period.limit]
    if not full:
        return found
    if period.start is None:
        begin = max(starts[1] for starts in full)
        return {name: Closes(*(part[one.start_us >= begin] for part in one)) for name, one in found.items()}
    end = min(starts[-1] for starts in full)
    return {name: Closes(*(part[one.start_us < end] for part in one)) for name, one in found.items()}


def _or_nothing(start_us: Moments | None, price: Prices | None) -> tuple[Moments, Prices]:
    if start_us is None or price is None:
        return np.array([], np.int64), np.array([], np.float64)
    return start_us, price
