"""Pipeline on disorderly tapes: the final numbers are the same at every speed, and through kill -9."""

import os
import random
import signal
from pathlib import Path

import pytest

from services.common.codec import encode
from services.contracts.messages import PairConfig
from tests.analytics import final_signals, outcomes, walk
from tests.disorder import KINDS, arrivals, disordered
from tests.pipeline import pipeline

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(200)]

START_US = 1_767_225_600_000_000
PAIR = PairConfig(pair="ETHUSDT-BTCUSDT", window=30, entry_z=1.5)
_COLUMNS = "y_price, x_price, hedge_ratio, intercept, spread, zscore, correlation"
_SIGNALS = (
    "SELECT (extract(epoch FROM ts) * 1000000)::bigint, quality, reason, late, {} FROM signals ORDER BY ts"
)


# What a worker ends with the unit tests say of each kind, and of several workers and a kill
# tests/integration/test_workers.py.
@pytest.mark.parametrize(
    ("kind", "speed"),
    [
        pytest.param(kind, speed, id=f"{kind}, speed {speed}")
        for kind in KINDS
        for speed in ("max", "20", "1")
    ],
)
def test_neither_speed_nor_a_kill_changes_what_a_disorderly_tape_ends_with(
    tmp_path: Path, kind: str, speed: str
) -> None:
    tmp_path.chmod(0o755)
    orderly = walk(
        {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0, "SOLUSDT": 150.0}, 25, START_US, 100, random.Random(9)
    )
    recording = tmp_path / "ticks.ndjson"
    recording.write_bytes(b"".join(encode(tick) + b"\n" for tick in disordered(orderly, kind)))
    said = outcomes(arrivals(orderly, kind), PAIR)
    expected = [
        (
            one.event_us,
            one.quality,
            one.reason,
            one.late,
            *(getattr(one, name) for name in _COLUMNS.split(", ")),
        )
        for one in final_signals(said)
    ]
    flags = ("--feed", "replay", "--replay-file", recording, "--speed", speed, "--pairs", PAIR.pair)
    environ = {
        "PAIRSTREAM_SYMBOLS": "BTCUSDT,ETHUSDT,SOLUSDT",
        "PAIRSTREAM_WINDOW": str(PAIR.window),
        "PAIRSTREAM_ENTRY_Z": str(PAIR.entry_z),
    }
    with pipeline(tmp_path / "data", *flags, environ=environ) as running:
        running.wait_until(lambda: running.count("signals") > 20, "some signals", within_s=60)
        os.kill(running.pid_of("stream_analytics"), signal.SIGKILL)
        query = _SIGNALS.format(_COLUMNS)
        running.wait_until(lambda: running.rows(query) == expected, "what one worker says", within_s=150)
        alerts = {str(row[0]) for row in running.rows("SELECT alert_id FROM alerts")}
        assert alerts == {alert.alert_id for outcome in said for alert in outcome.alerts}
