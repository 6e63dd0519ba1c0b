"""Charts of the market page that are redrawn, over the fake API."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Served, until
from tests.e2e.test_market import at_rest, point_at, scroll_to

pytestmark = pytest.mark.long


def test_a_trade_that_came_late_changes_its_bar_and_moves_nothing(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, "?interval=1s")
    until(lambda: dashboard.bars() == 500, 30)
    until(lambda: dashboard.props("chart-candles").get("visibleRange"), 30)
    scroll_to(dashboard, 200, 400)

    def candles() -> dict[int, Any]:
        return {one["time"]: one for one in dashboard.props("chart-candles")["series"][0]["data"]}

    seen = at_rest(dashboard)
    time, before = list(candles().items())[300]
    dashboard.page.evaluate(
        "() => { window.given = window.dash_component_api.getLayout('chart-candles').props.series[0].data; }"
    )
    fake_api.post("/fake/set", late_us=time * 1_000_000)
    until(lambda: candles()[time]["high"] > before["high"], 30)
    assert at_rest(dashboard) == seen
    # What was given before is not kept, though there may be components that still know of it.
    until(lambda: dashboard.page.evaluate("() => window.given.length") == 0)


def test_bars_that_lack_trades_are_shaded_and_the_cursor_names_them(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, "?symbol=SOLUSDT")

    def shaded() -> list[dict[str, Any]]:
        series = {one["id"]: one for one in dashboard.props("chart-candles").get("series", [])}
        data: list[dict[str, Any]] = series.get("shade|SOLUSDT|1m", {"data": []})["data"]
        return data

    until(lambda: len(shaded()) >= 2)
    at_rest(dashboard)
    point_at(dashboard, shaded()[0]["time"])
    expect(dashboard.page.locator("#legend-hover")).to_contain_text("17 trades of SOLUSDT missing")
    # The page has them in other words now; they stay when the chart is drawn again, and again.
    words = shaded()[0]["customValues"]
    dashboard.page.locator("#zone-select").fill("Tokyo")
    dashboard.page.get_by_role("option", name="Asia/Tokyo").click()
    until(lambda: shaded()[0]["customValues"] != words)
    first = dashboard.props("chart-candles")["series"][0]["data"][0]["time"]
    for n in (10, 11):
        redrawn = "() => window.dash_component_api.getLayout('chart-candles').props.series[0].data"
        before = dashboard.page.evaluate_handle(redrawn)
        fake_api.post("/fake/set", late_us=(first + 60 * n) * 1_000_000)
        until(lambda: dashboard.page.evaluate("given => given.length", before) == 0, 30)  # noqa: B023
        dashboard.changes("clock")
        assert len(shaded()) >= 2
        assert all(one["data"] for one in dashboard.props("candles-shades")["data"].values())
