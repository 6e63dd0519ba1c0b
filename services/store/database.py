"""Connections to PostgreSQL: the one place that opens them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar
from weakref import WeakSet

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool

from services.common.errors import AwayError, FatalError, RefusedError, reason_of
from services.common.settings import DatabaseSettings

Connection = AsyncConnection[Any]
Pool = AsyncConnectionPool[Connection]
CONNECT_TIMEOUT_S = 4
EPOCH_US = 946_684_800_000_000
"""2000-01-01: PostgreSQL's binary form of a timestamptz is an int8, the microseconds since then."""
# libpq gives these no code.
_REFUSED = re.compile(
    "authentication failed|no password supplied|no pg_hba.conf entry|(role|database) .* does not exist"
)


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
    text = conninfo(settings.database_url, name)
    try:
        connection = await _Open.connect(text, autocommit=True, **options)
    except psycopg.OperationalError as error:
        raise _unreachable(text, error) from error
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
    text = conninfo(settings.database_url, arguments["name"])
    kind: type[Connection] = _Open
    async with AsyncConnectionPool(text, connection_class=kind, open=False, **arguments) as opened:
        yield opened


def check_url(url: str) -> None:
    """Raise FatalError if `url` is none of a database; whether there is one is not asked."""
    conninfo(url, "pairstream")


def open_connections() -> list[Connection]:
    """Return every connection of this process, of a pool or not."""
    return list(_Open.all)


def open_blocking(text: str, **options: Any) -> psycopg.Connection[Any]:
    """Return a connection to the connection string `text` for code that blocks; AwayError if it cannot be made."""
    try:
        return psycopg.connect(text, **options)
    except psycopg.OperationalError as error:
        raise _unreachable(text, error) from error


def conninfo(url: str, name: str) -> str:
    """Return the connection string of `url` for an application called `name`; FatalError if it is none."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # The message of libpq repeats the password.
        raise FatalError(
            "PAIRSTREAM_DATABASE_URL: expected postgresql://user@host/name, received something else"
        ) from None
    given.setdefault("connect_timeout", CONNECT_TIMEOUT_S)
    given.setdefault("application_name", name)
    given["options"] = f"{given.get('options', '')} -c timezone=UTC".strip()
    return make_conninfo("", **given)


def _unreachable(text: str, error: Exception) -> AwayError:
    given = conninfo_to_dict(text)
    place = f"{given.get('host', 'localhost')}:{given.get('port', 5432)}/{given.get('dbname', '')}"
    reason = reason_of(error)
    if _REFUSED.search(reason):
        expected = f"PAIRSTREAM_DATABASE_URL: expected a user, password and database that {place} accepts"
        return RefusedError("the database", f"{expected}, received: {reason}")
    return AwayError("the database", f"expected PostgreSQL at {place}: {reason}")
