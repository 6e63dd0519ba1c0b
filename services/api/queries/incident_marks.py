"""Judgement of people on incidents: false alarms, with a note."""

from psycopg import sql

from services.api.queries.incidents import INCIDENTS
from services.api.queries.reader import StoreReader
from services.api.queries.tables import RowSelection
from services.api.serialization.rows import Row

_MARK = sql.SQL("""
INSERT INTO alert_handling AS old (alert_id, false_at, false_by, note)
VALUES (%(alert_id)s, CASE WHEN %(by)s::text IS NOT NULL THEN now() END, %(by)s, %(note)s)
ON CONFLICT (alert_id) DO UPDATE SET
    false_at = CASE WHEN %(by)s::text IS NOT NULL THEN coalesce(old.false_at, now()) END,
    false_by = CASE WHEN %(by)s::text IS NOT NULL THEN coalesce(old.false_by, %(by)s) END, note = %(note)s
""")


async def mark(store: StoreReader, alert_id: str, by: str | None, note: str) -> Row | None:
    """Store who calls an incident a false alarm, None for nobody, and return it; None if there is no such incident.

    The first one who did, and when, stays.
    """
    if await _incident(store, alert_id) is None:
        return None
    async with store.writing() as connection:
        await connection.execute(_MARK, {"alert_id": alert_id, "by": by, "note": note})
    return await _incident(store, alert_id)


async def _incident(store: StoreReader, alert_id: str) -> Row | None:
    found = await store.page(
        INCIDENTS, RowSelection(limit=1, order="descending", equal={"alert_id": alert_id})
    )
    return next(iter(found.records.rows()), None)
