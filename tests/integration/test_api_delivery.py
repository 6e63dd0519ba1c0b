"""Delivery lag of each leg, from the recording that ingest replays to the API and to Prometheus."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.api_process import running_api
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

T0_MS = 1_750_000_000_000
LAGS_MS = {"BTCUSDT": 80, "ETHUSDT": 5_100}


def recording() -> Iterator[str]:
    """Yield frames, ten trades a second of each symbol, in the order of their receipt: one leg is 5.1 s late."""
    frames = []
    for number in range(300):
        for symbol, lag_ms in LAGS_MS.items():
            event_ms = T0_MS + 100 * number
            trade = {"e": "aggTrade", "E": event_ms, "s": symbol, "a": number, "p": "100.5", "q": "1"}
            trade |= {"T": event_ms, "m": True}
            frames.append((event_ms + lag_ms, {"stream": f"{symbol.lower()}@aggTrade", "data": trade}))
    for received_ms, frame in sorted(frames, key=lambda one: one[0]):
        yield f"{received_ms / 1000:.6f}: {json.dumps(frame)}\n"


def test_a_leg_that_is_delivered_late_is_told(broker: str, tmp_path: Path) -> None:
    file, port = tmp_path / "frames.txt", free_port()
    file.write_text("".join(recording()))
    environment = {
        **os.environ,
        "PAIRSTREAM_BROKERS": broker,
        "PAIRSTREAM_FEED": "replay",
        "PAIRSTREAM_REPLAY_FILE": str(file),
        "PAIRSTREAM_SPEED": "max",
        "PAIRSTREAM_SYMBOLS": ",".join(LAGS_MS),
        "PAIRSTREAM_METRICS_PORT": str(port),
    }
    nowhere = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    with running_api(broker, nowhere, ready=False) as api:
        before = api.get("/v1/status").json()["symbols"]
        assert {one["delivery_now_ms"] for one in before} == {None}
        process = subprocess.Popen([sys.executable, "-m", "services.ingest"], env=environment)
        try:
            api.wait_for(
                "/v1/status",
                lambda response: all(
                    one["delivery_now_ms"] == LAGS_MS[one["symbol"]] for one in response.json()["symbols"]
                ),
                within_s=60,
            )
            for one in api.get("/v1/status").json()["symbols"]:
                lag_ms = LAGS_MS[one["symbol"]]
                assert one["delivery_p50_ms"] == pytest.approx(lag_ms, rel=0.004)
                assert one["delivery_p99_ms"] == pytest.approx(lag_ms, rel=0.004)

            def told() -> list[str]:
                with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                    lines: list[str] = answer.read().decode().splitlines()
                return [line for line in lines if line.startswith("pairstream_delivery_lag_seconds{")]

            wait_until(lambda: len(told()) == 4, "Prometheus is told")
            assert 'pairstream_delivery_lag_seconds{quantile="0.99",symbol="BTCUSDT"} 0.08' in told()
        finally:
            process.terminate()
            process.wait(30)
