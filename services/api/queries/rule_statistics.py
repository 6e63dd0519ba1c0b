"""Statistics of a rule: what its incidents of a period were worth, counted by the database."""

from psycopg import sql

from services.api.queries.incidents import INCIDENTS
from services.api.queries.reader import StoreReader
from services.api.serialization.rows import Row
from services.common import clock

FLAP_S = 60
"""An incident that begins so soon after the end of the one before, of the same subject, is a flap."""
MOST_INCIDENTS = 10_000

# Of more incidents than are counted the newest.
_STATISTICS = sql.SQL("""
SELECT count(*) FILTER (WHERE state_now <> 'retracted') AS fired,
    count(*) FILTER (WHERE open) AS open,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM end_ts - ts)::float8) AS median_s,
    max(extract(epoch FROM end_ts - ts)::float8) AS longest_s,
    count(*) FILTER (WHERE state_now <> 'retracted' AND ts <= calm_ts + {flap}) AS flaps,
    count(*) FILTER (WHERE acked) AS acknowledged,
    count(*) FILTER (WHERE marked_false) AS marked_false,
    count(*) FILTER (WHERE state_now = 'retracted') AS retracted,
    max(ts) FILTER (WHERE state_now <> 'retracted') AS last_us,
    count(*) = {most} AS truncated
FROM (
    SELECT *, max(end_ts) OVER (PARTITION BY subject ORDER BY ts, alert_id ROWS BETWEEN UNBOUNDED PRECEDING AND
        1 PRECEDING) AS calm_ts
    FROM (
        SELECT * FROM {incidents} WHERE rule = %(rule)s AND ts >= %(start)s AND ts < %(end)s
        ORDER BY ts DESC, alert_id DESC LIMIT {most}
    ) AS newest
) AS counted
""").format(
    flap=sql.SQL("interval '{} seconds'").format(sql.Literal(FLAP_S)),
    most=sql.Literal(MOST_INCIDENTS),
    incidents=INCIDENTS.name,
)


async def read(store: StoreReader, rule: str, start_us: int, end_us: int) -> Row:
    """Return the statistics of a rule over the incidents that began in a period; TransientError as the store."""
    values = {"rule": rule, "start": clock.to_datetime(start_us), "end": clock.to_datetime(end_us)}
    (found,) = await store.select(_STATISTICS, values)
    return found
