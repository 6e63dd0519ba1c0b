"""TimescaleDB store: late ticks show at once, bars outlive their ticks, and writers do not wait."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from services.common import clock
from services.common.clock import HOUR, SECOND, from_datetime
from services.common.errors import FatalError, TransientError
from services.common.settings import DatabaseSettings
from services.store import database, schema
from services.store.bars import timescale
from services.store.bars.timescale import LEVELS, TimeSpan
from tests.contract.servers import insert, refresh, spans
from tests.contract.store import START_US, WIDTHS, assert_bars, select, tick
from tests.fix_database import created, empty

OLD = [tick(n, START_US + n * 10 * SECOND) for n in range(2000)]
LATE = [tick(5000, START_US + 777_000_000, price=1.0), tick(5001, START_US + 5 * HOUR, price=999.0)]
WATERMARKS = """
SELECT _timescaledb_functions.cagg_watermark(hypertable.id)
FROM timescaledb_information.continuous_aggregates JOIN _timescaledb_catalog.hypertable
  ON table_name = materialization_hypertable_name
ORDER BY hypertable.id
"""


@pytest.fixture(scope="module")
def module_url(timescale_server: str) -> Iterator[str]:
    with created(timescale_server, "template0") as url:
        schema.upgrade(url)
        yield url


@pytest.fixture
def timescale_url(module_url: str) -> str:
    """Return the URL of a store in which everything is aggregated, because nothing in it is of today."""
    empty(module_url)
    insert(module_url, OLD)
    catch_up(module_url)
    return module_url


def catch_up(url: str) -> None:
    async def run() -> None:
        async with database.connect(DatabaseSettings(database_url=url), "test") as connection:
            await timescale.catch_up(connection)

    asyncio.run(run())


def watermarks(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [us for (us,) in connection.execute(WATERMARKS).fetchall()]


def test_late_ticks_show_at_every_level_once_they_are_refreshed(timescale_url: str) -> None:
    before = [select(timescale_url, table) for table in WIDTHS]
    insert(timescale_url, LATE)
    assert [select(timescale_url, table) for table in WIDTHS] == before
    asyncio.run(refresh(timescale_url, spans(LATE)))
    assert_bars(timescale_url, OLD + LATE)


def test_what_a_writer_left_when_it_died_is_caught_up(timescale_url: str) -> None:
    insert(timescale_url, LATE)
    catch_up(timescale_url)
    assert_bars(timescale_url, OLD + LATE)


def test_newest_ticks_show_without_a_refresh(timescale_url: str) -> None:
    newest = [tick(9000 + n, clock.now_us() - n * SECOND) for n in range(3)]
    insert(timescale_url, newest)
    assert_bars(timescale_url, OLD + newest)


def test_a_replay_of_old_days_is_aggregated_as_it_goes(module_url: str) -> None:
    empty(module_url)
    assert max(watermarks(module_url)) < 0
    days = [tick(n, START_US + n * 60 * SECOND) for n in range(5 * 1440)]
    for first in range(0, len(days), 600):
        insert(module_url, days[first : first + 600])
        asyncio.run(refresh(module_url, spans(days[first : first + 600])))
    for level, watermark in zip(LEVELS, watermarks(module_url), strict=True):
        assert 0 <= days[-1].event_us - watermark < 61 * level.width_us + level.tail_us, level.name
    assert_bars(module_url, days)


def test_an_unaggregated_future_does_not_make_the_present_late(timescale_url: str) -> None:
    before = watermarks(timescale_url)
    wrong_clock = [tick(1, clock.now_us() + 400 * 24 * HOUR)]
    insert(timescale_url, wrong_clock)
    asyncio.run(refresh(timescale_url, spans(wrong_clock)))
    assert max(watermarks(timescale_url)) <= clock.now_us()
    assert watermarks(timescale_url) >= before


def test_writers_that_refresh_at_once_leave_nothing_out(timescale_url: str) -> None:
    late = [[tick(10_000 + 10 * n + k, START_US + k * 61 * SECOND) for k in range(6)] for n in range(8)]

    async def write(batch: int) -> None:
        await asyncio.to_thread(insert, timescale_url, late[batch])
        await refresh(timescale_url, spans(late[batch]))

    async def all_at_once() -> None:
        await asyncio.gather(*(write(batch) for batch in range(len(late))))

    asyncio.run(all_at_once())
    assert_bars(timescale_url, [*OLD, *(one for batch in late for one in batch)])


def test_what_another_holds_is_handed_back_and_done_later(
    timescale_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timescale, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(timescale, "_LONG_PATIENCE_S", 0.05)
    insert(timescale_url, LATE)

    async def run() -> list[TimeSpan]:
        async with database.connect(DatabaseSettings(database_url=timescale_url), "test") as connection:
            with pytest.raises(TransientError, match="ohlc_1s"):
                await timescale.catch_up(connection)
            return await timescale.refresh(connection, spans(LATE))

    with psycopg.connect(timescale_url) as other:
        # What a refresh writes while it runs, over all of time.
        with psycopg.connect(timescale_url, autocommit=True) as admin:
            admin.execute(
                "INSERT INTO _timescaledb_catalog.continuous_aggs_jobs_refresh_ranges"
                " SELECT mat_hypertable_id, -210866803200000000, 9223371331200000000, %s, 0, now()"
                " FROM _timescaledb_catalog.continuous_agg",
                [other.info.backend_pid],
            )
        left = asyncio.run(run())
        assert left
    asyncio.run(refresh(timescale_url, left))
    assert_bars(timescale_url, OLD + LATE)


def test_bars_outlive_the_ticks_they_were_made_of(timescale_url: str) -> None:
    before = [select(timescale_url, table) for table in WIDTHS]
    with psycopg.connect(timescale_url, autocommit=True) as connection:
        connection.execute("SELECT drop_chunks('ticks', now())")
    # Later than all that is kept, in a chunk that was dropped.
    late = [tick(1, START_US + 6 * HOUR)]
    insert(timescale_url, late)
    asyncio.run(refresh(timescale_url, spans(late)))
    catch_up(timescale_url)
    after = [select(timescale_url, table) for table in WIDTHS]
    for old, new in zip(before, after, strict=True):
        assert set(new) >= {row for row in old if from_datetime(row[1]) < START_US}


def test_an_aggregate_that_is_not_there_is_named(timescale_url: str) -> None:
    with psycopg.connect(timescale_url, autocommit=True) as admin:
        admin.execute("ALTER MATERIALIZED VIEW ohlc_5m RENAME TO moved")
        try:
            with pytest.raises(FatalError, match="aggregate ohlc_5m, received none"):
                asyncio.run(refresh(timescale_url, spans(LATE)))
        finally:
            admin.execute("ALTER MATERIALIZED VIEW moved RENAME TO ohlc_5m")
