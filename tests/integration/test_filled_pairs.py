"""A new pair of a running pipeline is filled from what is stored, also if its worker is killed meanwhile."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from msgspec import structs

from services.common.clock import SECOND, from_datetime
from services.contracts.messages import Signal
from services.contracts.pair_messages import DEFAULTS as CONFIG
from tests.analytics import final_signals, outcomes
from tests.builders import tick
from tests.pipeline import Pipeline, pipeline

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

FIRST, ADDED = "ETHUSDT-BTCUSDT", "SOLUSDT-BTCUSDT"
MARKET = ["--feed", "synthetic", "--symbols", "BTCUSDT,ETHUSDT,SOLUSDT", "--pairs", FIRST]
NUMBERS = ("hedge_ratio", "intercept", "spread", "zscore", "price_correlation", "zscore_rank", "r_squared")
# Loaded machines are slow; on a quiet one it takes less than 3 s.
FIRST_SIGNAL_S = 15


def stored(running: Pipeline, pair: str) -> list[dict[str, Any]]:
    rows = running.get(f"/v1/pairs/{pair}/signals?limit=10000")["data"]
    return sorted(rows, key=lambda row: row["event_us"])


def expected(running: Pipeline, pair: str, window: int) -> dict[int, Signal]:
    """Return what a pair says that was there from the first stored tick on."""
    legs = pair.split("-")
    rows = running.rows("SELECT symbol, trade_id, ts, price FROM ticks ORDER BY ts, trade_id")
    ticks = [
        tick(venue="synthetic", symbol=symbol, trade_id=number, event_us=from_datetime(at), price=price)
        for symbol, number, at, price in rows
        if symbol in legs
    ]
    config = structs.replace(CONFIG, pair=pair, window=window)
    return {one.event_us: one for one in final_signals(outcomes(ticks, config, ends=False))}


def analytics(running: Pipeline) -> psutil.Process:
    children = psutil.Process(running.process.pid).children(recursive=True)
    return next(one for one in children if "services.stream_analytics" in " ".join(one.cmdline()))


def agrees(running: Pipeline, pair: str, window: int) -> None:
    """Compare all signals with those of a pair that was there all along, to 1e-9."""
    found, known = stored(running, pair), expected(running, pair, window)
    times = [row["event_us"] for row in found]
    assert times == list(range(times[0], times[-1] + SECOND, SECOND))
    compared = [row for row in found if row["event_us"] in known]
    assert len(compared) > 5
    for row in compared:
        other = known[row["event_us"]]
        assert row["samples"] == other.samples == window
        for name in NUMBERS:
            assert row[name] == pytest.approx(getattr(other, name), rel=1e-9, abs=1e-12), name


def add(running: Pipeline, pair: str, **change: Any) -> None:
    httpx.put(f"{running.api}/v1/pairs/{pair}", json=change).raise_for_status()


def test_a_new_pair_a_new_window_and_one_whose_worker_is_killed_are_filled(data_dir: Path) -> None:
    with pipeline(data_dir, *MARKET) as running:
        began_s = time.monotonic()
        add(running, ADDED)
        running.wait_until(lambda: bool(stored(running, ADDED)), "a first signal", FIRST_SIGNAL_S)
        took_s = time.monotonic() - began_s
        first = stored(running, ADDED)[0]
        assert (first["quality"], first["samples"]) == ("ok", 300), took_s
        assert first["filled"].startswith("ticks 20")
        running.wait_until(lambda: len(stored(running, ADDED)) > 10, "more of them")
        agrees(running, ADDED, 300)

        add(running, "SOLUSDT-ETHUSDT", window=120)
        os.kill(analytics(running).pid, signal.SIGKILL)
        running.wait_until(
            lambda: len(stored(running, "SOLUSDT-ETHUSDT")) > 10, "signals after the kill", within_s=60
        )
        agrees(running, "SOLUSDT-ETHUSDT", 120)
        agrees(running, ADDED, 300)
