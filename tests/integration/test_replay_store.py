"""What is stored, replayed: the same signals, in a database of its own."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.common.clock import from_datetime, to_iso
from tests.pipeline import Pipeline, pipeline

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

PAIRS = "ETHUSDT-BTCUSDT,SOLUSDT-BTCUSDT"
SYMBOLS = ["--symbols", "BTCUSDT,ETHUSDT,SOLUSDT", "--pairs", PAIRS]
MARKET = ["--feed", "synthetic", *SYMBOLS]
_SIGNALS = """
SELECT pair, ts, quality, samples, hedge_ratio, intercept, spread, zscore, correlation, zscore_rank, r_squared,
    return_correlation, lead_lag_s, cointegration_p, reversion, outliers, reason
FROM signals ORDER BY pair, ts
"""
# Of the synthetic market 15 minutes are played at the start; windows of the first five are not full.
_FIRST_S, _LAST_S = 400, 700


def signals(running: Pipeline) -> dict[tuple[str, int], tuple[Any, ...]]:
    return {(row[0], from_datetime(row[1])): row[2:] for row in running.rows(_SIGNALS)}


def same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return all(
        math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) if isinstance(a, float) and b is not None else a == b
        for a, b in zip(one, other, strict=True)
    )


def test_a_stored_range_replayed_gives_the_signals_that_were_published(data_dir: Path) -> None:
    with pipeline(data_dir, *MARKET) as running:
        running.wait_until(lambda: len(signals(running)) > 1700, "the signals of the past", within_s=60)
        before = signals(running)
        origin_us = min(at for _, at in before)
        source = running.rows("SELECT current_database()")
        ticks = running.count("ticks")
    start_us, end_us = origin_us + _FIRST_S * 1_000_000, origin_us + _LAST_S * 1_000_000
    between = f"{to_iso(start_us)}..{to_iso(end_us)}"
    with pipeline(data_dir, *SYMBOLS, "--replay-store", between, "--speed", "max") as running:
        expected = {key: row for key, row in before.items() if start_us < key[1] <= end_us}
        assert len(expected) == 2 * (_LAST_S - _FIRST_S)
        running.wait_until(lambda: signals(running).keys() >= expected.keys(), "all of them", within_s=60)
        again = signals(running)
        assert running.rows("SELECT current_database()") != source
        assert running.get("/v1/status")["feed"] == "replay"
        wrong = {key: (row, again[key]) for key, row in expected.items() if not same(row, again[key])}
        assert not wrong
        assert running.count("ticks") < ticks


def refused(data_dir: Path, between: str) -> str:
    command = [sys.executable, "-m", "services.cli", "up", "--data-dir", str(data_dir), "--api-port", "0"]
    done = subprocess.run(
        [*command, "--ui-port", "0", *SYMBOLS, "--replay-store", between],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode != 0
    assert "ready  dashboard" not in done.stdout
    return done.stdout + done.stderr


def test_a_range_of_which_nothing_is_stored_is_refused_in_one_line(data_dir: Path) -> None:
    said = refused(data_dir, "2026-01-31T12:00:00Z..2026-01-31T13:00:00Z")
    assert (
        "PAIRSTREAM_REPLAY_STORE: expected a range with ticks of BTCUSDT, ETHUSDT, SOLUSDT, received" in said
    )
    assert "no ticks at all" in said
    assert "expected START..END" in refused(data_dir, "yesterday")
