"""The page over the whole pipeline: a recording replayed by ``pairstream up``, seen in a real Chromium."""

from pathlib import Path

import pytest

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import until
from tests.pipeline import RECORDING, pipeline

pytestmark = pytest.mark.timeout(180)


def test_a_replayed_recording_is_drawn_and_moves(data_dir: Path, open_page: OpenPage) -> None:
    with pipeline(data_dir, "--feed", "replay", "--replay-file", RECORDING) as running:
        # A chart is given the bars there are; those that follow come one by one and are not counted.
        bars = "/v1/bars?symbol=ETHUSDT&interval=1s"
        running.wait_until(lambda: len(running.get(bars)["data"]) > 5, "more than five bars")
        dashboard = open_page(running.dashboard, "?interval=1s")
        until(lambda: dashboard.text("feed-badge") == "REPLAY")
        until(lambda: dashboard.bars() > 5, 30)
        until(lambda: dashboard.colors_drawn("chart-candles") > 10, 10)
        dashboard.changes("metric-y", times=2, seconds=20)
        # Until there are enough samples the page says how many there are, then a number.
        until(lambda: "/ 30" in dashboard.text("metric-zscore"), 20)
        dashboard.changes("metric-zscore", times=2, seconds=20)
