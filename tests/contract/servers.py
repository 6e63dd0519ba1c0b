"""Databases that an upgrade meets: without a schema, with an older one, with or without the extension."""

import asyncio
from collections.abc import Iterable
from importlib import resources

import psycopg
from psycopg import sql

from services.common.settings import DatabaseSettings
from services.contracts.messages import Tick
from services.sink.tables import TABLES
from services.store import database, schema
from services.store.bars import timescale
from services.store.bars.timescale import TimeSpan

_TICKS = TABLES["ticks"]
_STORE = sql.SQL(
    "INSERT INTO ticks ({columns}) SELECT {columns} FROM staged_ticks ON CONFLICT DO NOTHING"
).format(columns=sql.SQL(", ").join(map(sql.Identifier, _TICKS.columns)))


def apply(url: str, revision: str, timescaledb: bool = False) -> None:
    """Bring an empty database to an older revision, with or without TimescaleDB; none was of its before 0003."""
    directory = resources.files("schemas").joinpath("sql")
    files = [("", file.name) for file in directory.iterdir()]
    if timescaledb:
        files += [("timescaledb/", file.name) for file in directory.joinpath("timescaledb").iterdir()]
    with psycopg.connect(url) as connection:
        if timescaledb:
            connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        for place, name in sorted(files, key=lambda file: (file[1][:4], file[0])):
            if name.endswith(".sql") and name[:4] <= revision:
                connection.execute(schema.statements(f"{place}{name}"))
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES (%s)", [revision])


def insert(url: str, ticks: Iterable[Tick]) -> None:
    """Store ticks as a writer does that dies right after its commit: nobody refreshes a bar."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(_TICKS.stage)
        with cursor.copy(_TICKS.copy) as copy:
            copy.set_types(list(_TICKS.columns.values()))
            for tick in ticks:
                copy.write_row(_TICKS.row(tick))
        cursor.execute(_STORE)


def spans(ticks: Iterable[Tick]) -> list[TimeSpan]:
    """Return the moment of each tick."""
    return [TimeSpan(one.event_us, one.event_us + 1) for one in ticks]


async def refresh(url: str, touched: Iterable[TimeSpan]) -> None:
    """Refresh as a writer does after its commit: what others hold is asked for again."""
    async with database.connect(DatabaseSettings(database_url=url), "test") as connection:
        left = list(touched)
        async with asyncio.timeout(30):
            while left:
                left = await timescale.refresh(connection, left)
