"""Reference bars recomputed from raw ticks in the database."""

from collections.abc import AsyncIterator
from typing import Any

from psycopg import sql

from services.cli.reconcile.bars import RELATIVE, SUMS, BarDifference, Part, ReconciledBar, Stretch
from services.common import clock
from services.contracts.intervals import INTERVALS, WIDTHS_US, Interval
from services.store.database import Connection

_DAY = 24 * clock.HOUR
_COLUMNS = sql.SQL(", ").join(map(sql.Identifier, ReconciledBar._fields))
_UNLIKE = sql.SQL(" OR ").join(
    sql.SQL("abs(raw.{0} - stored.{0}) > {1} * abs(raw.{0})").format(sql.Identifier(name), RELATIVE)
    if name in SUMS
    else sql.SQL("raw.{0} <> stored.{0}").format(sql.Identifier(name))
    for name in ReconciledBar._fields
)

# Straight from the ticks at every level: it shares nothing with the ways in which bars are made.
_COMPARE = sql.SQL("""
WITH raw AS (
    SELECT date_bin({width}, ts, '2000-01-01 00:00:00+00') AS ts,
           (array_agg(price ORDER BY trade_id, ts))[1] AS open, max(price) AS high, min(price) AS low,
           (array_agg(price ORDER BY trade_id, ts))[count(*)] AS close,
           sum(size) AS volume, sum(price * size) AS quote_volume,
           count(*) AS trade_count, min(trade_id) AS first_id, max(trade_id) AS last_id
    FROM ticks WHERE symbol = %(symbol)s AND ts >= %(start)s AND ts < %(end)s GROUP BY 1
), stored AS (
    SELECT ts, {columns} FROM {table} WHERE symbol = %(symbol)s AND ts >= %(start)s AND ts < %(end)s
), compared AS (
    SELECT coalesce(raw.ts, stored.ts) AS ts, raw, stored,
           raw.ts IS NULL OR stored.ts IS NULL OR {unlike} AS unlike
    FROM raw FULL JOIN stored ON raw.ts = stored.ts
)
SELECT number, compared.ts, (raw).*, (stored).*
FROM (SELECT count(*) AS number FROM compared) AS compared_bars
LEFT JOIN compared ON unlike
ORDER BY 2
""")


# Days without anything are passed over.
_NEXT = sql.SQL("""
SELECT least((SELECT min(ts) FROM ticks WHERE symbol = %(symbol)s AND ts >= %(start)s AND ts < %(end)s),
             (SELECT min(ts) FROM {table} WHERE symbol = %(symbol)s AND ts >= %(start)s AND ts < %(end)s))
""")


class TickReference:
    """Reference by the stored ticks."""

    name = "ticks"
    intervals = INTERVALS

    def __init__(self, earliest_us: int = 0) -> None:
        self.earliest_us = earliest_us

    def covers(self, symbol: str) -> bool:
        """Return True: every stored symbol has ticks."""
        return True

    async def compare(self, connection: Connection, stretch: Stretch) -> AsyncIterator[Part]:
        """Yield one day with ticks or bars at a time, each from one snapshot: a sink may go on writing."""
        comparison, following = _statements(stretch.interval)
        width, start_us = WIDTHS_US[stretch.interval], stretch.start_us
        while True:
            bounds = _bounds(stretch.symbol, start_us, stretch.end_us)
            ((first,),) = await (await connection.execute(following, bounds)).fetchall()
            if first is None:
                return
            start_us = clock.from_datetime(first) // width * width
            end_us = min(start_us + _DAY, stretch.end_us)
            cursor = await connection.execute(comparison, _bounds(stretch.symbol, start_us, end_us))
            rows = await cursor.fetchall()
            yield Part(end_us, rows[0][0], [_finding(row) for row in rows if row[1] is not None])
            start_us = end_us


def _statements(interval: Interval) -> tuple[sql.Composed, sql.Composed]:
    table = sql.Identifier(f"ohlc_{interval}")
    width = sql.SQL("interval {}").format(sql.Literal(interval))
    comparison = _COMPARE.format(width=width, columns=_COLUMNS, table=table, unlike=_UNLIKE)
    return comparison, _NEXT.format(table=table)


def _bounds(symbol: str, start_us: int, end_us: int) -> dict[str, Any]:
    return {"symbol": symbol, "start": clock.to_datetime(start_us), "end": clock.to_datetime(end_us)}


def _finding(row: tuple[Any, ...]) -> BarDifference:
    """Read the row: a count, the time, the bar expected and the bar found, each after a time of its own."""
    size = 1 + len(ReconciledBar._fields)
    expected, found = row[2 : 2 + size], row[2 + size :]
    return BarDifference(
        clock.from_datetime(row[1]),
        None if expected[0] is None else ReconciledBar(*expected[1:]),
        None if found[0] is None else ReconciledBar(*found[1:]),
    )
