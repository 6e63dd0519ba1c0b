"""The database's schema: one history, applied once, and never by code that does not know it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from services.common.errors import FatalError, TransientError
from services.common.settings import DatabaseSettings
from services.store import database, relations, schema
from tests.fix_database import Postgres

TABLES = {"ticks", "ohlc_1s", "ohlc_1m", "ohlc_5m", "ohlc_1h", "signals", "alerts", "gaps", "stream_offsets"}


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {row[0] for row in rows}


def on_connection(url: str, use: Callable[[database.Connection], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with database.connect(DatabaseSettings(database_url=url), "test") as connection:
            return await use(connection)

    return asyncio.run(run())


def test_upgrade_applies_every_revision_once(empty_database_url: str) -> None:
    assert on_connection(empty_database_url, schema.version) is None
    assert schema.upgrade(empty_database_url) == schema.revisions()
    assert schema.upgrade(empty_database_url) == []
    assert tables(empty_database_url) >= TABLES
    assert on_connection(empty_database_url, schema.version) == schema.revisions()[-1]
    on_connection(empty_database_url, schema.require)


def test_of_several_upgrades_at_once_one_does_the_work(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(schema.upgrade, [empty_database_url] * 4))
    assert sorted(applied) == [[], [], [], schema.revisions()]


def test_a_missing_schema_is_one_clear_line(empty_database_url: str) -> None:
    with pytest.raises(FatalError, match="received none: run pairstream db upgrade"):
        on_connection(empty_database_url, schema.require)


def test_an_older_schema_is_one_clear_line(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = schema.revisions()
    monkeypatch.setattr(schema, "revisions", lambda: [*known, "9998"])
    told = f"expected database schema 9998, received {known[-1]}: run pairstream db upgrade"
    with pytest.raises(FatalError, match=told):
        on_connection(database_url, schema.require)


def test_a_newer_schema_is_left_alone(database_url: str) -> None:
    execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(FatalError, match="received 9999"):
        on_connection(database_url, schema.require)
    with pytest.raises(FatalError, match="received 9999"):
        schema.upgrade(database_url)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_symbol_is_refused_with_what_to_do(
    postgres: Postgres, encoding: str
) -> None:
    name = encoding.lower()
    execute(postgres.url, f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    url = urlsplit(postgres.url)._replace(path=f"/{name}").geturl()
    told = f"expected a database with the encoding UTF8, received {encoding}: CREATE DATABASE {name}_utf8 ENCODING"
    with pytest.raises(FatalError, match=told):
        schema.upgrade(url)
    with pytest.raises(FatalError, match=told):
        on_connection(url, schema.require)
    execute(postgres.url, f"DROP DATABASE {name}")


def test_a_failed_upgrade_leaves_nothing_behind(empty_database_url: str) -> None:
    execute(empty_database_url, "CREATE TABLE alerts (id int)")
    taken = 'expected the database to take schema .*, received relation "alerts" already exists'
    with pytest.raises(FatalError, match=taken):
        schema.upgrade(empty_database_url)
    assert tables(empty_database_url) == {"alerts"}


async def _settings_of(connection: database.Connection) -> Any:
    query = "SELECT current_setting('timezone'), current_setting('application_name')"
    return await (await connection.execute(query)).fetchone()


def test_a_pool_gives_named_connections_in_utc(database_url: str) -> None:
    execute(database_url, "ALTER ROLE CURRENT_USER SET timezone = 'Asia/Tokyo'")

    async def run() -> Any:
        async with (
            database.pool(DatabaseSettings(database_url=database_url), name="pairstream-api") as pool,
            pool.connection() as connection,
        ):
            return await _settings_of(connection)

    try:
        assert asyncio.run(run()) == ("UTC", "pairstream-api")
    finally:
        execute(database_url, "ALTER ROLE CURRENT_USER RESET timezone")


@pytest.mark.parametrize(
    "url", ["postgresql://user:secret@127.0.0.1:1/x", "postgresql://user:secret@/x?host=/nowhere"]
)
def test_an_unreachable_server_is_transient_and_its_password_stays_secret(url: str) -> None:
    async def run() -> None:
        async with database.pool(DatabaseSettings(database_url=url)):
            pass

    with pytest.raises(TransientError, match="expected PostgreSQL at") as refused:
        asyncio.run(run())
    assert "secret" not in str(refused.value)
    with pytest.raises(TransientError):
        schema.upgrade(url)


def test_a_url_that_is_none_is_fatal() -> None:
    with pytest.raises(FatalError, match="PAIRSTREAM_DATABASE_URL"):
        schema.upgrade("nonsense")


def test_an_upgrade_keeps_what_is_stored(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(schema.statements("0001_initial.sql"))
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
        connection.execute("INSERT INTO ticks VALUES ('S', now(), 1, 'v', now(), 1, 1, true)")
    assert schema.upgrade(empty_database_url) == schema.revisions()[1:]
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("SELECT trade_id, repaired FROM ticks").fetchall() == [(1, False)]


@pytest.mark.parametrize(
    ("table", "columns", "key"),
    [
        ("signals", relations.SIGNAL_COLUMNS, {"pair": "text", "ts": "timestamptz"}),
        ("alerts", relations.ALERT_COLUMNS, {"subject": "text", "ts": "timestamptz"}),
    ],
)
def test_every_field_of_a_message_that_is_stored_has_a_migration(
    store: str, table: str, columns: dict[str, str], key: dict[str, str]
) -> None:
    with psycopg.connect(store) as connection:
        found = connection.execute(
            "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = %s", [table]
        ).fetchall()
    assert dict(found) == columns | key, f"fields and columns of {table} differ: see docs/howto"
