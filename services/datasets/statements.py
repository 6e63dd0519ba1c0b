"""SQL statements that store a dataset."""

from psycopg import sql

DATASET = """
INSERT INTO datasets (dataset_id, name, sha256, bar_width, bars, files, findings, uploaded_at)
VALUES (%s, %s, %s, interval '1 second', 0, %s, '{}', now())
"""
DESCRIBE = """
UPDATE datasets SET bar_width = %s, bars = %s, files = %s, findings = %s WHERE dataset_id = %s
"""
TABLE = "SELECT create_dataset_bars(%s)"
# Where a bar was in the files, for as long as bars are looked at.
PLACES = sql.SQL("ALTER TABLE {bars} ADD COLUMN place bigint")
NO_PLACES = sql.SQL("ALTER TABLE {bars} DROP COLUMN place")
# Nobody sees the table before it is complete, so its rows need no second look.
COPY = sql.SQL(
    "COPY {bars} (place, symbol, ts, open, high, low, close, volume) FROM STDIN (FORMAT binary, FREEZE)"
)
# Files that have other prices at half or more of the times that both have are of two contracts.
CONFLICTS = sql.SQL("""
SELECT symbol, first_place, place, both_have, unlike FROM (
    SELECT symbol, first_place >> 40 AS first_file, place >> 40 AS file, min(first_place) AS first_place,
           min(place) AS place, count(*) AS both_have,
           count(*) FILTER (WHERE abs(open - first_open) > 1e-6 * open OR abs(close - first_close) > 1e-6 * close
                            OR abs(high - first_high) > 1e-6 * high OR abs(low - first_low) > 1e-6 * low) AS unlike
    FROM (
        SELECT *, first_value(place) OVER same AS first_place, first_value(open) OVER same AS first_open,
               first_value(high) OVER same AS first_high, first_value(low) OVER same AS first_low,
               first_value(close) OVER same AS first_close
        FROM {bars} WINDOW same AS (PARTITION BY symbol, ts ORDER BY place)
    ) AS each WHERE place >> 40 <> first_place >> 40 GROUP BY symbol, first_place >> 40, place >> 40
) AS files WHERE 2 * unlike >= both_have ORDER BY place
""")
# Of bars with one time the first stays.
AGAIN = sql.SQL("""
WITH again AS (
    DELETE FROM {bars} AS bars USING (
        SELECT ctid AS row, place, min(place) OVER (PARTITION BY symbol, ts) AS first_place FROM {bars}
    ) AS numbered
    WHERE bars.ctid = numbered.row AND numbered.place > first_place
    RETURNING bars.place, symbol, ts, first_place
)
SELECT place, symbol, ts, first_place, count(*) OVER () FROM again ORDER BY place LIMIT %(limit)s
""")
KEY = sql.SQL("ALTER TABLE {bars} ADD PRIMARY KEY (symbol, ts)")
STATISTICS = sql.SQL("ANALYZE {bars}")
STEPS = sql.SQL("""
CREATE TEMP TABLE steps ON COMMIT DROP AS
SELECT symbol, step, count(*) AS bars, min(ts) AS first_ts, max(ts) AS last_ts FROM (
    SELECT symbol, ts, ts - lag(ts) OVER (PARTITION BY symbol ORDER BY ts) AS step FROM {bars}
) AS each GROUP BY symbol, step
""")
# The commonest steps of each symbol tell how wide its bars are.
COMMON_STEPS = """
SELECT symbol, (extract(epoch FROM step) * 1000000)::bigint, bars FROM (
    SELECT *, row_number() OVER (PARTITION BY symbol ORDER BY bars DESC, step) AS nth FROM steps
    WHERE step IS NOT NULL
) AS each WHERE nth <= 12
"""
# Of a calendar a step is as many widths as it is nearest to; otherwise there is a hole wherever one more bar fits in.
_MISSING = {
    False: sql.SQL("ceil(extract(epoch FROM step) / extract(epoch FROM %(width)s)) - 1"),
    True: sql.SQL("greatest(round(extract(epoch FROM step) / extract(epoch FROM %(width)s)) - 1, 0)"),
}
_SYMBOLS = sql.SQL("""
INSERT INTO dataset_symbols (dataset_id, symbol, first_ts, last_ts, bars, gaps, missing)
SELECT %(dataset)s, symbol, min(first_ts), max(last_ts), sum(bars),
       coalesce(sum(bars) FILTER (WHERE missing > 0), 0), coalesce(sum(bars * missing), 0)
FROM (SELECT *, {missing} AS missing FROM steps) AS each GROUP BY symbol
""")
_GAPS = sql.SQL("""
SELECT symbol, ts - step, ts, missing::bigint FROM (
    SELECT *, {missing} AS missing FROM (
        SELECT symbol, ts, ts - lag(ts) OVER (PARTITION BY symbol ORDER BY ts) AS step FROM {bars}
    ) AS each
) AS each WHERE missing > 0 ORDER BY symbol, ts LIMIT %(limit)s
""")
# Whether any step is no whole number of widths.
ANY_ODD = """
SELECT 1 FROM (
    SELECT mod((extract(epoch FROM step) * 1000000)::bigint, %(us)s) AS rest FROM steps WHERE step IS NOT NULL
) AS each WHERE least(rest, %(us)s - rest) > %(slack)s LIMIT 1
"""
# A bar is odd if it is not where most bars of its symbol are within a width.
ODD = sql.SQL("""
WITH placed AS (
    SELECT symbol, ts, mod((extract(epoch FROM ts) * 1000000)::bigint, %(us)s) AS place FROM {bars}
), usual AS (
    SELECT symbol, mode() WITHIN GROUP (ORDER BY place) AS place FROM placed GROUP BY symbol
)
SELECT symbol, ts, count(*) OVER () FROM placed JOIN usual USING (symbol)
WHERE least(abs(placed.place - usual.place), %(us)s - abs(placed.place - usual.place)) > %(slack)s
ORDER BY symbol, ts LIMIT %(limit)s
""")
# Months do not begin at one place of their mean: of them a bar is odd by the step before it.
ODD_OF_MONTHS = sql.SQL("""
SELECT symbol, ts, count(*) OVER () FROM (
    SELECT symbol, ts, mod((extract(epoch FROM ts - lag(ts) OVER (PARTITION BY symbol ORDER BY ts)) * 1000000)::bigint,
                           %(us)s) AS rest FROM {bars}
) AS each WHERE least(rest, %(us)s - rest) > %(slack)s ORDER BY symbol, ts LIMIT %(limit)s
""")
MARK_CARRIED = "SELECT mark_carried_bars(%s)"
CARRIED = sql.SQL("""
SELECT symbol, min(ts), max(ts), count(*), count(*) OVER () FROM (
    SELECT symbol, ts, carried, count(*) FILTER (WHERE NOT carried) OVER (PARTITION BY symbol ORDER BY ts) AS run
    FROM {bars}
) AS each WHERE carried GROUP BY symbol, run ORDER BY symbol, min(ts) LIMIT %(limit)s
""")
FINDINGS = "COPY dataset_findings (dataset_id, nth, kind, file, line, reason) FROM STDIN"
# One sort serves all aggregates.
WIDER_BARS = sql.SQL("""
INSERT INTO {wider} (symbol, ts, open, high, low, close, volume, carried, parts)
SELECT symbol, date_bin({width}::interval, ts, 'epoch') AS bucket,
       (array_agg(open ORDER BY ts))[1], max(high), min(low), (array_agg(close ORDER BY ts))[count(*)],
       sum(volume ORDER BY ts), bool_and(carried), sum(parts)
FROM {bars} GROUP BY symbol, bucket
""")
MEMORY = "SELECT set_config('work_mem', '64MB', true), set_config('maintenance_work_mem', '128MB', true)"


def symbols(is_calendar: bool) -> sql.Composed:
    """Return the statement that counts bars and gaps of each symbol."""
    return _SYMBOLS.format(missing=_MISSING[is_calendar])


def gaps(bars: sql.Composable, is_calendar: bool) -> sql.Composed:
    """Return the statement that finds the first gaps in `bars`."""
    return _GAPS.format(missing=_MISSING[is_calendar], bars=bars)
