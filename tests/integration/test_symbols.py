"""Symbols of a user through the whole pipeline: added with a pair, measured, restored after a restart, removed."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.pipeline import Pipeline, pipeline

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

ADDED, PAIR = "SOLUSDT", "SOLUSDT-BTCUSDT"
MARKET = ["--feed", "synthetic", "--symbols", "BTCUSDT,ETHUSDT"]


def send(running: Pipeline, verb: str, path: str) -> httpx.Response:
    return httpx.request(verb, f"{running.api}{path}", timeout=30)


def state(running: Pipeline, symbol: str) -> Any:
    rows = running.get(f"/v1/symbols?listed=true&search={symbol}&limit=1")["data"]
    return rows[0]["state"] if rows else None


def test_a_pair_of_a_symbol_that_nobody_named_is_measured_at_once_and_after_a_restart(data_dir: Path) -> None:
    with pipeline(data_dir, *MARKET) as running:
        assert send(running, "PUT", f"/v1/pairs/{PAIR}").status_code == 201
        running.wait_until(lambda: state(running, ADDED) == "live", "the symbol to be live")
        running.wait_until(
            lambda: any(one["quality"] == "ok" for one in running.get(f"/v1/pairs/{PAIR}/signals")["data"]),
            "signals of its pair",
        )
        ids = [row["trade_id"] for row in running.get(f"/v1/ticks?symbol={ADDED}&limit=10000")["data"]]
        assert ids == list(range(ids[0], ids[-1] + 1))
        running.wait_until(
            lambda: running.rows("SELECT symbol, collected FROM symbols") == [(ADDED, True)], "the table"
        )
        assert send(running, "DELETE", f"/v1/symbols/{ADDED}").json()["pairs"] == [PAIR]
    # The broker remembers nothing, the store does.
    with pipeline(data_dir, *MARKET) as running:
        running.wait_until(lambda: state(running, ADDED) == "live", "the symbol to be live again")
        assert not running.said("is not ingested")
        assert send(running, "DELETE", f"/v1/pairs/{PAIR}").status_code == 204
        assert send(running, "DELETE", f"/v1/symbols/{ADDED}").status_code == 204
        running.wait_until(lambda: state(running, ADDED) is None, "the symbol to be left")
        assert send(running, "DELETE", "/v1/pairs/ETHUSDT-BTCUSDT").status_code == 204
        assert send(running, "DELETE", "/v1/symbols/ETHUSDT").status_code == 204
        running.wait_until(
            lambda: (
                running.rows("SELECT symbol, collected FROM symbols ORDER BY symbol")
                == [("ETHUSDT", False), (ADDED, False)]
            ),
            "the table follows",
        )
    with pipeline(data_dir, *MARKET) as running:
        assert running.said("ETHUSDT was removed and stays so: PUT /v1/symbols/ETHUSDT brings it back")
        assert (state(running, "ETHUSDT"), state(running, "BTCUSDT")) == (None, "live")
