"""Fixture: one rig for all the tests of a module."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import pytest

from tests.fix_database import Postgres, created
from tests.soak.rig import Rig, rig

RATES = {"BTCUSDT": 300.0, "ETHUSDT": 150.0, "SOLUSDT": 50.0}
# So small that a broker that is away for two seconds is away for too long.
ENVIRONMENT = {"PAIRSTREAM_BUFFER_FRAMES": "200", "PAIRSTREAM_SILENCE_S": "1"}
SETTLE_S = 30


class Running(NamedTuple):
    """A rig, its database, and the loop it lives on."""

    rig: Rig
    database_url: str
    runner: asyncio.Runner

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a test's coroutine where the rig lives; between tests its loop stands still."""
        self.runner.run(work)


@pytest.fixture(scope="module")
def running(postgres: Postgres, template: str) -> Iterator[Running]:
    """Start venue, broker, store, sink and ingest, and wait until ingest is live."""
    with created(postgres.url, template) as url, asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def start() -> Rig:
            started = await stack.enter_async_context(rig(RATES, ENVIRONMENT, url))
            await started.wait_until_live()
            return started

        try:
            yield Running(runner.run(start()), url, runner)
        finally:
            runner.run(stack.aclose())
