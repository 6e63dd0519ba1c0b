"""Rules and silences in the store: mirrors of their topics, and the ids of removed ones."""

from collections.abc import Collection, Mapping
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct
from psycopg import sql

from services.common.codec import encode
from services.store.database import Connection

S = TypeVar("S", bound=Struct)
Table = Literal["rules", "silences"]
_COLUMNS: dict[Table, str] = {"rules": "rule", "silences": "silence"}


async def stored(connection: Connection, table: Table, kind: type[S]) -> tuple[dict[str, S], set[str]]:
    """Return the values by id, and the ids of those that were removed; values that can be no more are left out."""
    query = sql.SQL("SELECT id, {}::text FROM {}").format(
        sql.Identifier(_COLUMNS[table]), sql.Identifier(table)
    )
    values: dict[str, S] = {}
    removed: set[str] = set()
    for name, text in await (await connection.execute(query)).fetchall():
        if text is None:
            removed.add(name)
        else:
            values[name] = msgspec.json.decode(text, type=kind)
    return values, removed


async def mirror(
    connection: Connection, table: Table, values: Mapping[str, Struct], removed: Collection[str]
) -> None:
    """Make these the values of the store, and these the removed ones."""
    insert = sql.SQL("INSERT INTO {} VALUES (%s, %s)").format(sql.Identifier(table))
    rows = [(name, encode(value).decode()) for name, value in values.items()]
    async with connection.transaction(), connection.cursor() as cursor:
        # Of two mirrors the later one waits here, instead of meeting the other's rows.
        await cursor.execute(
            sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.Identifier(table))
        )
        await cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        await cursor.executemany(insert, [*rows, *((name, None) for name in removed)])
