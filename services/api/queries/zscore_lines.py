"""Lines of z-scores: the last minutes of many pairs in one query, thinned without losing an extreme."""

from collections.abc import Iterable

from psycopg import sql

from services.api.queries.reader import StoreReader
from services.api.serialization.rows import Row, row
from services.common import clock

# A range that is known when the query is planned tells TimescaleDB which chunks to leave out.
_END = sql.SQL("""
SELECT max(newest.ts) AS end_us FROM unnest(%(pairs)s::text[]) AS given (pair)
CROSS JOIN LATERAL (SELECT ts FROM signals WHERE pair = given.pair ORDER BY ts DESC LIMIT 1) AS newest
""")

_LINES = sql.SQL("""
SELECT given.pair, steps.place, CASE WHEN high >= -low THEN high ELSE low END AS zscore
FROM unnest(%(pairs)s::text[]) AS given (pair)
CROSS JOIN LATERAL (
    SELECT floor(extract(epoch FROM %(end)s - ts) / %(step_s)s)::integer AS place,
        max(zscore) AS high, min(zscore) AS low
    FROM signals
    WHERE pair = given.pair AND ts > %(start)s AND ts <= %(end)s AND quality = 'ok' AND zscore IS NOT NULL
    GROUP BY place
) AS steps
""")


async def zscore_lines(store: StoreReader, pairs: Iterable[str], span_s: int, points: int) -> list[Row]:
    """Return a row for each of `pairs`: of each of `points` steps up to the newest signal of all the z-score farthest
    from 0, oldest first, None where none is known. No row where nothing is stored. TransientError as the store.
    """
    names = list(pairs)
    (newest,) = await store.select(_END, {"pairs": names})
    end_us: int | None = newest["end_us"]
    if end_us is None:
        return []
    step_s = span_s / points
    values = {
        "pairs": names,
        "start": clock.to_datetime(end_us - span_s * clock.SECOND),
        "end": clock.to_datetime(end_us),
        "step_s": step_s,
    }
    lines: dict[str, list[float | None]] = {name: [None] * points for name in names}
    for found in await store.select(_LINES, values):
        lines[found["pair"]][points - 1 - found["place"]] = found["zscore"]
    return [
        row([("pair", name), ("end_us", end_us), ("step_s", step_s), ("zscores", line)])
        for name, line in lines.items()
    ]
