"""Health page over the fake API."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, until


def station(dashboard: Dashboard, name: str) -> str:
    """Return the classes of a station of the map."""
    return dashboard.page.locator(".station", has_text=name).first.get_attribute("class") or ""


@pytest.mark.long
def test_the_pipeline_is_drawn_with_rates_and_lag(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "health")
    stations = dashboard.page.locator(".station")
    expect(stations).to_have_count(10)
    expect(stations.nth(0)).to_contain_text("20.")  # ticks a second, from the difference of two counters
    expect(stations.nth(4)).to_contain_text("rows/s")
    expect(stations.nth(4)).to_contain_text("lag ")
    expect(stations.nth(7)).to_contain_text("connected")
    for name, other in (("alerting", 3), ("research", 5)):
        beside = stations.filter(has_text=name).filter(has_text="⇅")
        expect(beside).to_have_count(1)
        above, below = stations.nth(other).bounding_box(), beside.bounding_box()
        assert above is not None
        assert below is not None
        assert (above["x"], above["width"]) == (below["x"], below["width"])
        assert above["y"] + above["height"] < below["y"]
    expect(dashboard.page.locator("#health-meaning")).to_contain_text("not a market")
    expect(dashboard.page.locator("#tapes-table [row-id='SOLUSDT']").last).to_contain_text(
        "solusdt@bookTicker"
    )


@pytest.mark.long
def test_a_silent_service_is_greyed_with_the_last_known(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, "health")
    expect(dashboard.page.locator(".station").nth(4)).to_contain_text("running")
    fake_api.post("/fake/set", sick="sink")
    try:
        sink = dashboard.page.locator(".station.is-error.is-stale")
        expect(sink).to_contain_text("silent, was running")
        expect(sink).to_contain_text("last known, 3")
        until(lambda: dashboard.page.title().startswith("1 not well"))
    finally:
        fake_api.post("/fake/set", sick="none")
    expect(dashboard.page.locator(".station.is-stale")).to_have_count(0)


@pytest.mark.long
@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_filled_is_on_every_page_and_what_was_lost_at_its_station(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage, width: int
) -> None:
    fake_api.post("/fake/told", done_s=340.4, total_s=912.7, lost_ticks=1234)
    try:
        page = open_page(
            dashboard_server.url, "health", viewport={"width": width, "height": 844}, color_scheme="dark"
        ).page
        note = page.locator(".notice.is-note")
        expect(note).to_have_text("filling: 340 of 912 s; the page shows old data.")
        expect(note).to_have_attribute("aria-live", "off")
        expect(page.locator(".station").nth(0)).to_contain_text("filling: 340 of 912 s")
        expect(page.locator(".station").nth(4).locator(".station-lost")).to_have_text(
            "lost 1\u202f234 messages of ticks"
        )
        box = note.bounding_box()
        assert box is not None
        assert box["height"] < 40, "expected one line"
        assert page.evaluate("() => document.documentElement.scrollWidth") == width
        fake_api.post("/fake/told", done_s=500, total_s=920)
        page.locator("#menu-pairs").click()
        expect(note).to_contain_text("filling: 500 of 920 s")
    finally:
        fake_api.post("/fake/told")
    expect(page.locator(".notice")).to_have_count(0)


@pytest.mark.long
@pytest.mark.parametrize("width", [1920, 1280, 390])
def test_what_a_service_lost_is_said_until_somebody_acknowledges_it(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage, width: int
) -> None:
    fake_api.post("/fake/told", lost_ticks=1234)
    try:
        page = open_page(dashboard_server.url, "health", viewport={"width": width, "height": 844}).page
        sink = page.locator(".station").nth(4)
        expect(sink).to_have_class("station is-warning")
        expect(page.locator(".notice.is-warning")).to_contain_text("sink is degraded: 1234 messages lost")
        button = sink.get_by_role("button", name="Acknowledge what sink has lost: 1\u202f234 messages")
        expect(page.locator(".station").nth(5)).to_have_class("station is-ok")
        button.click()
        expect(sink).to_have_class("station is-ok")
        expect(sink.locator(".station-lost")).to_have_class("station-lost is-acknowledged")
        expect(page.locator(".notice")).to_have_count(0)
        expect(page.locator("button[data-acknowledge]")).to_have_count(0)
        assert page.evaluate("() => document.documentElement.scrollWidth") == width
    finally:
        fake_api.post("/fake/told")


@pytest.mark.long
@pytest.mark.parametrize("width", [1920, 1280, 390])
def test_every_process_of_a_service_is_shown(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage, width: int
) -> None:
    fake_api.post("/fake/told", workers=2, left_out=2984)
    try:
        page = open_page(dashboard_server.url, "health", viewport={"width": width, "height": 844}).page
        analytics = page.locator(".station").nth(2)
        expect(analytics.locator(".station-processes > span")).to_have_count(2)
        expect(analytics).to_contain_text("store-4242-20260131T120000: silent, heard 31 s ago")
        expect(analytics).to_contain_text("store-4243-20260131T120000: running, lag 0, heard now")
        expect(analytics.locator(".station-state")).to_have_text("1 of 2 silent")
        expect(analytics).to_have_class("station is-error")
        expect(analytics).to_contain_text("signals/s")
        expect(page.locator(".notice.is-error")).to_have_text("stream_analytics: 1 of 2 silent.")
        expect(page.locator("#health-left-out")).to_contain_text("2\u202f984 heartbeats")
        assert page.evaluate("() => document.documentElement.scrollWidth") == width
    finally:
        fake_api.post("/fake/told")
    expect(page.locator(".station-processes")).to_have_count(0)


@pytest.mark.long
def test_while_the_api_catches_up_nobody_is_called_dead(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    fake_api.post("/fake/told", catching_up=True)
    try:
        page = open_page(dashboard_server.url, "health").page
        expect(page.locator(".station").nth(4)).to_have_class("station is-unknown")
        expect(page.locator(".station").nth(4)).to_contain_text("catching up")
        expect(page.locator(".notice.is-note")).to_contain_text("The API is catching up")
        expect(page.locator(".notice.is-error")).to_have_count(0)
    finally:
        fake_api.post("/fake/told")
    expect(page.locator(".notice")).to_have_count(0)


@pytest.mark.long
def test_gaps_are_filtered_and_the_address_says_so(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "health")
    said = dashboard.page.locator("#gaps-said")
    expect(said).to_have_text("12 gaps")
    dashboard.page.locator("#gaps-state").get_by_text("Given up").click()
    expect(said).to_have_text("3 gaps")
    expect(dashboard.page.locator("#gaps-table .ag-center-cols-container .ag-row").first).to_contain_text(
        "48 hours"
    )
    dashboard.page.locator("#gaps-symbol").fill("ETH")
    dashboard.page.get_by_role("option", name="ETHUSDT").click()
    expect(said).to_have_text("1 gap")
    assert "gaps=unrepaired&gaps-symbol=ETHUSDT" in dashboard.page.url
    with dashboard.page.expect_download() as saved:
        dashboard.page.locator("#gaps-csv").click()
    with Path(saved.value.path()).open(newline="") as file:
        assert [(row["symbol"], row["state"]) for row in csv.DictReader(file)] == [("ETHUSDT", "unrepaired")]
    again = open_page(dashboard_server.url, "health?gaps=open&gaps-symbol=SOLUSDT")
    expect(again.page.locator("#gaps-said")).to_have_text("2 gaps")
    expect(again.page.locator("#gaps-symbol")).to_have_value("SOLUSDT")


@pytest.mark.long
def test_rows_stay_sorted_as_they_change(dashboard_server: Served, open_page: OpenPage) -> None:
    page = open_page(dashboard_server.url, "health").page
    first = page.locator("#tapes-table .ag-pinned-left-cols-container [row-index='0']")
    header = page.locator("#tapes-table .ag-header-cell[col-id=gaps]")
    expect(first).to_have_text("BTCUSDT")
    header.click()
    header.click()
    expect(first).to_have_text("SOLUSDT")
    change = "row => window.dash_clientside.set_props('tapes-table-changed', { rows: [row] })"
    page.evaluate(change, {"id": "ETHUSDT", "gaps": 3})
    expect(first).to_have_text("ETHUSDT")
    # The server says all of a row again with its next trade.
    expect(first).to_have_text("SOLUSDT")


@pytest.mark.long
def test_the_tape_can_be_saved(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "health")
    expect(dashboard.page.locator("#tapes-table [row-id='SOLUSDT']").last).to_be_visible()
    with dashboard.page.expect_download() as saved:
        dashboard.page.locator("#tapes-csv").click()
    with Path(saved.value.path()).open(newline="", encoding="utf-8-sig") as file:
        rows = {row["Symbol"]: row for row in csv.DictReader(file)}
    assert rows["SOLUSDT"]["Coverage 1 h"] == "0.99987"
    assert rows["SOLUSDT"]["Last trade"].endswith("Z")


@pytest.mark.long
def test_on_a_phone_the_pipeline_is_a_list(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "health", viewport={"width": 390, "height": 844})
    stations = dashboard.page.locator(".station")
    expect(stations).to_have_count(8)
    boxes = [stations.nth(number).bounding_box() for number in range(8)]
    assert all(box is not None and box["x"] == boxes[0]["x"] for box in boxes if boxes[0])
    assert dashboard.page.evaluate("() => document.documentElement.scrollWidth") == 390
