"""The one place that opens PostgreSQL and knows which schema the code expects of it."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool

from services.common.errors import FatalError, TransientError
from services.common.settings import DatabaseSettings

Connection = AsyncConnection[Any]
Pool = AsyncConnectionPool[Connection]
CONNECT_TIMEOUT_S = 5
_UPGRADE_LOCK = 0x7061_6972  # "pair"; every process that upgrades takes this advisory lock
_HAS_VERSION = "SELECT to_regclass('alembic_version') IS NOT NULL"
_VERSION = "SELECT max(version_num) FROM alembic_version"


@asynccontextmanager
async def connect(settings: DatabaseSettings, name: str, **options: Any) -> AsyncIterator[Connection]:
    """Yield one autocommit connection in UTC; TransientError, with the reason, if it cannot be made.

    `name` becomes the application_name; `options` are AsyncConnection.connect's.
    """
    conninfo = _conninfo(settings.database_url, name)
    try:
        connection = await AsyncConnection.connect(conninfo, autocommit=True, **options)
    except psycopg.OperationalError as error:
        raise _unreachable(conninfo, error) from error
    async with connection:
        yield connection


@asynccontextmanager
async def pool(settings: DatabaseSettings, **options: Any) -> AsyncIterator[Pool]:
    """Yield an open pool of UTC connections; TransientError, with the reason, if none can be made.

    `options` are AsyncConnectionPool's; its ``name`` is also the connections' application_name.
    """
    arguments = {"min_size": 1, "max_size": 4, "timeout": 10.0, "name": "pairstream", **options}
    # The pool only says that it timed out; a connection of its own says why, and at once.
    async with connect(settings, arguments["name"]):
        pass
    conninfo = _conninfo(settings.database_url, arguments["name"])
    async with AsyncConnectionPool(conninfo, open=False, **arguments) as opened:
        yield opened


def upgrade(url: str) -> list[str]:
    """Bring the database at `url` to the current schema and return the revisions applied, oldest first.

    Blocks. Can be repeated, and several processes may call it at once: the first does the work in one
    transaction, the others wait for it. TransientError if the database cannot be reached, FatalError if its
    schema is newer than this code.
    """
    # Only this function needs Alembic, and services that never call it save a second and 20 MB each.
    import alembic.command
    import alembic.config
    from sqlalchemy import create_engine, pool

    logging.getLogger("alembic").setLevel(logging.WARNING)
    conninfo = _conninfo(url, "pairstream-upgrade")
    try:
        raw = psycopg.connect(conninfo)
    except psycopg.OperationalError as error:
        raise _unreachable(conninfo, error) from error
    # psycopg reads the URL, sockets and all; SQLAlchemy gets the connection it made.
    engine = create_engine("postgresql+psycopg://", creator=lambda: raw, poolclass=pool.NullPool)
    with raw, engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
        known = revisions()
        present = connection.exec_driver_sql(_HAS_VERSION).scalar()
        before = connection.exec_driver_sql(_VERSION).scalar() if present else None
        if before is not None and before not in known:
            raise FatalError(_newer(str(before)))
        config = alembic.config.Config()
        config.set_main_option("script_location", "services.common:migrations")
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")
        return known[known.index(before) + 1 :] if before else known


def revisions() -> list[str]:
    """Return the schema revisions this code knows, oldest first: the numbers of the files in schemas/sql."""
    names = (file.name for file in resources.files("schemas").joinpath("sql").iterdir())
    return sorted(name.partition("_")[0] for name in names if name.endswith(".sql"))


def statements(name: str) -> str:
    """Return the text of one file in schemas/sql."""
    return resources.files("schemas").joinpath("sql").joinpath(name).read_text(encoding="utf-8")


async def schema_version(connection: Connection) -> str | None:
    """Return the revision of the database's schema, None if it has none."""
    row = await (await connection.execute(_HAS_VERSION)).fetchone()
    if row is None or not row[0]:
        return None
    row = await (await connection.execute(_VERSION)).fetchone()
    return None if row is None else row[0]


async def require_schema(connection: Connection) -> None:
    """Return if the schema is the one this code was written for; FatalError says what to do otherwise."""
    version, expected = await schema_version(connection), revisions()[-1]
    if version == expected:
        return
    if version is not None and version not in revisions():
        raise FatalError(_newer(version))
    found = "none" if version is None else version
    raise FatalError(f"expected database schema {expected}, received {found}: run pairstream db upgrade")


def _newer(version: str) -> str:
    return (
        f"expected database schema {revisions()[-1]} or older, received {version}: "
        "the database was upgraded by a newer pairstream; install that one"
    )


def _conninfo(url: str, name: str) -> str:
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # What libpq says of it repeats the password.
        raise FatalError(
            "PAIRSTREAM_DATABASE_URL: expected postgresql://user@host/name, received something else"
        ) from None
    given.setdefault("connect_timeout", CONNECT_TIMEOUT_S)
    given.setdefault("application_name", name)
    given["options"] = f"{given.get('options', '')} -c timezone=UTC".strip()
    return make_conninfo("", **given)


def _unreachable(conninfo: str, error: Exception) -> TransientError:
    given = conninfo_to_dict(conninfo)
    place = f"{given.get('host', 'localhost')}:{given.get('port', 5432)}/{given.get('dbname', '')}"
    return TransientError(f"expected PostgreSQL at {place}: {' '.join(str(error).split())}")
