"""Coverage of bars: whether the time of each has passed, and the share of it for which there are data."""

from psycopg import sql

from services.common import clock
from services.contracts.intervals import ALL_WIDTHS_US, AnyInterval, source_of

# Covered is the time from the symbol's first trade to its last one, less what the ledger of gaps has of it. A gap of
# which some trades were repaired counts as much as are missing of it. Where the first trade is gone, the time begins
# with the first stored bar.
_COVERED = sql.SQL("""
(
    SELECT bars.*, ts + {width} <= last_ts AS closed, greatest(0, extract(epoch FROM
        least(ts + {width}, last_ts) - greatest(ts, first_ts) - coalesce(lost, '0')
    ) / extract(epoch FROM {width}))::float8 AS coverage
    FROM {bars} AS bars
    CROSS JOIN (
        SELECT coalesce((SELECT max(ts) FROM ticks WHERE symbol = %(symbol)s), 'infinity') AS last_ts,
            (SELECT coalesce((
                SELECT ts FROM ticks WHERE symbol = %(symbol)s AND ticks.ts >= oldest.ts
                    AND ticks.ts < oldest.ts + {source_width} ORDER BY ts LIMIT 1
            ), oldest.ts) FROM (SELECT min(ts) AS ts FROM {source} WHERE symbol = %(symbol)s) AS oldest) AS first_ts
    ) AS known
    LEFT JOIN LATERAL (
        SELECT sum((least(end_ts, ts + {width}) - greatest(start_ts, ts))
            * (missing::float8 / (last_id - first_id + 1))) AS lost
        FROM gaps WHERE gaps.symbol = bars.symbol AND state IN ('found', 'unrepaired')
            AND tstzrange(start_ts, greatest(start_ts, end_ts)) && tstzrange(ts, ts + {width})
    ) AS lost ON true
) AS covered_bars
""")


def width(interval: AnyInterval) -> sql.Composed:
    """Return an interval as SQL."""
    # In seconds: a day is not always as long in the time zone of a session.
    return sql.SQL("interval {}").format(sql.Literal(f"{ALL_WIDTHS_US[interval] // clock.SECOND} seconds"))


def covered(interval: AnyInterval, bars: sql.Composable) -> sql.Composed:
    """Return `bars` of the symbol %(symbol)s with the columns ``closed`` and ``coverage`` besides."""
    source = source_of(interval)
    return _COVERED.format(
        bars=bars,
        width=width(interval),
        source=sql.Identifier(f"ohlc_{source}"),
        source_width=width(source),
    )
