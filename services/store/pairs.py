"""Pairs in the store: a mirror of the topic ``pairs``, and the names of removed pairs."""

import msgspec
from psycopg import sql
from psycopg.rows import dict_row

from services.common.kafka.pair_configs import Configs
from services.contracts.messages import PairConfig
from services.contracts.pairs import Pair
from services.store.database import Connection

_FIELDS = PairConfig.__struct_fields__
_SELECT = sql.SQL("SELECT {} FROM pairs ORDER BY pair").format(
    sql.SQL(", ").join(map(sql.Identifier, _FIELDS))
)
_INSERT = sql.SQL("INSERT INTO pairs (y, x, {}) VALUES (%(y)s, %(x)s, {})").format(
    sql.SQL(", ").join(map(sql.Identifier, _FIELDS)), sql.SQL(", ").join(map(sql.Placeholder, _FIELDS))
)
_REMEMBER = """
INSERT INTO removed_pairs SELECT pair, now() FROM pairs WHERE pair <> ALL (%(names)s) ON CONFLICT DO NOTHING
"""
_FORGET = "DELETE FROM removed_pairs WHERE pair = ANY (%(names)s)"


async def stored(connection: Connection) -> Configs:
    """Return the pairs by name."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SELECT)
        configs = msgspec.convert(await cursor.fetchall(), list[PairConfig])
    return {config.pair: config for config in configs}


async def removed(connection: Connection) -> set[str]:
    """Return the names of the pairs that were removed and have not come back."""
    cursor = await connection.execute("SELECT pair FROM removed_pairs")
    return {name for (name,) in await cursor.fetchall()}


async def mirror(connection: Connection, configs: Configs) -> None:
    """Make `configs` the pairs of the store; those it has besides are removed."""
    names = {"names": list(configs)}
    rows = [msgspec.structs.asdict(config) | Pair.parse(config.pair)._asdict() for config in configs.values()]
    async with connection.transaction(), connection.cursor() as cursor:
        # Of two sinks the later one waits here, instead of meeting the other's rows.
        await cursor.execute("LOCK TABLE pairs IN SHARE ROW EXCLUSIVE MODE")
        await cursor.execute(_REMEMBER, names)
        await cursor.execute(_FORGET, names)
        await cursor.execute("DELETE FROM pairs")
        await cursor.executemany(_INSERT, rows)
