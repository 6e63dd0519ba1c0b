"""Run of a command that has an end."""

import asyncio
from collections.abc import Coroutine

from services.common import process
from services.common.errors import FatalError


def run_to_end(command: Coroutine[None, None, None]) -> None:
    """Run a command to its end; one that a signal has stopped has failed."""

    async def run() -> None:
        try:
            await command
        except asyncio.CancelledError:
            raise FatalError("stopped before the end") from None

    process.run("pairstream", run)
