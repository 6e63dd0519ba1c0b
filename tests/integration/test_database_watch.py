"""Frozen database: every service that waits for it notices in time, and reports it in its health."""

import asyncio
import time

import psycopg
import pytest

from services.api.queries.database_errors import AWAY
from services.api.queries.reader import CONNECTIONS, StoreReader
from services.common import clock
from services.common.cancellation import end
from services.common.errors import AwayError, TransientError
from services.common.settings import DatabaseSettings
from services.ingest.tape.stored import open_store
from services.store import database
from services.store.database_watchdog import DatabaseWatch
from tests.fix_database import Postgres
from tests.outages import frozen
from tests.waiting import wait_until

pytestmark = pytest.mark.integration
NOTICED_S = 5.0
# What the machine may take on top, which has others to serve.
BUSY_S = 3.0


def test_ingest_does_not_wait_for_what_a_frozen_database_has_stored(
    database_url: str, postgres: Postgres
) -> None:
    async def scene() -> float:
        async with open_store(DatabaseSettings(database_url=database_url)) as store:
            await store.shelf("BTCUSDT", clock.now_us())
            with frozen(postgres.pid):
                began_s = time.monotonic()
                with pytest.raises(TransientError, match="the database does not say what is stored"):
                    await store.shelf("BTCUSDT", clock.now_us())
                return time.monotonic() - began_s

    assert asyncio.run(scene()) < NOTICED_S + BUSY_S


def test_a_long_statement_is_no_silence_and_a_frozen_database_is(
    database_url: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.store.database_watchdog._ANSWER_S", 1.0)
    settings = DatabaseSettings(database_url=database_url)

    async def scene() -> None:
        watch = DatabaseWatch(settings, "test-watch")
        watching = asyncio.create_task(watch.run())
        async with database.connect(settings, "test") as connection:
            await connection.execute("SELECT pg_sleep(3)")
            assert not watch.is_silent
            with frozen(postgres.pid):
                with pytest.raises(psycopg.OperationalError):
                    await connection.execute("SELECT 1")
                with pytest.raises(AwayError, match="expected an answer within 1 s"):
                    await watching
                assert watch.is_silent

    asyncio.run(scene())


def test_who_waits_for_a_connection_to_a_frozen_database_waits_no_longer_than_who_has_one(
    database_url: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool itself fails them only when it has given up to connect anew, which takes longer than they may wait."""
    monkeypatch.setattr("services.store.database_watchdog._ANSWER_S", 0.5)
    store = StoreReader(DatabaseSettings(database_url=database_url))

    async def ask() -> float:
        began_s = time.monotonic()
        with pytest.raises(TransientError, match=AWAY):
            await store.symbols()
        return time.monotonic() - began_s

    async def scene() -> list[float]:
        running = asyncio.create_task(store.run())
        await asyncio.to_thread(wait_until, lambda: store.problem is None, "the store can be read")
        try:
            with frozen(postgres.pid):
                return await asyncio.gather(*(ask() for _ in range(2 * CONNECTIONS)))
        finally:
            await end(running)

    assert max(asyncio.run(scene())) < 4.0
