"""Queue of jobs: of equal ones there is one, each has one worker, and none is lost with its worker."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import psycopg
import pytest

from services.common.settings import DatabaseSettings
from services.contracts.scans import SCAN, ScanRequest, ScanSummary
from services.store import database, jobs
from services.store.database import Connection

T = TypeVar("T")
ALL, HOURS = ScanRequest(), ScanRequest(interval="1h")


@pytest.fixture
def url(store_url: str) -> Iterator[str]:
    yield store_url
    with psycopg.connect(store_url) as connection:
        connection.execute("TRUNCATE jobs CASCADE")


def on(url: str, ask: Callable[[Connection], Awaitable[T]]) -> T:
    """Return what `ask` returns on a connection."""

    async def run() -> T:
        async with database.connect(DatabaseSettings(database_url=url), "test") as connection:
            return await ask(connection)

    return asyncio.run(run())


async def _die(connection: Connection) -> None:
    """Let every lease be over, as time does after a kill."""
    await connection.execute("UPDATE jobs SET leased_until = now() - interval '1 second'")


def summary() -> ScanSummary:
    return ScanSummary(
        symbols=["A", "B"],
        left_out={},
        width_us=60_000_000,
        first_us=0,
        last_us=0,
        bars=70,
        held_out_bars=30,
        asked_bars=100,
        carried=0,
        tried=1,
        significant=0,
        corrected=0,
        confirmed=0,
        refused=0,
        seconds=0.1,
    )


def test_of_equal_jobs_there_is_one_until_it_has_ended(url: str) -> None:
    async def ask(connection: Connection) -> list[tuple[str, bool]]:
        said = [await jobs.submit(connection, SCAN, one, 1.0) for one in (ALL, HOURS, ScanRequest())]
        job = await jobs.take(connection, "one")
        assert job is not None
        assert job.job_id == said[0][0]
        said.append(await jobs.submit(connection, SCAN, ALL, 1.0))
        await jobs.finish(connection, job, summary())
        return [*said, await jobs.submit(connection, SCAN, ALL, 1.0)]

    first, hours, again, running, after = on(url, ask)
    assert [one[1] for one in (first, hours, again, running, after)] == [True, True, False, False, True]
    assert again[0] == running[0] == first[0]
    assert len({first[0], hours[0], after[0]}) == 3


def test_each_job_has_one_worker_and_the_oldest_is_first(url: str) -> None:
    async def ask(connection: Connection) -> list[str | None]:
        asked = [(await jobs.submit(connection, SCAN, one, 1.0))[0] for one in (ALL, HOURS)]
        taken = [await jobs.take(connection, name) for name in ("one", "two", "three")]
        assert [one and one.job_id for one in taken] == [*asked, None]
        return [await jobs.state(connection, one) for one in asked]

    assert on(url, ask) == ["running", "running"]


def test_a_job_whose_worker_is_gone_is_another_ones_and_the_first_is_refused(url: str) -> None:
    async def ask(connection: Connection) -> None:
        await jobs.submit(connection, SCAN, ALL, 1.0)
        first = await jobs.take(connection, "one")
        assert first is not None
        assert await jobs.renew(connection, first, 0.5, "testing pairs")
        await _die(connection)
        second = await jobs.take(connection, "two")
        assert second is not None
        assert (second.job_id, second.attempt) == (first.job_id, 2)
        assert not await jobs.renew(connection, first, 0.9, None)
        await jobs.finish(connection, first, summary())
        assert await jobs.state(connection, first.job_id) == "running"
        async with connection.transaction():
            assert not await jobs.hold(connection, first)
            assert await jobs.hold(connection, second)

    on(url, ask)


def test_a_job_that_has_killed_its_workers_is_given_up_with_the_reason(url: str) -> None:
    async def ask(connection: Connection) -> tuple[object, ...]:
        job_id, _ = await jobs.submit(connection, SCAN, ALL, 1.0)
        for attempt in range(1, jobs.MOST_ATTEMPTS + 1):
            job = await jobs.take(connection, "one")
            assert job is not None
            assert job.attempt == attempt
            await jobs.retry(connection, job)
        assert await jobs.take(connection, "one") is None
        found = await connection.execute("SELECT state, reason FROM jobs WHERE job_id = %s", [job_id])
        return tuple(await found.fetchone() or ())

    state, reason = on(url, ask)
    assert state == "failed"
    assert "its worker died 3 times" in str(reason)


def test_a_job_that_is_given_back_has_not_failed(url: str) -> None:
    async def ask(connection: Connection) -> None:
        await jobs.submit(connection, SCAN, ALL, 1.0)
        for _ in range(2 * jobs.MOST_ATTEMPTS):
            job = await jobs.take(connection, "one")
            assert job is not None
            assert job.attempt == 1
            await jobs.release(connection, job)

    on(url, ask)


def test_a_cancelled_job_is_taken_from_its_worker_and_one_that_has_ended_stays(url: str) -> None:
    async def ask(connection: Connection) -> None:
        job_id, _ = await jobs.submit(connection, SCAN, ALL, 1.0)
        job = await jobs.take(connection, "one")
        assert job is not None
        assert await jobs.cancel(connection, job_id)
        assert not await jobs.renew(connection, job, 0.5, None)
        await jobs.finish(connection, job, summary())
        assert await jobs.state(connection, job_id) == "cancelled"
        assert not await jobs.cancel(connection, job_id)

    on(url, ask)


def test_no_more_jobs_wait_than_are_meant_to(url: str) -> None:
    async def ask(connection: Connection) -> None:
        for number in range(jobs.MOST_WAITING):
            await jobs.submit(connection, SCAN, ScanRequest(bars=60 + number), 1.0)
        _, is_new = await jobs.submit(connection, SCAN, ScanRequest(bars=60), 1.0)
        assert not is_new
        with pytest.raises(jobs.CrowdedError):
            await jobs.submit(connection, SCAN, ALL, 1.0)

    on(url, ask)


def test_only_the_last_jobs_that_have_ended_are_kept(url: str) -> None:
    async def ask(connection: Connection) -> None:
        ended = []
        for number in range(3):
            job_id, _ = await jobs.submit(connection, SCAN, ScanRequest(bars=60 + number), 1.0)
            await jobs.cancel(connection, job_id)
            ended.append(job_id)
        waiting, _ = await jobs.submit(connection, SCAN, ALL, 1.0)
        assert await jobs.forget(connection, keep=1) == 2
        kept = [await jobs.state(connection, one) for one in (*ended, waiting)]
        assert kept == [None, None, "cancelled", "waiting"]

    on(url, ask)
