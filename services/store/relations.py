"""Relations of the store, read in the order of time; memory holds one page."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncServerCursor, pq, sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.numeric import Int8BinaryLoader

from services.common import clock
from services.common.errors import AwayError, FatalError, reason_of
from services.contracts.intervals import INTERVALS
from services.contracts.messages import Alert, Signal
from services.store.bars.coverage import covered
from services.store.database import Connection
from services.store.message_columns import columns_of

Cursor = AsyncServerCursor[Any]

# The driver's fastest way to a number: a timestamptz is sent as microseconds since 2000, so that one moved on
# by the 30 years before is the microseconds since 1970.
_US = sql.SQL("{} + interval '946684800 seconds' AS {}")

# One index probe for each owner that there is, however many rows it has.
_OWNERS = sql.SQL("""
WITH RECURSIVE known (owner) AS (
    (SELECT {of} FROM {table} ORDER BY {of} LIMIT 1)
    UNION ALL
    SELECT (SELECT {of} FROM {table} WHERE {of} > known.owner ORDER BY {of} LIMIT 1)
    FROM known WHERE known.owner IS NOT NULL
)
SELECT owner FROM known WHERE owner IS NOT NULL
""")

_ROWS = sql.SQL("""
SELECT {columns} FROM {source}
WHERE {of} = {owner} AND ts >= %(start)s::timestamptz AND ts < %(end)s::timestamptz
ORDER BY {order}
""")


class Relation(NamedTuple):
    """A relation whose rows belong to a symbol, a pair or a subject, named in the column `of`, and have a time, ``ts``.

    `times` are the columns that are times and the names they are read by, `columns` the others. `source` is what rows
    are read from, if not from the relation itself; in it the owner is a value by the name of the column `of`.
    """

    name: str
    of: str
    times: dict[str, str]
    columns: tuple[str, ...]
    order: tuple[str, ...]
    source: sql.Composable | None = None


TICKS = Relation(
    "ticks",
    "symbol",
    {"ts": "event_us", "received_at": "received_us"},
    ("trade_id", "venue", "price", "size", "buyer_is_maker", "repaired"),
    ("ts", "trade_id"),
)
BARS = {
    interval: Relation(
        f"ohlc_{interval}",
        "symbol",
        {"ts": "start_us"},
        (
            *("open", "high", "low", "close", "volume", "quote_volume", "trade_count", "first_id", "last_id"),
            *("closed", "coverage"),
        ),
        ("ts",),
        covered(interval, sql.Identifier(f"ohlc_{interval}")),
    )
    for interval in INTERVALS
}
STORED_AS = {"price_correlation": "correlation"}
"""Fields of a signal that have the column of another one."""
NOT_STORED = frozenset({"closed"})
"""Fields of a signal that all stored ones have alike."""
SIGNAL_COLUMNS = columns_of(Signal, without={"pair", "event_us", *STORED_AS, *NOT_STORED})
"""Stored columns of a signal besides its pair and time: the field's name in the message, and its type."""
SIGNALS = Relation("signals", "pair", {"ts": "event_us"}, tuple(SIGNAL_COLUMNS), ("ts",))
ALERT_COLUMNS = columns_of(Alert, without={"subject", "event_us"})
"""The same of an alert, which belongs to its subject."""
ALERTS = Relation("alerts", "subject", {"ts": "event_us"}, tuple(ALERT_COLUMNS), ("ts", "alert_id"))


class _JsonText(Loader):
    """Leaves JSON the text that it is; before it comes the number of its binary form."""

    format = pq.Format.BINARY

    def load(self, data: Buffer) -> str:
        return bytes(data)[1:].decode()


@contextmanager
def errors() -> Iterator[None]:
    """Turn what the driver raises into our own errors, AwayError or FatalError."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise AwayError("the database", f"the database did not answer: {reason_of(error)}") from error
    except psycopg.Error as error:
        raise FatalError(f"the database refused a statement: {reason_of(error)}") from error


async def period(connection: Connection, table: Relation, owner: str) -> tuple[int, int] | None:
    """Return the first and the last time (epoch, us) of the rows of `owner`, None if there are none."""
    query = sql.SQL("SELECT min(ts), max(ts) FROM {} WHERE {} = %s").format(
        sql.Identifier(table.name), sql.Identifier(table.of)
    )
    ((first, last),) = await (await connection.execute(query, [owner])).fetchall()
    return None if first is None else (clock.from_datetime(first), clock.from_datetime(last))


async def owners(connection: Connection, table: Relation) -> list[str]:
    """Return every symbol, pair or subject that has rows in `table`, in order."""
    query = _OWNERS.format(of=sql.Identifier(table.of), table=sql.Identifier(table.name))
    return [owner for (owner,) in await (await connection.execute(query)).fetchall()]


@asynccontextmanager
async def rows(
    connection: Connection,
    table: Relation,
    owner: str,
    start_us: int | None = None,
    end_us: int | None = None,
) -> AsyncIterator[Cursor]:
    """Yield a cursor over the rows of `owner` from `start_us` to before `end_us` (epoch, us), ascending in time.

    The columns are the owner, the times, as integers (epoch, us), and the others, JSON as text. All of it is as it
    was when the cursor was opened. Take it with ``fetchmany``: the rows stay on the server until then.
    """
    query = _ROWS.format(
        columns=sql.SQL(", ").join(
            [
                sql.Identifier(table.of),
                *(_US.format(sql.Identifier(ts), sql.Identifier(name)) for ts, name in table.times.items()),
                *map(sql.Identifier, table.columns),
            ]
        ),
        source=sql.Identifier(table.name) if table.source is None else table.source,
        of=sql.Identifier(table.of),
        owner=sql.Placeholder(table.of),
        order=sql.SQL(", ").join(map(sql.Identifier, table.order)),
    )
    bounds = {
        table.of: owner,
        "start": "-infinity" if start_us is None else clock.to_datetime(start_us),
        "end": "infinity" if end_us is None else clock.to_datetime(end_us),
    }
    async with connection.transaction(), connection.cursor("rows") as cursor:
        cursor.adapters.register_loader("timestamptz", Int8BinaryLoader)
        cursor.adapters.register_loader("jsonb", _JsonText)
        await cursor.execute(query, bounds, binary=True)
        yield cursor
