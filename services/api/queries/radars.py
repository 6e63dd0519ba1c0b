"""Radars and what they have confirmed, as they are stored."""

from msgspec.json import Decoder
from psycopg import sql

from services.api.queries.jobs import summary_row
from services.api.queries.reader import StoreReader
from services.api.queries.tables import TableSource
from services.api.serialization.rows import Row
from services.contracts.fields import Microseconds

_RADARS = sql.SQL("""
SELECT radar_id, radars.request, every_s, paused, radars.state, radars.reason, radars.job_id,
    scanned_at AS scanned_us, next_at AS next_us, jobs.result AS summary,
    (SELECT count(*) FROM radar_confirmations AS open WHERE open.radar_id = radars.radar_id AND ended_at IS NULL)
    AS confirmed
FROM radars LEFT JOIN jobs USING (job_id) WHERE %(radar_id)s::text IS NULL OR radar_id = %(radar_id)s ORDER BY radar_id
""")
CONFIRMATIONS = TableSource(
    sql.SQL("(SELECT *, ended_at IS NOT NULL AS ended FROM radar_confirmations) AS confirmations"),
    sql.SQL(
        "radar_id, y || CASE position('-' IN y || x) WHEN 0 THEN '-' ELSE '--' END || x AS pair, y, x, "
        "leg_a, leg_b, confirmed_at AS confirmed_us, "
        "last_confirmed_at AS last_confirmed_us, ended_at AS ended_us, end_reason, scans, missed, "
        "p_value, hedge_ratio, half_life_bars, spread_bp"
    ),
    sql.Identifier("radar_id"),
    {"confirmed_at": "confirmed_us", "leg_a": "leg_a", "leg_b": "leg_b"},
    Decoder(tuple[Microseconds, str, str]),
    ("confirmed_at", "last_confirmed_at"),
)


async def find_radars(store: StoreReader, radar_id: str | None = None) -> list[Row]:
    """Return every radar, or the one of this id, with what its last scan found in short."""
    found = await store.select(_RADARS, {"radar_id": radar_id})
    return [{**one, "summary": one["summary"] and summary_row(one["summary"])} for one in found]
