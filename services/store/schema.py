"""Schema of the database: the version that this code expects, and the upgrade to it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

import psycopg
import structlog

from services.common.errors import FatalError, RefusedError, TransientError, reason_of
from services.common.settings import DatabaseSettings, StoreSettings
from services.store import database, timescale_extension
from services.store.bars import policies
from services.store.bars import timescale as bars
from services.store.database import Connection

_UPGRADE_LOCK = 0x7061_6972  # "pair"; every process that upgrades takes this advisory lock
_HAS_VERSION = "SELECT to_regclass('alembic_version') IS NOT NULL"
_VERSION = "SELECT max(version_num) FROM alembic_version"

log = structlog.get_logger()


def upgrade(url: str, settings: StoreSettings | None = None) -> list[str]:
    """Bring the database at `url` to the current schema and return the revisions applied, oldest first.

    Where the server offers TimescaleDB, tables become hypertables, bars become continuous aggregates, and
    policies follow `settings`. Blocks. Can be repeated, and several processes may call it at once: the first
    does the work, the schema in one transaction, the others wait for it. AwayError if the database cannot
    be reached, FatalError if its encoding is not UTF8, its schema is newer than this code, its TimescaleDB is not
    what we need, or it refuses what the upgrade does.
    """
    settings = (settings or StoreSettings()).model_copy(update={"database_url": url})
    conninfo = database.conninfo(url, "pairstream-upgrade")
    with _refusals(), database.open_blocking(conninfo, autocommit=True) as connection:
        _require_utf8(connection)
        # Held by the session: the refresh that follows the schema cannot run in a transaction.
        connection.execute("SELECT pg_advisory_lock(%s)", [_UPGRADE_LOCK])
        before = _known_version(connection)
        wanted = timescale_extension.prepare(connection, settings.timescaledb)
        present = timescale_extension.aggregated(connection)
        if wanted and before and not present:
            timescale_extension.require_ticks(connection)
        applied = _apply(conninfo, before, wanted, present)
        if wanted:
            policies.apply(connection, settings)
            asyncio.run(_on_connection(settings, bars.catch_up))
        if wanted and before and not present:
            # Without statistics the first reads would sort what an index has in order.
            connection.execute("ANALYZE")
    return applied


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what the server raises in an upgrade, a full disk or a missing privilege, into FatalError."""
    try:
        yield
    except psycopg.Error as error:
        raise FatalError(
            f"expected the database to take schema {revisions()[-1]}, received {reason_of(error)}"
        ) from error


def _apply(conninfo: str, before: str | None, wanted: bool, present: bool) -> list[str]:
    """Apply the revisions after `before`, with TimescaleDB's part where it is `wanted`, in one transaction."""
    # Only an upgrade needs Alembic, and services that never do one save a second and 20 MB each.
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import create_engine, pool
    from sqlalchemy.exc import DBAPIError

    from services.store import migrations

    logging.getLogger("alembic").setLevel(logging.WARNING)
    # A plain store becomes TimescaleDB's after its revisions, a new one with them.
    conversion = [name for name in _files("sql/timescaledb") if before and name[:4] <= before]
    # psycopg reads the URL, sockets and all; SQLAlchemy gets the connection it made.
    raw = database.open_blocking(conninfo)
    engine = create_engine("postgresql+psycopg://", creator=lambda: raw, poolclass=pool.NullPool)
    extended = _files("sql/timescaledb") if wanted and (present or not conversion) else []
    # psycopg takes several statements at once, colons and percent signs too.
    steps = migrations.steps(_files("sql"), extended, before, lambda name: raw.execute(statements(name)))
    with raw, engine.begin() as connection:
        try:
            MigrationContext.configure(connection, opts={"fn": lambda *_: steps}).run_migrations()
        except DBAPIError as error:
            raise error.orig or error from error
        if wanted and not present and conversion:
            log.info(
                "converting the plain store to TimescaleDB: hypertables and continuous aggregates; every row is kept"
            )
            for name in _files("sql/timescaledb"):
                raw.execute(statements(f"timescaledb/{name}"))
    return [revision for revision in revisions() if before is None or revision > before]


async def _on_connection(settings: DatabaseSettings, use: Callable[[Connection], Awaitable[None]]) -> None:
    async with database.connect(settings, "pairstream-upgrade") as connection:
        await use(connection)


def _known_version(connection: psycopg.Connection[Any]) -> str | None:
    """Return the revision of the schema, None if there is none; FatalError if it is newer than this code."""
    row = connection.execute(_HAS_VERSION).fetchone()
    row = connection.execute(_VERSION).fetchone() if row and row[0] else None
    if row and row[0] and row[0] not in revisions():
        raise FatalError(_newer(row[0]))
    return row[0] if row else None


def _require_utf8(connection: psycopg.Connection[Any] | Connection) -> None:
    """FatalError if a database cannot store every symbol, which may be of any script."""
    found = (connection.pgconn.parameter_status(b"server_encoding") or b"none").decode()
    if found != "UTF8":
        raise FatalError(
            f"expected a database with the encoding UTF8, received {found}: "
            f"CREATE DATABASE {connection.info.dbname}_utf8 ENCODING 'UTF8' TEMPLATE template0, and set "
            "PAIRSTREAM_DATABASE_URL to it"
        )


def _files(directory: str) -> list[str]:
    names = (file.name for file in resources.files("schemas").joinpath(directory).iterdir())
    return sorted(name for name in names if name.endswith(".sql"))


def revisions() -> list[str]:
    """Return the schema revisions this code knows, oldest first: the numbers of the files in schemas/sql."""
    return [name.partition("_")[0] for name in _files("sql")]


def statements(name: str) -> str:
    """Return the text of one file in schemas/sql."""
    return resources.files("schemas").joinpath("sql").joinpath(name).read_text(encoding="utf-8")


async def version(connection: Connection) -> str | None:
    """Return the revision of the database's schema, None if it has none."""
    row = await (await connection.execute(_HAS_VERSION)).fetchone()
    if row is None or not row[0]:
        return None
    row = await (await connection.execute(_VERSION)).fetchone()
    return None if row is None else row[0]


async def require(connection: Connection) -> None:
    """Return if the schema is the one this code was written for; FatalError says what to do otherwise."""
    _require_utf8(connection)
    found, expected = await version(connection), revisions()[-1]
    if found == expected:
        return
    if found is not None and found not in revisions():
        raise FatalError(_newer(found))
    raise FatalError(
        f"expected database schema {expected}, received {found or 'none'}: run pairstream db upgrade"
    )


async def require_unless_away(settings: DatabaseSettings, name: str) -> None:
    """Return if the schema is ours, or if the database is away: whoever needs it waits for it.

    FatalError if the database refuses the login or has another schema. `name` becomes the application_name.
    """
    try:
        async with database.connect(settings, name) as connection:
            await require(connection)
    except RefusedError as error:
        raise FatalError(str(error)) from error
    except TransientError:
        log.info("the database does not answer yet, waiting")


def _newer(version: str) -> str:
    return (
        f"expected database schema {revisions()[-1]} or older, received {version}: "
        "the database was upgraded by a newer pairstream; install that one"
    )
