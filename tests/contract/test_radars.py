"""Radars in the store: a pair is confirmed until three scans miss it or its line breaks; each event is told once."""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

import psycopg
import pytest

from services.common.clock import MINUTE
from services.common.settings import DatabaseSettings
from services.contracts.scans import SCAN, ScanRequest
from services.store import database, jobs, radars
from services.store.database import Connection
from services.store.radars import MOST_MISSED, MOST_RADARS

BEGIN_US = 1_767_225_600_000_000


class Pair(NamedTuple):
    """Pair of a scan."""

    y: str = "ETHUSDT"
    x: str = "BTCUSDT"
    stage: str = "confirmed"
    p_value: float = 0.001
    reason: str | None = None
    break_ts: str | None = None


@pytest.fixture
def url(store_url: str) -> Iterator[str]:
    yield store_url
    with psycopg.connect(store_url) as connection:
        connection.execute("TRUNCATE jobs, radar_confirmations CASCADE")
        connection.execute("DELETE FROM radars WHERE radar_id <> 'default'")
        connection.execute(
            "UPDATE radars SET state = 'waiting', reason = NULL, job_id = NULL, scanned_at = NULL, paused = false"
        )


async def _scanned(connection: Connection, minute: int, *pairs: Pair, radar: str = "default") -> str:
    """Let a scan of a history that ends at a minute have found these pairs."""
    job_id, _ = await jobs.submit(connection, SCAN, ScanRequest(radar=radar), 1.0)
    await connection.execute(
        "UPDATE jobs SET state = 'done', ended_at = now(), result = '{}' WHERE job_id = %s", [job_id]
    )
    for rank, pair in enumerate(pairs, start=1):
        await connection.execute(
            "INSERT INTO scan_pairs (job_id, rank, y, x, stage, p_value, adjusted_p_value, reason, break_ts) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                job_id,
                rank,
                pair.y,
                pair.x,
                pair.stage,
                pair.p_value,
                pair.p_value,
                pair.reason,
                pair.break_ts,
            ],
        )
    await radars.scanned(connection, radar, job_id, BEGIN_US + minute * MINUTE)
    return job_id


