"""Late trades on an open page, over the fake API: a corrected second, and a retracted alert."""

import time
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, until

PAIR = "ETHUSDT-BTCUSDT"
NAME = f"zscore|{PAIR}|5m"
WHY = "Late trades changed this second, or its window"
# Counts the notes that are played.
EAR = """window.notes = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.notes += 1; start.apply(this, when); };"""
LOOK = """([name, index]) => window.dash_clientside.set_props("chart-pair", {dataResult: null, dataAction: {
    action: "dataByIndex", seriesId: name, logicalIndex: index, nonce: Math.random()}})"""


def zscores(page: Dashboard) -> dict[str, Any]:
    """Return the series of z-scores as it was drawn last as a whole."""
    series = page.props("chart-pair").get("series") or []
    return next((one for one in series if one["id"] == NAME), {"data": []})


def on_chart(page: Dashboard, index: int) -> dict[str, Any]:
    """Return a point as it is on the chart now."""
    page.page.evaluate(LOOK, [NAME, index])
    found: dict[str, Any] = until(lambda: page.props("chart-pair").get("dataResult") or {})
    return found


def drawn(open_page: OpenPage, url: str, query: str = "pairs?range=5m", **options: Any) -> Dashboard:
    page = open_page(url, query, **options)
    until(lambda: len(zscores(page)["data"]) > 300)
    expect(page.page.locator("#pair-empty")).to_be_hidden()
    return page


@pytest.mark.long
def test_a_correction_of_an_old_second_reaches_an_open_chart_where_it_is_marked_and_named(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    page = drawn(open_page, dashboard_server.url)
    data = zscores(page)["data"]
    index = next(n for n, point in enumerate(data) if point["time"] == int(time.time()) - 60)
    second, before = data[index]["time"], on_chart(page, index)
    assert "Corrected" not in str(before)

    fake_api.post("/fake/correct", second=second, zscore=7.5, late=1)
    until(lambda: "7.5" in str(on_chart(page, index)))
    assert "Corrected: 1 trade came late" in str(on_chart(page, index))
    dots = until(lambda: [one for one in zscores(page)["markers"] if "Corrected" in one["id"]])
    assert [(one["time"], one["id"]) for one in dots] == [(second, "Corrected: 1 trade came late")]
    expect(page.page.locator("#pair-late")).to_have_text("1 second shown was corrected")
    # The chart has not been drawn anew, and the second is not the newest.
    assert zscores(page)["data"][index].get("value") != 7.5
    expect(page.page.locator("#metric-zscore")).not_to_contain_text("7.50")

    # Who opens the page now finds the same.
    other = drawn(open_page, dashboard_server.url)
    found = next(point for point in zscores(other)["data"] if point["time"] == second)
    assert (found["value"], found["customValues"]) == (7.5, {"text": "Corrected: 1 trade came late"})


def test_a_retracted_alert_no_longer_fires_says_why_and_makes_no_sound(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    page = open_page(dashboard_server.url, "alerts", script=EAR)
    until(lambda: page.props("alerts-first").get("data"))
    page.changes("clock")
    page.page.locator("label", has_text="Sound").click()
    until(lambda: page.page.evaluate("window.notes") == 2)

    def row(alert_id: str) -> Any:
        return page.page.locator(f"#alerts-table [row-id='{alert_id}']")

    firing, toast = page.page.locator("#firing"), page.page.locator(".mantine-Notification-root")
    alert = fake_api.post("/fake/alert")
    expect(toast).to_contain_text("prices 0.2 s and 4.1 s old")
    expect(firing).to_contain_text("1 alert is firing")
    until(lambda: page.page.evaluate("window.notes") == 4)
    retraction = fake_api.post("/fake/retract", alert_id=alert["alert_id"])
    expect(firing).to_be_hidden()
    expect(toast).to_contain_text("retracted")
    expect(toast).to_contain_text(WHY)
    expect(toast).to_have_count(1)
    expect(row(alert["alert_id"])).to_contain_text("Retracted: z-score")
    expect(row(alert["alert_id"])).to_contain_text(WHY)
    expect(row(alert["alert_id"]).locator("[col-id=state]")).to_have_css(
        "text-decoration-line", "line-through"
    )
    expect(row(alert["alert_id"]).locator("[col-id=handling] button")).to_have_count(0)
    expect(row(alert["alert_id"]).locator("[col-id=state]")).to_have_text("retracted")
    expect(row(retraction["alert_id"])).to_have_count(0)
    assert page.page.evaluate("window.notes") == 4

    fired = fake_api.post("/fake/alert")
    expect(firing).to_contain_text("1 alert is firing")
    resolved = fake_api.post("/fake/alert", state="resolved")
    expect(firing).to_be_hidden()
    fake_api.post("/fake/retract", alert_id=resolved["alert_id"])
    expect(firing).to_contain_text("1 alert is firing")
    page.page.get_by_text("Retracted", exact=True).click()
    expect(row(fired["alert_id"])).to_have_count(0)
    expect(row(alert["alert_id"])).to_be_visible()
    assert "state=retracted" in page.page.url


@pytest.mark.long
def test_many_corrections_at_once_are_all_on_the_chart(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    page = drawn(open_page, dashboard_server.url)
    newest = int(time.time()) - 30
    for second in range(newest - 29, newest + 1):
        fake_api.post("/fake/correct", second=second, zscore=-6.25, late=2)
    index = next(n for n, point in enumerate(zscores(page)["data"]) if point["time"] == newest)
    for n in (index - 29, index - 10, index):
        until(lambda n=n: "-6.25" in str(on_chart(page, n)))  # type: ignore[misc]
    named = "30 seconds corrected: 60 trades came late"
    until(lambda: named in {one["id"] for one in zscores(page)["markers"]})
