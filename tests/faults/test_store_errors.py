"""Sink before a database that refuses batches or does not answer: it waits, and loses nothing."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest
from psycopg import sql

from tests.contract.store import START_US, assert_bars, select, tick
from tests.fix_database import Postgres
from tests.tape import Tape, sink_of
from tests.waiting import wait_until

TICKS = [tick(number, START_US + number * 1000) for number in range(3000)]
ROWS = 250


@contextmanager
def _raising(url: str, code: str, message: str) -> Iterator[None]:
    """Let the next offsets be refused with an SQLSTATE: for what cannot be had without harm to the machine."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            sql.SQL(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$BEGIN RAISE EXCEPTION USING ERRCODE = {}, MESSAGE = {}; END$$"
            ).format(code, message)
        )
        admin.execute(
            "CREATE TRIGGER refuse BEFORE UPDATE ON stream_offsets FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
        yield
        admin.execute("DROP FUNCTION refuse CASCADE")


def disk_full(url: str) -> AbstractContextManager[None]:
    return _raising(url, "53100", "could not extend file: No space left on device")


@contextmanager
def statement_timeout(url: str) -> Iterator[None]:
    """Hold what the sink needs for longer than its statements may take."""
    with _set(url, "statement_timeout", "100ms"), psycopg.connect(url) as other:
        other.execute("LOCK TABLE stream_offsets IN EXCLUSIVE MODE")
        yield
        other.rollback()


@contextmanager
def serialization_failure(url: str) -> Iterator[None]:
    """Change, again and again, the row that the sink is waiting for."""
    over = threading.Event()

    def change() -> None:
        with psycopg.connect(url) as other:
            while not over.is_set():
                other.execute("UPDATE stream_offsets SET next_offset = next_offset")
                over.wait(0.05)
                other.commit()

    with _set(url, "default_transaction_isolation", "repeatable read"), _thread(change):
        yield
        over.set()


@contextmanager
def deadlock(url: str) -> Iterator[None]:
    """Hold the lock on a symbol and wait for the offset, which the sink holds while it waits for the symbol."""

    def embrace() -> None:
        with psycopg.connect(url) as other:
            other.execute("SET deadlock_timeout = '20s'")
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended('BTCUSDT', 0))")
            wait_until(lambda: _sleeps(url), "the sink has the offset")
            other.execute("UPDATE stream_offsets SET next_offset = next_offset")

    with _set(url, "deadlock_timeout", "100ms"), psycopg.connect(url, autocommit=True) as admin:
        # The sink takes a while after the offset, so that the other is waiting for it by then.
        admin.execute(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END$$"
        )
        admin.execute(
            "CREATE TRIGGER dawdle AFTER UPDATE ON stream_offsets FOR EACH ROW"
            " WHEN (old.next_offset <> new.next_offset) EXECUTE FUNCTION dawdle()"
        )
        with _thread(embrace):
            yield
        admin.execute("DROP FUNCTION dawdle CASCADE")


def _sleeps(url: str) -> bool:
    with psycopg.connect(url) as connection:
        query = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        return connection.execute(query).fetchone() is not None


@contextmanager
def _set(url: str, name: str, value: str) -> Iterator[None]:
    """Change a setting for the sink's next connection, and end the one it has."""
    with psycopg.connect(url, autocommit=True) as admin:
        database = sql.Identifier(admin.info.dbname)
        change = sql.SQL("ALTER DATABASE {} SET {} = {}").format(database, sql.Identifier(name), value)
        admin.execute(change)
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'pairstream-sink' AND datname = current_database()"
        )
        yield
        admin.execute(sql.SQL("ALTER DATABASE {} RESET {}").format(database, sql.Identifier(name)))


@contextmanager
def _thread(target: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=target)
    thread.start()
    yield
    thread.join(30)
    assert not thread.is_alive()


FAULTS = {
    "disk full": (disk_full, "No space left"),
    "statement timeout": (statement_timeout, "statement timeout"),
    "serialization failure": (serialization_failure, "could not serialize"),
    "deadlock": (deadlock, "deadlock detected"),
}


async def _survive(url: str, fault: Callable[[], AbstractContextManager[None]], reason: str) -> None:
    """Write a part, then another while the database refuses it for `reason`, then all of it."""
    tape = Tape(TICKS, ROWS)
    tape.until = 0
    sink, heartbeat = sink_of(url, tape)
    running = asyncio.create_task(sink.run())
    try:
        async with asyncio.timeout(30):
            await tape.written(1000)
            with fault():
                tape.until = 2000
                while reason not in str(heartbeat.detail):
                    assert not running.done()
                    await asyncio.sleep(0.01)
                assert heartbeat.state == "degraded"
            await tape.written(len(TICKS))
            assert (heartbeat.state, heartbeat.detail) == ("running", None)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert heartbeat.counters["dead_letters"] == 0
    assert [row[2] for row in select(url, "ticks")] == [one.trade_id for one in TICKS]
    assert_bars(url, TICKS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_batch_that_the_database_did_not_take_is_written_later(store: str, fault: str) -> None:
    inject, reason = FAULTS[fault]
    asyncio.run(_survive(store, lambda: inject(store), reason))


def test_a_database_that_refuses_connections_and_comes_back_is_waited_for(
    postgres: Postgres, database_url: str
) -> None:
    @contextmanager
    def away() -> Iterator[None]:
        postgres.stop()
        try:
            yield
        finally:
            postgres.start()

    asyncio.run(_survive(database_url, away, "the database does not answer"))
