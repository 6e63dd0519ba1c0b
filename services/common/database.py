"""The one place that opens PostgreSQL and knows which schema the code expects of it."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import resources
from typing import Any, ClassVar
from weakref import WeakSet

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool

from services.common.errors import AwayError, FatalError, RefusedError
from services.common.settings import DatabaseSettings, StoreSettings

Connection = AsyncConnection[Any]
Pool = AsyncConnectionPool[Connection]
CONNECT_TIMEOUT_S = 4
EPOCH_US = 946_684_800_000_000
"""2000-01-01: PostgreSQL's binary form of a timestamptz is an int8, the microseconds since then."""
_UPGRADE_LOCK = 0x7061_6972  # "pair"; every process that upgrades takes this advisory lock
_HAS_VERSION = "SELECT to_regclass('alembic_version') IS NOT NULL"
# libpq gives these no code.
_REFUSED = re.compile(
    "authentication failed|no password supplied|no pg_hba.conf entry|(role|database) .* does not exist"
)
_VERSION = "SELECT max(version_num) FROM alembic_version"

log = structlog.get_logger()


class _Open(Connection):
    """A connection that is known while it is open."""

    all: ClassVar[WeakSet["_Open"]] = WeakSet()

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.all.add(self)


@asynccontextmanager
async def connect(settings: DatabaseSettings, name: str, **options: Any) -> AsyncIterator[Connection]:
    """Yield one autocommit connection in UTC; AwayError, with the reason, if it cannot be made.

    `name` becomes the application_name; `options` are AsyncConnection.connect's.
    """
    conninfo = _conninfo(settings.database_url, name)
    try:
        connection = await _Open.connect(conninfo, autocommit=True, **options)
    except psycopg.OperationalError as error:
        raise _unreachable(conninfo, error) from error
    async with connection:
        yield connection


@asynccontextmanager
async def pool(settings: DatabaseSettings, **options: Any) -> AsyncIterator[Pool]:
    """Yield an open pool of UTC connections; AwayError, with the reason, if none can be made.

    `options` are AsyncConnectionPool's; its ``name`` is also the connections' application_name.
    """
    arguments = {"min_size": 1, "max_size": 4, "timeout": 10.0, "name": "pairstream", **options}
    # The pool only says that it timed out; a connection of its own says why, and at once.
    async with connect(settings, arguments["name"]):
        pass
    conninfo = _conninfo(settings.database_url, arguments["name"])
    kind: type[Connection] = _Open
    async with AsyncConnectionPool(conninfo, connection_class=kind, open=False, **arguments) as opened:
        yield opened


def check_url(url: str) -> None:
    """Raise FatalError if `url` is none of a database; whether there is one is not asked."""
    _conninfo(url, "pairstream")


def open_connections() -> list[Connection]:
    """Return every connection of this process, of a pool or not."""
    return list(_Open.all)


def upgrade(url: str, settings: StoreSettings | None = None) -> list[str]:
    """Bring the database at `url` to the current schema and return the revisions applied, oldest first.

    Where the server offers TimescaleDB, tables become hypertables, bars become continuous aggregates, and
    policies follow `settings`. Blocks. Can be repeated, and several processes may call it at once: the first
    does the work, the schema in one transaction, the others wait for it. AwayError if the database cannot
    be reached, FatalError if its schema is newer than this code, its TimescaleDB is not what we need, or it
    refuses what the upgrade does.
    """
    from services.common import bars, store_policies, timescale

    settings = (settings or StoreSettings()).model_copy(update={"database_url": url})
    conninfo = _conninfo(url, "pairstream-upgrade")
    with _refusals(), _opened(conninfo, autocommit=True) as connection:
        # Held by the session: the refresh that follows the schema cannot run in a transaction.
        connection.execute("SELECT pg_advisory_lock(%s)", [_UPGRADE_LOCK])
        before = _known_version(connection)
        wanted = timescale.prepare(connection, settings.timescaledb)
        present = timescale.aggregated(connection)
        if wanted and before and not present:
            timescale.require_ticks(connection)
        applied = _apply(conninfo, before, wanted, present)
        if wanted:
            store_policies.apply(connection, settings)
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
            f"expected the database to take schema {revisions()[-1]}, received {' '.join(str(error).split())}"
        ) from error


def _apply(conninfo: str, before: str | None, wanted: bool, present: bool) -> list[str]:
    """Apply the revisions after `before`, with TimescaleDB's part where it is `wanted`, in one transaction."""
    # Only an upgrade needs Alembic, and services that never do one save a second and 20 MB each.
    import alembic.command
    import alembic.config
    from sqlalchemy import create_engine, pool
    from sqlalchemy.exc import DBAPIError

    logging.getLogger("alembic").setLevel(logging.WARNING)
    # A plain store becomes TimescaleDB's after its revisions, a new one with them.
    conversion = [name for name in _files("sql/timescaledb") if before and name[:4] <= before]
    # psycopg reads the URL, sockets and all; SQLAlchemy gets the connection it made.
    raw = _opened(conninfo)
    engine = create_engine("postgresql+psycopg://", creator=lambda: raw, poolclass=pool.NullPool)
    with raw, engine.begin() as connection:
        config = alembic.config.Config()
        config.set_main_option("script_location", "services.common:migrations")
        config.attributes |= {"connection": connection, "timescaledb": wanted and (present or not conversion)}
        try:
            alembic.command.upgrade(config, "head")
        except DBAPIError as error:
            raise error.orig or error from error
        if wanted and not present and conversion:
            log.info("the plain store becomes TimescaleDB's: hypertables, continuous aggregates, no row lost")
            for name in _files("sql/timescaledb"):
                raw.execute(statements(f"timescaledb/{name}"))
    return [revision for revision in revisions() if before is None or revision > before]


async def _on_connection(settings: DatabaseSettings, use: Callable[[Connection], Awaitable[None]]) -> None:
    async with connect(settings, "pairstream-upgrade") as connection:
        await use(connection)


def _known_version(connection: psycopg.Connection[Any]) -> str | None:
    """Return the revision of the schema, None if there is none; FatalError if it is newer than this code."""
    row = connection.execute(_HAS_VERSION).fetchone()
    row = connection.execute(_VERSION).fetchone() if row and row[0] else None
    if row and row[0] and row[0] not in revisions():
        raise FatalError(_newer(row[0]))
    return row[0] if row else None


def _opened(conninfo: str, **options: Any) -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(conninfo, **options)
    except psycopg.OperationalError as error:
        raise _unreachable(conninfo, error) from error


def _files(directory: str) -> list[str]:
    names = (file.name for file in resources.files("schemas").joinpath(directory).iterdir())
    return sorted(name for name in names if name.endswith(".sql"))


def revisions() -> list[str]:
    """Return the schema revisions this code knows, oldest first: the numbers of the files in schemas/sql."""
    return [name.partition("_")[0] for name in _files("sql")]


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


def _unreachable(conninfo: str, error: Exception) -> AwayError:
    given = conninfo_to_dict(conninfo)
    place = f"{given.get('host', 'localhost')}:{given.get('port', 5432)}/{given.get('dbname', '')}"
    reason = " ".join(str(error).split())
    if _REFUSED.search(reason):
        expected = f"PAIRSTREAM_DATABASE_URL: expected a user, password and database that {place} accepts"
        return RefusedError("the database", f"{expected}, received: {reason}")
    return AwayError("the database", f"expected PostgreSQL at {place}: {reason}")
