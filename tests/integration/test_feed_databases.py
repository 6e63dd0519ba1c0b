"""Database of the synthetic market: one for each seed, whatever is collected, also one of the version before."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from services.local import run_directory
from services.local.embedded_database import EmbeddedDatabase
from tests.pipeline import Pipeline, pipeline

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

FORMER = {"synthetic_a": "A", "synthetic_b": "B", "synthetic_c": "C"}


def test_a_database_of_the_version_before_is_renamed_once_and_said(data_dir: Path) -> None:
    heard: list[str] = []

    def said() -> list[str]:
        return [line for line in heard if "version before" in line]

    with run_directory.made() as sockets:
        server = EmbeddedDatabase(data_dir / "postgresql", sockets, lambda _, line: heard.append(line))

        async def run() -> None:
            server.child.start()
            try:
                await server.create("synthetic_b")
                url = await server.create("synthetic_c")
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 100000) AS number")
                url = await server.create("synthetic_7", FORMER)
                with psycopg.connect(url) as connection:
                    assert connection.execute("SELECT count(*) FROM kept").fetchone() == (100_000,)
                assert said() == [
                    "synthetic_c, made by the version before for C, is now called synthetic_7",
                    "synthetic_b, made by the version before for B, stays and is not shown",
                ]
                # Once there is one, the others are left alone.
                assert await server.create("synthetic_7", FORMER) == url
                await server.create("synthetic_8", {"synthetic_a": "A"})
                assert len(said()) == 2
                # That of the same settings is taken before a larger one.
                await server.create("synthetic_c")
                await server.create(
                    "synthetic_9", {"synthetic_b": "B", "synthetic_c": "C", "synthetic_7": "7"}
                )
                assert said()[2] == "synthetic_b, made by the version before for B, is now called synthetic_9"
            finally:
                await server.child.stop(5)

        asyncio.run(run())


def _ids(running: Pipeline) -> list[tuple[str, int, int]]:
    return running.rows(
        "SELECT symbol, count(*), max(trade_id) - min(trade_id) + 1 FROM ticks GROUP BY symbol ORDER BY symbol"
    )


@pytest.mark.long
def test_one_symbol_more_and_another_rate_open_the_same_database_and_double_nothing(data_dir: Path) -> None:
    short = {"PAIRSTREAM_HISTORY_S": "120"}
    with pipeline(data_dir, "--feed", "synthetic", environ=short) as running:
        running.wait_until(lambda: running.count("ticks") > 2_500, "the history")
        first, database = _ids(running), running.database.partition("?")[0]
    three = ("--symbols", "BTCUSDT,ETHUSDT,SOLUSDT")
    with pipeline(data_dir, "--feed", "synthetic", *three, environ=short) as running:
        assert running.database.partition("?")[0] == database
        running.wait_until(lambda: running.services()["ingest"]["filling"] is None, "all of the past")
        running.wait_until(lambda: len(_ids(running)) == 3, "the third symbol")
        assert not running.said("another tape is stored")
        assert min(count for _, count, _ in _ids(running)[:2]) >= min(count for _, count, _ in first)
    with pipeline(data_dir, "--feed", "synthetic", environ={**short, "PAIRSTREAM_RATE": "50"}) as running:
        assert running.said("another tape is stored, and is continued")
        running.wait_until(lambda: running.services()["ingest"]["filling"] is None, "all of the past")
        symbols = {row["symbol"]: row for row in running.get("/v1/symbols")["data"]}
        assert set(symbols) == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
        running.wait_until(
            lambda: all(symbol["tick_rate"] > 20 for symbol in running.get("/v1/symbols")["data"][:2]),
            "a minute at the new rate",
            within_s=130,
        )
        assert all(count == width for _, count, width in _ids(running))
