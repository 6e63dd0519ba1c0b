"""Retention on plain PostgreSQL: deletes expired rows where no policy of TimescaleDB does it."""

from collections.abc import Mapping
from datetime import timedelta

from psycopg import sql

from services.common.cancellation import pause
from services.store import relations
from services.store.bars.timescale import aggregated
from services.store.database import Connection

_ROWS = 1_000
_BREATH_S = 0.02

# Found by the index that each of these has by its owner and time; the others have one by time alone.
_OWNED = {table.name: table for table in (relations.TICKS, relations.SIGNALS, *relations.BARS.values())}

# What is still to be delivered is no log yet.
_KEPT = {"deliveries": sql.SQL("state NOT IN ('waiting', 'failed')")}

_DELETE = sql.SQL("""
DELETE FROM {table} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM {table} WHERE {owned} AND {free} AND ts < now() - %(keep)s ORDER BY ts LIMIT %(rows)s
))
""")


async def sweep(connection: Connection, retentions: Mapping[str, timedelta | None]) -> int:
    """Delete what `retentions` says is too old, by relation, and return how many rows that were.

    A thousand rows at a time, with a breath in between: nobody waits for a row, and the log of the database does
    not swell. On TimescaleDB policies delete from whatever is a hypertable; only the others are left.
    """
    policies, deleted = await aggregated(connection), 0
    for name, keep in retentions.items():
        table = _OWNED.get(name)
        if keep is None or (policies and table):
            continue
        for owner in await relations.owners(connection, table) if table else [None]:
            owned = sql.SQL("{} = %(owner)s").format(sql.Identifier(table.of)) if table else sql.SQL("true")
            free = _KEPT.get(name, sql.SQL("true"))
            statement = _DELETE.format(table=sql.Identifier(name), owned=owned, free=free)
            values = {"owner": owner, "keep": keep, "rows": _ROWS}
            rows = _ROWS
            while rows == _ROWS:
                await pause(_BREATH_S)
                rows = (await connection.execute(statement, values)).rowcount
                deleted += rows
    return deleted
