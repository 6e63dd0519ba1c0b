"""Watchdog of the database: notices a server that does not answer, and cuts the connections to it."""

import asyncio
import math
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import NoReturn

import psycopg
import structlog

from services.common.cancellation import end, pause
from services.common.errors import AwayError
from services.common.settings import DatabaseSettings
from services.store import database
from services.store.database import Connection

_EVERY_S = 1.0
_AGAIN_S = 0.5
_ANSWER_S = 3.0
# The asking task may be late itself.
_SILENT_S = _EVERY_S + _ANSWER_S + 0.5

log = structlog.get_logger()


async def _ask(connection: Connection) -> None:
    await connection.execute("SELECT 1")


class DatabaseWatch:
    """Asks every second, on a connection of its own: that all others are in use is no outage."""

    def __init__(
        self, settings: DatabaseSettings, name: str, ask: Callable[[Connection], Awaitable[None]] = _ask
    ) -> None:
        """`name` becomes the application_name; `ask` is answered at once by a database that is well.

        Until it should have answered for the first time it is taken to be there.
        """
        self._settings = settings
        self._name = name
        self._ask = ask
        self._answered_s = time.monotonic()

    @property
    def is_silent(self) -> bool:
        """Tell whether the database has not answered lately."""
        return time.monotonic() - self._answered_s > _SILENT_S

    async def keep(self) -> NoReturn:
        """Watch until cancelled, through every outage."""
        while True:
            try:
                await self.run()
            except AwayError as error:
                log.warning("the database does not answer", error=str(error))
            await pause(_AGAIN_S)

    async def run(self) -> NoReturn:
        """Watch until the database does not answer; AwayError then.

        Every connection of this process is cut with it, and whoever waits on one gets an OperationalError: a server
        that is frozen keeps them open, lets others connect, and answers nobody, not even who cancels a statement.
        """
        async with database.connect(
            self._settings, self._name, connect_timeout=math.ceil(_ANSWER_S)
        ) as connection:
            try:
                while True:
                    with _answering(connection):
                        await self._ask(connection)
                    self._answered_s = time.monotonic()
                    await pause(_EVERY_S)
            except psycopg.Error as error:
                self._answered_s = -math.inf
                _cut(database.open_connections())
                raise AwayError(
                    "the database", f"expected an answer within {_ANSWER_S:g} s: {error}"
                ) from error


@asynccontextmanager
async def watched(settings: DatabaseSettings, name: str) -> AsyncIterator[None]:
    """Raise OperationalError in callers of the block once the database does not answer."""
    watching = asyncio.create_task(DatabaseWatch(settings, name).run())
    try:
        yield
    finally:
        await end(watching)


@contextmanager
def _answering(connection: Connection) -> Iterator[None]:
    """Cut a connection on which the block waits for longer than for a database that lives."""
    timer = asyncio.get_running_loop().call_later(_ANSWER_S, _cut, [connection])
    try:
        yield
    finally:
        timer.cancel()


def _cut(connections: Iterable[Connection]) -> None:
    """Close these connections from the other side, as all who wait on them see it."""
    for connection in connections:
        # Closed meanwhile, or cut already.
        with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as cut:
            cut.shutdown(socket.SHUT_RDWR)
