"""An alert of a pair that is removed, paused or measured another way ends, once, whatever is killed."""

import os
import signal
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.pipeline import Pipeline, pipeline

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

PAIR, OTHER = "ETHUSDT-BTCUSDT", "SOLUSDT-BTCUSDT"
MARKET = ["--feed", "synthetic", "--symbols", "BTCUSDT,ETHUSDT,SOLUSDT", "--pairs", OTHER]
# It fires nearly always.
EAGER = {"entry_z": 0.02, "exit_z": 0.0, "window": 60}


def send(running: Pipeline, verb: str, change: dict[str, Any] | None = None) -> None:
    httpx.request(verb, f"{running.api}/v1/pairs/{PAIR}", json=change).raise_for_status()


def last(running: Pipeline) -> dict[str, Any]:
    alerts = running.get(f"/v1/alerts?pair={PAIR}&limit=1000")["data"]
    return max(alerts, key=lambda one: (one["event_us"], one["alert_id"]), default={})


def ends(running: Pipeline) -> int:
    """Return how many ends are stored."""
    return len(running.rows("SELECT alert_id FROM alerts WHERE state = 'ended'"))


def ended(running: Pipeline, count: int, words: str) -> None:
    """Wait for one more end, in the database and at the API, and see that nothing fires any more."""
    running.wait_until(lambda: last(running).get("state") == "ended", "the alert ends", within_s=60)
    assert last(running)["message"].endswith(words)
    assert ends(running) == count


def fires(running: Pipeline) -> None:
    running.wait_until(lambda: last(running).get("state") == "firing", "an alert that fires", within_s=60)


def test_the_alert_of_a_pair_that_is_measured_no_longer_ends_once(data_dir: Path) -> None:
    with pipeline(data_dir, *MARKET) as running:
        send(running, "PUT", EAGER)
        fires(running)
        send(running, "PATCH", {"paused": True})
        ended(running, 1, "the pair is paused")
        send(running, "PATCH", {"paused": False})
        fires(running)
        send(running, "PATCH", {"window": 120})
        running.wait_until(lambda: ends(running) == 2, "another end")
        fires(running)
        children = psutil.Process(running.process.pid).children(recursive=True)
        worker = next(one for one in children if "services.stream_analytics" in " ".join(one.cmdline()))
        os.kill(worker.pid, signal.SIGKILL)
        send(running, "DELETE")
        ended(running, 3, "the pair was removed")