async def _events(connection: Connection) -> list[tuple[str, str, int, str | None]]:
    """Tell what is untold, as research does."""
    told: list[tuple[str, str, int, str | None]] = []
    for one in await radars.untold(connection):
        told += [
            (event.kind, event.pair, (event.at_us - BEGIN_US) // MINUTE, event.reason)
            for event in one.events()
        ]
        await radars.note_told(connection, one)
    return told


@pytest.fixture
def on(url: str) -> Iterator[tuple[asyncio.Runner, Connection]]:
    with asyncio.Runner() as runner:
        opened = database.connect(DatabaseSettings(database_url=url), "test")
        connection = runner.run(opened.__aenter__())
        yield runner, connection
        runner.run(opened.__aexit__(None, None, None))


On = tuple[asyncio.Runner, Connection]


def test_a_pair_is_confirmed_once_however_often_and_whichever_way_round_it_is_found(on: On) -> None:
    runner, connection = on

    async def run() -> None:
        await _scanned(connection, 0, Pair(), Pair("XRPUSDT", "BTCUSDT", "tried", 0.4))
        assert await _events(connection) == [("confirmed", "ETHUSDT-BTCUSDT", 0, None)]
        await _scanned(connection, 5, Pair("BTCUSDT", "ETHUSDT", p_value=0.002))
        assert await _events(connection) == []
        found = await (
            await connection.execute("SELECT y, p_value, scans, missed, ended_at FROM radar_confirmations")
        ).fetchall()
        assert found == [("BTCUSDT", 0.002, 2, 0, None)]

    runner.run(run())


def test_a_pair_ends_when_scans_in_a_row_have_missed_it_not_before(on: On) -> None:
    runner, connection = on

    async def run() -> None:
        await _scanned(connection, 0, Pair())
        missed = Pair(stage="corrected", reason="p = 0.2 in the part held out")
        for minute in range(1, MOST_MISSED):
            await _scanned(connection, minute, missed)
        await _scanned(connection, 10, Pair())
        for minute in range(11, 10 + MOST_MISSED):
            await _scanned(connection, minute, missed)
        assert [kind for kind, *_ in await _events(connection)] == ["confirmed"]
        await _scanned(connection, 20, Pair(stage="tried", p_value=0.3))
        assert await _events(connection) == [
            ("ended", "ETHUSDT-BTCUSDT", 20, "p = 0.300 once the number of tries counts")
        ]
        await _scanned(connection, 25, Pair())
        assert await _events(connection) == [("confirmed", "ETHUSDT-BTCUSDT", 25, None)]

    runner.run(run())


def test_a_break_ends_it_at_once_and_one_that_is_not_tested_is_missed(on: On) -> None:
    runner, connection = on

    async def run() -> None:
        await _scanned(connection, 0, Pair(), Pair("SOLUSDT", "BTCUSDT"))
        await _events(connection)
        broken = Pair(stage="corrected", reason="its hedge ratio broke", break_ts="2026-01-01T00:00:00Z")
        await _scanned(connection, 1, broken)
        assert await _events(connection) == [("ended", "ETHUSDT-BTCUSDT", 1, "its hedge ratio broke")]
        for minute in range(2, 1 + MOST_MISSED):
            await _scanned(connection, minute)
        assert await _events(connection) == [("ended", "SOLUSDT-BTCUSDT", MOST_MISSED, "it was not tested")]

    runner.run(run())


def test_of_the_same_history_nothing_is_missed_and_the_last_scan_stays(on: On) -> None:
    runner, connection = on

    async def run() -> None:
        first = await _scanned(connection, 0, Pair())
        for _ in range(MOST_MISSED):
            last = await _scanned(connection, 0)
        assert [kind for kind, *_ in await _events(connection)] == ["confirmed"]
        assert await jobs.state(connection, first) is None
        assert await jobs.state(connection, last) == "done"

    runner.run(run())


def test_a_radar_is_due_once_in_its_time_unless_it_is_paused(on: On) -> None:
    runner, connection = on

    async def run() -> None:
        await connection.execute("UPDATE radars SET next_at = now() + interval '1 day'")
        assert await radars.put(connection, "hours", ScanRequest(interval="1h"), 60, False)
        assert await radars.put(connection, "quiet", ScanRequest(interval="5m"), 60, True)
        (due,) = await radars.due(connection)
        assert (due.radar_id, due.request) == ("hours", ScanRequest(interval="1h", radar="hours"))
        assert await radars.due(connection) == []

    runner.run(run())


def test_a_radar_that_scans_something_else_begins_anew(on: On) -> None:
    runner, connection = on

    async def run() -> None:
        await radars.put(connection, "hours", ScanRequest(interval="1h"), 60, False)
        await _scanned(connection, 0, Pair(), radar="hours")
        await radars.put(connection, "hours", ScanRequest(interval="1h"), 90, False)
        assert [kind for kind, *_ in await _events(connection)] == ["confirmed"]
        await radars.put(connection, "hours", ScanRequest(interval="5m"), 90, False)
        assert [(kind, reason) for kind, _, _, reason in await _events(connection)] == [
            ("ended", "the radar was changed")
        ]
        assert await radars.delete(connection, "hours")
        assert not await radars.delete(connection, "hours")

    runner.run(run())


def test_a_radar_without_a_history_says_so_and_leaves_no_job(on: On) -> None:
    runner, connection = on

    async def run() -> None:
        job_id, _ = await jobs.submit(connection, SCAN, ScanRequest(radar="default"), 1.0)
        job = await jobs.take(connection, "one")
        assert job is not None
        await radars.unfit(connection, "default", job, "too few bars")
        assert await jobs.state(connection, job_id) is None
        found = await connection.execute("SELECT state, reason FROM radars WHERE radar_id = 'default'")
        assert await found.fetchone() == ("unfit", "too few bars")

    runner.run(run())


def test_there_are_no_more_radars_than_are_meant_to_be(on: On) -> None:
    runner, connection = on

    async def run() -> None:
        for number in range(1, MOST_RADARS):
            assert await radars.put(connection, f"radar-{number}", ScanRequest(), 60, False)
        assert not await radars.put(connection, "another", ScanRequest(), 60, False)
        assert await radars.put(connection, "radar-1", ScanRequest(bars=100), 60, False)

    runner.run(run())
