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
# The shortest step, because a gap makes a longer one.
WIDTH = "SELECT min(step) FROM steps"
SYMBOLS = """
INSERT INTO dataset_symbols (dataset_id, symbol, first_ts, last_ts, bars, gaps, missing)
SELECT %(dataset)s, symbol, min(first_ts), max(last_ts), sum(bars),
       coalesce(sum(bars) FILTER (WHERE missing > 0), 0), coalesce(sum(bars * missing), 0)
FROM (
    SELECT *, ceil(extract(epoch FROM step) / extract(epoch FROM %(width)s)) - 1 AS missing FROM steps
) AS each GROUP BY symbol
"""
GAPS = sql.SQL("""
SELECT symbol, ts - step, ts, (ceil(extract(epoch FROM step) / extract(epoch FROM %(width)s)) - 1)::bigint FROM (
    SELECT symbol, ts, ts - lag(ts) OVER (PARTITION BY symbol ORDER BY ts) AS step FROM {bars}
) AS each WHERE step > %(width)s ORDER BY symbol, ts LIMIT %(limit)s
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
