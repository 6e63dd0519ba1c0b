"""Pairs of a user through the whole pipeline: watched at once, paused, removed, restored after a restart."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.common.codec import decode
from services.common.settings import DatabaseSettings, load
from services.contracts.messages import PairConfig
from services.local.pairs import restore
from services.store import database, pairs
from services.stream_analytics.settings import StreamSettings
from tests.broker import read_all
from tests.pipeline import Pipeline, pipeline

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

FIRST, ADDED, LATER = "ETHUSDT-BTCUSDT", "SOLUSDT-BTCUSDT", "SOLUSDT-ETHUSDT"
MARKET = ["--feed", "synthetic", "--symbols", "BTCUSDT,ETHUSDT,SOLUSDT", "--speed", "20", "--pairs", FIRST]


def send(running: Pipeline, verb: str, pair: str, **change: Any) -> int:
    return httpx.request(verb, f"{running.api}/v1/pairs/{pair}", json=change or None).status_code


def signals(running: Pipeline, pair: str) -> list[dict[str, Any]]:
    return list(running.get(f"/v1/pairs/{pair}/signals")["data"])


def stored(running: Pipeline, pair: str) -> int:
    counts = running.rows("SELECT pair, count(*) FROM signals GROUP BY pair")
    return int(dict(counts).get(pair, 0))


def seconds_behind(running: Pipeline, pair: str) -> float:
    """Return by how many seconds of the market a pair's newest signal is older than that of any."""
    newest = "SELECT extract(epoch FROM max(ts)) FROM signals"
    ((any_s,), (own_s,)) = running.rows(f"{newest} UNION ALL {newest} WHERE pair = '{pair}'")
    return float(any_s - own_s)


def test_a_pair_is_watched_from_the_moment_it_is_added_until_it_is_removed(data_dir: Path) -> None:
    with pipeline(data_dir, *MARKET) as running:
        assert send(running, "PUT", ADDED, window=20, method="tls", transform="log") == 201
        running.wait_until(
            lambda: any(one["quality"] == "ok" for one in signals(running, ADDED)), "signals of the new pair"
        )
        newest = signals(running, ADDED)[-1]
        assert (newest["window"], newest["method"]) == (20, "tls")

        assert send(running, "PATCH", ADDED, paused=True) == 200
        # What was under way when it was paused still comes, and no second that came after.
        running.wait_until(lambda: seconds_behind(running, ADDED) > 100, "signals of the other pair only")
        paused, first = stored(running, ADDED), stored(running, FIRST)
        running.wait_until(lambda: stored(running, FIRST) > first + 60, "more of them")
        assert stored(running, ADDED) == paused

        assert send(running, "DELETE", FIRST) == 204
        running.wait_until(
            lambda: running.rows("SELECT pair, paused FROM pairs") == [(ADDED, True)], "the table follows"
        )
    # The broker remembers nothing, the store does; what was removed stays so, whatever the command says.
    with pipeline(data_dir, *MARKET) as running:
        (pair,) = running.get("/v1/pairs")["data"]
        assert (pair["pair"], pair["paused"], pair["window"], pair["transform"]) == (ADDED, True, 20, "log")
        assert running.said(f"{FIRST} was removed and stays so: PUT /v1/pairs/{FIRST} brings it back")


def restored(
    broker: str, url: str, variables: Mapping[str, str], *rounds: list[str]
) -> dict[str, PairConfig | None]:
    """Return what the topic says after a start with `variables`; in the store pairs came and went in these rounds."""

    async def run() -> dict[str, PairConfig | None]:
        store = DatabaseSettings(database_url=url)
        async with database.connect(store, "test") as connection:
            for names in rounds:
                await pairs.mirror(connection, {name: PairConfig(pair=name) for name in names})
        await restore(load(StreamSettings, {"PAIRSTREAM_BROKERS": broker, **variables}), store)
        return {
            record.key.decode(): None if record.value is None else decode(record.value, PairConfig)
            for record in await read_all(broker, "pairs")
        }

    return asyncio.run(run())


THREE = {"PAIRSTREAM_SYMBOLS": "BTCUSDT,ETHUSDT,SOLUSDT"}


def test_at_the_very_first_start_nothing_is_restored(broker: str, database_url: str) -> None:
    assert restored(broker, database_url, {}) == {}


def test_pairs_that_are_named_for_the_first_time_are_added(broker: str, database_url: str) -> None:
    named = {**THREE, "PAIRSTREAM_PAIRS": f"{FIRST},{LATER},{ADDED}", "PAIRSTREAM_ENTRY_Z": "3"}
    assert restored(broker, database_url, named, [FIRST, ADDED], [ADDED]) == {
        FIRST: None,
        ADDED: PairConfig(pair=ADDED),
        LATER: PairConfig(pair=LATER, entry_z=3.0),
    }


def test_the_default_brings_nothing_back(broker: str, database_url: str) -> None:
    assert restored(broker, database_url, THREE, [ADDED]) == {ADDED: PairConfig(pair=ADDED)}


def test_where_no_pair_is_left_the_topic_is_not_taken_for_a_new_one(broker: str, database_url: str) -> None:
    assert restored(broker, database_url, {}, [FIRST], []) == {FIRST: None}


def test_a_pair_without_its_symbols_is_kept_and_said(
    broker: str, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert restored(broker, database_url, {}, [ADDED]) == {ADDED: PairConfig(pair=ADDED)}
    assert f"{ADDED} is watched, but SOLUSDT is not ingested" in "".join(capsys.readouterr())
