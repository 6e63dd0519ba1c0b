"""The SQL by which staged bars become a dataset."""

STAGE = """
CREATE TEMP TABLE staged_bars (
    place int8, symbol int4, ts timestamptz, open float8, high float8, low float8, close float8, volume float8
) ON COMMIT DROP
"""
COPY = "COPY staged_bars FROM STDIN (FORMAT binary)"
DATASET = """
INSERT INTO datasets (dataset_id, name, sha256, bar_width, bars, files, findings, uploaded_at)
VALUES (%s, %s, %s, interval '1 second', 0, %s, '{}', now())
"""
DESCRIBE = """
UPDATE datasets SET bar_width = %s, bars = %s, files = %s, findings = %s WHERE dataset_id = %s
"""
BARS = """
INSERT INTO dataset_bars (dataset_id, symbol, ts, open, high, low, close, volume)
SELECT %(dataset)s, known.name, ts, open, high, low, close, nullif(volume, 'NaN')
FROM staged_bars JOIN unnest(%(symbols)s::text[]) WITH ORDINALITY AS known (name, nth) ON nth = symbol + 1
"""
# Of bars with one time the first stays.
FIRST_BARS = """
INSERT INTO dataset_bars (dataset_id, symbol, ts, open, high, low, close, volume)
SELECT %(dataset)s, known.name, ts, open, high, low, close, nullif(volume, 'NaN')
FROM (SELECT DISTINCT ON (symbol, ts) * FROM staged_bars ORDER BY symbol, ts, place) AS firsts
JOIN unnest(%(symbols)s::text[]) WITH ORDINALITY AS known (name, nth) ON nth = symbol + 1
"""
AGAIN = """
SELECT place, known.name, ts, first_place FROM (
    SELECT place, symbol, ts, min(place) OVER (PARTITION BY symbol, ts) AS first_place FROM staged_bars
) AS numbered JOIN unnest(%(symbols)s::text[]) WITH ORDINALITY AS known (name, nth) ON nth = symbol + 1
WHERE place > first_place ORDER BY place LIMIT %(limit)s
"""
# The shortest step, because a gap makes a longer one.
WIDTH = """
SELECT min(step) FROM (
    SELECT ts - lag(ts) OVER (PARTITION BY symbol ORDER BY ts) AS step FROM dataset_bars WHERE dataset_id = %s
) AS steps
"""
_STEPS = """
SELECT symbol, ts, step, ceil(extract(epoch FROM step) / extract(epoch FROM %(width)s)) - 1 AS missing FROM (
    SELECT symbol, ts, ts - lag(ts) OVER (PARTITION BY symbol ORDER BY ts) AS step
    FROM dataset_bars WHERE dataset_id = %(dataset)s
) AS steps
"""
SYMBOLS = f"""
INSERT INTO dataset_symbols (dataset_id, symbol, first_ts, last_ts, bars, gaps, missing)
SELECT %(dataset)s, symbol, min(ts), max(ts), count(*), count(*) FILTER (WHERE missing > 0), coalesce(sum(missing), 0)
FROM ({_STEPS}) AS steps GROUP BY symbol
"""  # noqa: S608 (constants only)
GAPS = f"""
SELECT symbol, ts - step, ts, missing::bigint FROM ({_STEPS}) AS steps
WHERE missing > 0 ORDER BY symbol, ts LIMIT %(limit)s
"""  # noqa: S608
FINDINGS = "COPY dataset_findings (dataset_id, nth, kind, file, line, reason) FROM STDIN"
# As in the revision that made the table: one sort serves all aggregates.
WIDER_BARS = """
INSERT INTO dataset_wider_bars (dataset_id, width, symbol, ts, open, high, low, close, volume)
SELECT dataset_id, %(wider)s::text, symbol, date_bin(%(wider)s::text::interval, ts, 'epoch') AS bucket,
       (array_agg(open ORDER BY ts))[1], max(high), min(low), (array_agg(close ORDER BY ts))[count(*)],
       sum(volume ORDER BY ts)
FROM dataset_bars WHERE dataset_id = %(dataset)s GROUP BY dataset_id, symbol, bucket
"""
SORT_IN_MEMORY = "SET LOCAL work_mem = '64MB'"
