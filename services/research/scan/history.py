"""History of a scan: closes of the market or of a dataset, read for all symbols of a request."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from services.common import clock
from services.common.errors import PairstreamError
from services.contracts.intervals import USUAL, WIDTHS_US, Interval
from services.contracts.scans import MOST_CLOSES, ScanRequest, too_many
from services.datasets.tables import bars_relation, wider_than
from services.research.scan.closes import COVERED, CommonCloses, common
from services.store import relations
from services.store.arrays import load_arrays
from services.store.database import Connection

_NAMED = 5
_DATASET = """
SELECT name, (extract(epoch FROM bar_width) * 1000000)::int8 FROM datasets WHERE dataset_id = %s
"""
_SYMBOLS_OF = "SELECT symbol FROM dataset_symbols WHERE dataset_id = %s ORDER BY symbol"
_LAST = sql.SQL("SELECT max(ts) FROM {} WHERE ts < %s::timestamptz AND {}")
# Days and months have no width, so that of a dataset bars are counted.
_NTH = sql.SQL("""
SELECT min(ts) FROM (
    SELECT DISTINCT ts FROM {} WHERE ts < %s::timestamptz AND {} ORDER BY ts DESC LIMIT %s
) AS newest
""")
_CLOSES = sql.SQL("""
SELECT array_agg(ts ORDER BY ts), array_agg(close ORDER BY ts) FROM (
    SELECT ts, close FROM {table}
    WHERE symbol = %(symbol)s AND ts >= %(start)s::timestamptz AND ts < %(end)s::timestamptz AND {closed}
) AS bars
""")
# A bar that can still change is no observation.
_CLOSED = sql.SQL(
    "ts <= coalesce((SELECT max(ts) FROM ticks WHERE symbol = %(symbol)s), 'infinity') - {}::interval"
)
_TRADED = sql.SQL("NOT carried")


class UnfitError(PairstreamError):
    """What cannot be scanned, and what would be right; asking again changes nothing."""


class History(NamedTuple):
    """Closes at common times, and the width of a bar (us)."""

    closes: CommonCloses
    width_us: int


class _Bars(NamedTuple):
    table: sql.Identifier
    width_us: int
    symbols: list[str]
    closed: sql.Composable
    is_market: bool


async def read(connection: Connection, request: ScanRequest, tell: Callable[[float], None]) -> History:
    """Return the closes that `request` asks for, of at least two symbols; UnfitError tells what is wrong otherwise."""
    bars = await (_market(connection, request) if request.dataset is None else _dataset(connection, request))
    symbols = list(dict.fromkeys(request.symbols)) or bars.symbols
    if unknown := [symbol for symbol in symbols if symbol not in bars.symbols]:
        raise UnfitError(f"symbols: expected some of {_some(bars.symbols)}, received {_some(unknown)}")
    if len(symbols) < 2:
        raise UnfitError(f"symbols: expected at least two, received {_some(symbols) or 'none'}")
    end = "infinity" if request.end_us is None else clock.to_datetime(request.end_us)
    start = await _start(connection, request, bars, end)
    found: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]] = {}
    count = 0
    async with connection.cursor(binary=True) as cursor:
        load_arrays(cursor)
        query = _CLOSES.format(table=bars.table, closed=bars.closed)
        for number, symbol in enumerate(symbols):
            await cursor.execute(query, {"symbol": symbol, "start": start, "end": end})
            at_us, closes = await cursor.fetchone() or (None, None)
            if at_us is not None and closes is not None:
                found[symbol] = at_us, closes
                count += len(closes)
                if count > MOST_CLOSES:
                    raise UnfitError(
                        f"expected at most {MOST_CLOSES:,} closes of all symbols together, received more"
                    )
            tell((number + 1) / len(symbols))
    return History(_common(symbols, found), bars.width_us)


def _common(
    symbols: list[str], found: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]
) -> CommonCloses:
    closes = common(found)
    left_out = {symbol: "no bars in that time" for symbol in symbols if symbol not in found} | closes.left_out
    closes = closes._replace(left_out=left_out)
    if (expected := too_many(len(closes.symbols), len(closes.at_us))) is not None:
        raise UnfitError(f"expected {expected}")
    if len(closes.symbols) < 2:
        told = "; ".join(f"{symbol}: {reason}" for symbol, reason in list(left_out.items())[:_NAMED])
        raise UnfitError(
            f"expected at least two symbols with bars at {COVERED:.0%} of the times, received "
            f"{_some(closes.symbols) or 'none'}{f' ({told})' if told else ''}"
        )
    return closes


async def _market(connection: Connection, request: ScanRequest) -> _Bars:
    interval = request.interval or USUAL
    table = relations.BARS[interval]
    symbols = await relations.owners(connection, table)
    closed = _CLOSED.format(sql.Literal(interval))
    return _Bars(sql.Identifier(table.name), WIDTHS_US[interval], symbols, closed, True)


async def _dataset(connection: Connection, request: ScanRequest) -> _Bars:
    dataset_id = request.dataset
    found = await (await connection.execute(_DATASET, [dataset_id])).fetchone()
    if found is None:
        raise UnfitError(f"expected a dataset, received {dataset_id!r}, which has been deleted")
    name, width_us = found
    wider: Interval | None = None
    if request.interval is not None and WIDTHS_US[request.interval] != width_us:
        if request.interval not in wider_than(width_us):
            expected = f"a multiple of {width_us / 1e6:g} s, the width of the bars of {name}"
            raise UnfitError(f"interval: expected {expected}, received {request.interval}")
        wider, width_us = request.interval, WIDTHS_US[request.interval]
    symbols = [one for (one,) in await (await connection.execute(_SYMBOLS_OF, [dataset_id])).fetchall()]
    table = sql.Identifier(bars_relation(str(dataset_id), wider))
    return _Bars(table, width_us, symbols, _TRADED, False)


async def _start(connection: Connection, request: ScanRequest, bars: _Bars, end: object) -> object:
    if request.start_us is not None:
        return clock.to_datetime(request.start_us)
    true = sql.SQL("true")
    if not bars.is_market:
        query = _NTH.format(bars.table, bars.closed)
        ((first,),) = await (await connection.execute(query, [end, request.bars])).fetchall()
        return first or "-infinity"
    ((last,),) = await (await connection.execute(_LAST.format(bars.table, true), [end])).fetchall()
    if last is None:
        return "-infinity"
    return clock.to_datetime(max(0, clock.from_datetime(last) - (request.bars - 1) * bars.width_us))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
