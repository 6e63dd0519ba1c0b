"""Bars on plain PostgreSQL: statements that keep them equal to a recomputation, for any order of ticks.

A bar is never changed by a tick: it is computed again from everything below it, so late, repeated and
out-of-order ticks need no special case. Sums run in the order of trade ids, so the same ticks give the
same bits.
"""

from psycopg import sql

from services.contracts.intervals import INTERVALS, WIDTHS_US

# The seconds that new ticks have touched in this transaction.
STAGE_SECONDS = sql.SQL(
    "CREATE TEMP TABLE touched_seconds (symbol text, ts timestamptz) ON COMMIT DELETE ROWS"
)

# Two writers of one symbol would each compute a bar without the other's uncommitted ticks. A symbol has one
# partition and so one writer, except while partitions are added or history is imported.
LOCK_SYMBOLS = sql.SQL(
    "SELECT pg_advisory_xact_lock(key) FROM"
    " (SELECT DISTINCT hashtextextended(symbol, 0) AS key FROM staged_ticks ORDER BY key) AS symbols"
)

_FROM_TICKS = sql.SQL("""
SELECT prices[1] AS open, high, low, prices[trade_count] AS close,
       volume, quote_volume, trade_count, first_id, last_id
FROM (SELECT array_agg(price ORDER BY trade_id, ts) AS prices, max(price) AS high, min(price) AS low,
             sum(size ORDER BY trade_id, ts) AS volume,
             sum(price * size ORDER BY trade_id, ts) AS quote_volume,
             count(*) AS trade_count, min(trade_id) AS first_id, max(trade_id) AS last_id
      FROM ticks AS below
      WHERE below.symbol = touched.symbol AND below.ts >= touched.ts AND below.ts < touched.ts + {width}
      ) AS trades
""")

_FROM_BARS = sql.SQL("""
SELECT (array_agg(open ORDER BY first_id, ts))[1] AS open, max(high) AS high, min(low) AS low,
       (array_agg(close ORDER BY last_id DESC, ts DESC))[1] AS close,
       sum(volume ORDER BY ts) AS volume, sum(quote_volume ORDER BY ts) AS quote_volume,
       sum(trade_count)::bigint AS trade_count, min(first_id) AS first_id, max(last_id) AS last_id
FROM {below} AS below
WHERE below.symbol = touched.symbol AND below.ts >= touched.ts AND below.ts < touched.ts + {width}
""")

# The aggregate inside LATERAL leaves the planner only one way to join: look each bucket up in the index.
_COMPUTE = sql.SQL("""
INSERT INTO {table} AS stored
    (symbol, ts, open, high, low, close, volume, quote_volume, trade_count, first_id, last_id)
SELECT touched.symbol, touched.ts, open, high, low, close, volume, quote_volume, trade_count, first_id, last_id
FROM (SELECT DISTINCT symbol, date_bin({width}, ts, '2000-01-01 00:00:00+00') AS ts
      FROM touched_seconds) AS touched
CROSS JOIN LATERAL ({source}) AS bar
ON CONFLICT (symbol, ts) DO UPDATE
SET open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
    volume = excluded.volume, quote_volume = excluded.quote_volume, trade_count = excluded.trade_count,
    first_id = excluded.first_id, last_id = excluded.last_id
""")


def _compute(table: str, width_us: int, below: str | None) -> sql.Composed:
    interval = sql.SQL("interval ") + sql.Literal(f"{width_us} microseconds")
    source = (
        _FROM_TICKS.format(width=interval)
        if below is None
        else _FROM_BARS.format(below=sql.Identifier(below), width=interval)
    )
    return _COMPUTE.format(table=sql.Identifier(table), width=interval, source=source)


_TABLES = [f"ohlc_{interval}" for interval in INTERVALS]
COMPUTE = tuple(map(_compute, _TABLES, WIDTHS_US.values(), [None, *_TABLES]))
"""To be run in this order: each level is computed from the one before."""

FIND_TOUCHED = (sql.SQL("SELECT DISTINCT (extract(epoch FROM ts) * 1000000)::bigint FROM touched_seconds"),)
"""Statements in place of COMPUTE where bars are aggregates: the seconds whose buckets may need a refresh."""
