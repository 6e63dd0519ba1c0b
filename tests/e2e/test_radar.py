"""Radar page in Chromium: the funnel, filters, a cell of the matrix, and a pair that is watched from then on."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served

CELL = """([y, x]) => {
    const graph = document.querySelector("#radar-matrix .js-plotly-plot");
    graph.emit("plotly_click", {points: [{x: x, y: y, z: 1, pointNumber: [0, 0], curveNumber: 0, data: {}}]});
}"""


@pytest.fixture
def radar(open_page: OpenPage, dashboard_server: Served, fake_api: Served) -> Dashboard:
    fake_api.post("/fake/radar", symbols=12)
    opened = open_page(dashboard_server.url, "radar")
    expect(opened.page.locator("#radar-tried")).to_have_text("66")
    expect(opened.page.locator("#radar-table .ag-center-cols-container .ag-row").first).to_be_visible()
    return opened


def test_the_funnel_the_filters_and_since_when_pairs_are_confirmed(radar: Dashboard) -> None:
    page = radar.page
    expect(page.locator("#radar-confirmed")).to_have_text("2")
    expect(page.locator("#radar-status")).to_contain_text("12 symbols, 4\u202f320 bars of 60 s")
    expect(page.locator("#radar-status")).to_contain_text("Left out: NEWUSDT")
    page.locator("#radar-stage").get_by_text("Confirmed", exact=True).click()
    rows = page.locator("#radar-table .ag-center-cols-container .ag-row")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("2 h ago")
    assert "stage=confirmed" in page.url
    page.locator("#radar-stage").get_by_text("All", exact=True).click()
    page.locator("#radar-name").fill("eth")
    expect(rows).to_have_count(11)
    expect(page.locator("#radar-table svg.hour").first).to_be_visible()
    page.locator("#radar-bp").fill("9999")
    expect(page.locator("#radar-empty")).to_have_text("No pair of the last scan is like that.")


@pytest.mark.long
def test_a_cell_leads_to_its_pair_and_one_click_watches_it(radar: Dashboard) -> None:
    page = radar.page
    expect(page.locator("#radar-matrix .heatmaplayer image")).to_be_visible()
    page.evaluate(CELL, ["S002USDT", "BTCUSDT"])
    expect(page.locator("#radar-chosen-title")).to_have_text("S002USDT-BTCUSDT")
    expect(page.locator("#radar-facts")).to_contain_text("in the part held out")
    assert "pair=S002USDT-BTCUSDT" in page.url
    page.evaluate(CELL, ["ETHUSDT", "BTCUSDT"])
    expect(page.locator("#radar-study-coverage")).to_contain_text("Answered", timeout=60_000)
    expect(page.locator("#radar-study-verdict")).not_to_be_empty()
    page.locator("#radar-watch").click()
    expect(page.locator("#radar-watched")).to_have_text("ETHUSDT-BTCUSDT is watched already.")


@pytest.mark.long
def test_a_radar_without_a_history_says_why(radar: Dashboard, fake_api: Served) -> None:
    page = radar.page
    fake_api.post("/fake/radar", symbols=5)
    expect(page.locator("#radar-tried")).to_have_text("10")
    expect(page.locator("#radar-table .ag-center-cols-container .ag-row")).to_have_count(10)
    fake_api.post("/fake/radar", symbols=1)
    expect(page.locator("#radar-empty")).to_have_text(re.compile("expected at least two, received BTCUSDT"))
    expect(page.locator("#radar-tried")).to_have_text("\N{EM DASH}")
