"""The dashboard over the whole pipeline: a recording replayed by ``pairstream up``, seen in a real Chromium."""

import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from playwright.sync_api import expect

from services.contracts.topics import ALERTS
from services.ui.pages import PAGES
from tests.e2e.conftest import OpenPage
from tests.e2e.replayed import LOAD_S, OTHER_PAIR, PAIR, alert
from tests.e2e.stage import Dashboard, until
from tests.pipeline import Pipeline
from tests.stream_client import publish

pytestmark = pytest.mark.timeout(240)

# How long a chart that somebody looks at must not move; `make soak` waits longer.
HELD_S = float(os.environ.get("PAIRSTREAM_TEST_HELD_S", "8"))
# Pages that show the same over the fake API.
SAME_ANYWHERE = ("upload", "programs")


def shows_data(dashboard: Dashboard, page: str) -> bool:
    """Tell whether a page shows what only the pipeline can have told it."""
    text = dashboard.page.locator(f"#page-{page}").inner_text()
    match page:
        case "market":
            return dashboard.bars() > 5 and dashboard.colors_drawn("chart-candles") > 10
        case "pairs":
            return re.search("[0-9]", dashboard.text("metric-zscore")) is not None
        case "alerts":
            return "seen on every page" in text
        case "health":
            return all(name in text for name in ("broker", "database", "running"))
        case _:
            return bool(text.strip())


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(page.name, marks=[pytest.mark.long] if page.name in SAME_ANYWHERE else [])
        for page in PAGES
    ],
)
def test_every_page_shows_its_data(name: str, running: Pipeline, open_page: OpenPage) -> None:
    publish(running.brokers, ALERTS, alert("seen on every page"))
    path = next(page.path for page in PAGES if page.name == name).removeprefix("/")
    dashboard = open_page(running.dashboard, path + ("?interval=1s" if name == "market" else ""))
    until(lambda: dashboard.text("feed-badge") == "REPLAY", LOAD_S)
    until(lambda: shows_data(dashboard, name), LOAD_S)
    dashboard.changes("clock", times=2, seconds=LOAD_S)
    assert dashboard.page.evaluate("() => document.documentElement.scrollWidth") == 1280


@pytest.mark.long
def test_a_chart_stays_where_it_was_put_while_data_arrives(running: Pipeline, open_page: OpenPage) -> None:
    dashboard = open_page(running.dashboard, "?symbol=BTCUSDT&interval=1s")
    until(lambda: dashboard.bars() > 5, LOAD_S)
    box = dashboard.page.locator("#chart-candles").bounding_box()
    assert box is not None
    dashboard.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    dashboard.page.mouse.wheel(0, -400)
    dashboard.page.mouse.down()
    dashboard.page.mouse.move(box["x"] + box["width"] / 2 + 150, box["y"] + box["height"] / 2, steps=5)
    dashboard.page.mouse.up()
    dashboard.page.mouse.move(0, 0)

    def seen() -> Any:
        return dashboard.props("chart-candles")["visibleRange"]

    def newest() -> int:
        return int(dashboard.props("chart-candles")["tick"][-1]["bar"]["time"])

    def rests() -> bool:
        before = seen()
        dashboard.page.wait_for_timeout(600)
        return bool(before == seen())

    until(rests, LOAD_S)
    where, first, began = seen(), newest(), time.monotonic()
    while time.monotonic() < began + HELD_S or newest() < first + 3:
        assert seen() == where
        dashboard.page.wait_for_timeout(200)
        assert time.monotonic() < began + HELD_S + LOAD_S, "no new bars"


@pytest.mark.long
def test_an_alert_of_the_topic_is_called_out_within_a_second(running: Pipeline, open_page: OpenPage) -> None:
    dashboard = open_page(running.dashboard)
    dashboard.changes("clock", times=2, seconds=LOAD_S)
    taken = []
    for message in ("the first alert", "the second alert", "the third alert"):
        publish(running.brokers, ALERTS, alert(message))
        began = time.monotonic()
        toast = dashboard.page.locator(".mantine-Notification-root", has_text=message)
        expect(toast).to_be_visible(timeout=1000 * LOAD_S)
        taken.append(time.monotonic() - began)
    assert min(taken) < 1  # each of them, unless the machine is busy with something else


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("?interval=1s", "candles-csv"),
        pytest.param(f"pairs?pair={PAIR}", "pair-csv", marks=pytest.mark.long),
        pytest.param("alerts", "alerts-csv", marks=pytest.mark.long),
    ],
)
def test_a_download_is_what_the_api_says(
    path: str, link: str, running: Pipeline, open_page: OpenPage
) -> None:
    publish(running.brokers, ALERTS, alert("to be saved"))
    dashboard = open_page(running.dashboard, path)
    saved = dashboard.page.locator(f"#{link}")
    until(lambda: "/v1/" in (saved.get_attribute("href") or ""), LOAD_S)
    dashboard.changes("clock", times=2, seconds=LOAD_S)

    href = str(saved.get_attribute("href")).removeprefix("/download")
    before = httpx.get(running.api + href).raise_for_status().text.splitlines()
    with dashboard.page.expect_download() as started:
        saved.click()
    got = Path(started.value.path()).read_text(encoding="utf-8").splitlines()
    after = httpx.get(running.api + href).raise_for_status().text.splitlines()
    # What did not change meanwhile is in it, and nothing that was neither there before nor afterwards.
    assert got[0] == before[0]
    assert len(set(before) & set(after)) > 1
    assert set(before) & set(after) <= set(got)


@pytest.mark.long
def test_tabs_of_one_browser_each_show_their_own(running: Pipeline, open_page: OpenPage) -> None:
    first = open_page(running.dashboard, f"pairs?pair={PAIR}")
    others = []
    for path in (f"pairs?pair={OTHER_PAIR}", "?symbol=SOLUSDT&interval=1s"):
        other = Dashboard(first.page.context.new_page(), first.problems, first.foreign)
        other.watch(running.dashboard)
        other.page.goto(f"{running.dashboard}/{path}")
        others.append(other)
    second, market = others
    for dashboard, pair in ((first, PAIR), (second, OTHER_PAIR)):
        until(lambda dashboard=dashboard, pair=pair: pair in dashboard.page.title(), LOAD_S)  # type: ignore[misc]
    until(lambda: "SOLUSDT" in market.page.title(), LOAD_S)
    for dashboard in (first, second, market):
        dashboard.changes("clock", times=2, seconds=LOAD_S)


@pytest.mark.long
def test_a_killed_dashboard_comes_back_under_an_open_page(running: Pipeline, open_page: OpenPage) -> None:
    dashboard = open_page(running.dashboard, "?interval=1s", problems=True)
    until(lambda: dashboard.bars() > 5, LOAD_S)
    killed = running.pid_of("ui")
    os.kill(killed, signal.SIGKILL)

    def is_another() -> bool:
        with suppress(AssertionError, psutil.Error):
            return running.pid_of("ui") != killed
        return False

    # It may be back before the page has missed it.
    running.wait_until(is_another, "another dashboard")
    dashboard.changes("clock", times=2, seconds=LOAD_S)
    expect(dashboard.page.locator("#offline")).to_be_empty(timeout=1000 * LOAD_S)
    assert dashboard.bars() > 5
