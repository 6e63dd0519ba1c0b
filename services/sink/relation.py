"""Sink table: the SQL that copies messages into a table of the store."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from psycopg import sql


class SinkTable(NamedTuple):
    """A table, the binary type of each column, and what moves staged rows into it and counts the new ones.

    `store_new` is `store` for rows none of which is there yet: faster, and a UniqueViolation if one is.
    """

    name: str
    columns: dict[str, str]
    row: Callable[[Any], tuple[object, ...]]
    stage: sql.Composed
    copy: sql.Composed
    store: sql.Composed
    store_new: sql.Composed


def table(
    name: str,
    columns: dict[str, str],
    row: Callable[[Any], tuple[object, ...]],
    store: sql.SQL,
    store_new: sql.SQL | None = None,
    key: Collection[str] = (),
) -> SinkTable:
    """Return the table called `name`; statements are written with {table}, {staged} and {columns}.

    {assignments} make a row that is there the one that is new, but for its `key`.
    """
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    stored, staged = sql.Identifier(name), sql.Identifier(f"staged_{name}")
    assignments = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in columns if name not in key
    )
    places = {"table": stored, "staged": staged, "columns": names, "assignments": assignments}
    return SinkTable(
        name=name,
        columns=columns,
        row=row,
        stage=sql.SQL("CREATE TEMP TABLE {} (LIKE {}) ON COMMIT DELETE ROWS").format(staged, stored),
        copy=sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(staged, names),
        store=store.format(**places),
        store_new=(store_new or store).format(**places),
    )
