"""Charts of different symbols on the market page: symbols, intervals, scales and levels of each."""

import itertools
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, until
from tests.e2e.test_market import row, shown

CHARTS = ("chart-candles", "chart-candles-2", "chart-candles-3", "chart-candles-4")


def all_shown(dashboard: Dashboard) -> list[str]:
    return [shown(dashboard, chart).removeprefix("candles|") for chart in CHARTS]


def candles(dashboard: Dashboard, chart: str = CHARTS[0]) -> dict[str, Any]:
    series: list[dict[str, Any]] = dashboard.props(chart).get("series") or [{}]
    return series[0]


def levels(dashboard: Dashboard, chart: str = CHARTS[0]) -> list[float]:
    return [line["price"] for line in candles(dashboard, chart).get("priceLines", [])]


@pytest.mark.long
def test_each_chart_has_its_symbol_interval_and_scale_and_the_address_has_all(
    dashboard: Dashboard, dashboard_server: Served, open_page: OpenPage
) -> None:
    page = dashboard.page
    page.locator("#charts-select").get_by_text("4", exact=True).click()
    until(lambda: all_shown(dashboard) == ["BTCUSDT|1m", "BTCUSDT|5m", "BTCUSDT|1s", "BTCUSDT|1h"])
    # By keyboard: what is typed and Enter takes the first that fits.
    second = page.get_by_role("textbox", name="Symbol of chart 2")
    expect(second).to_have_value("BTCUSDT")
    second.press("Control+a")
    page.keyboard.type("sol")
    expect(page.get_by_role("option", name="SOLUSDT")).to_have_attribute("data-combobox-selected", "true")
    page.keyboard.press("Enter")
    until(lambda: all_shown(dashboard)[1] == "SOLUSDT|5m", 30)
    expect(page.locator("#quote-symbol")).to_have_text("SOLUSDT")  # the chart that is used is the active one
    expect(row(dashboard, "SOLUSDT")).to_have_attribute("aria-selected", "true")
    # A click in the table is for the active chart alone, which no other shares its symbol with.
    row(dashboard, "ETHUSDT").click()
    until(
        lambda: (
            [one.split("|")[0] for one in all_shown(dashboard)]
            == ["BTCUSDT", "ETHUSDT", "BTCUSDT", "BTCUSDT"]
        )
    )
    page.locator("#interval-select-2").get_by_text("15s", exact=True).click()
    page.locator("#interval-select-4").get_by_text("1d", exact=True).click()
    until(lambda: all_shown(dashboard)[1::2] == ["ETHUSDT|15s", "BTCUSDT|1d"])
    page.locator("#log-4").locator("xpath=..").locator("label").click()
    until(lambda: candles(dashboard, CHARTS[3])["priceScaleOptions"]["mode"] == 1)
    assert candles(dashboard)["priceScaleOptions"]["mode"] == 0
    # Charts of the symbol of the active one go on together.
    row(dashboard, "SOLUSDT").click()
    until(lambda: all_shown(dashboard) == ["SOLUSDT|1m", "ETHUSDT|15s", "SOLUSDT|1s", "SOLUSDT|1d"])
    same = open_page(dashboard_server.url, page.evaluate("location.search"))
    until(lambda: all_shown(same) == all_shown(dashboard), 30)
    assert candles(same, CHARTS[3])["priceScaleOptions"]["mode"] == 1
    expect(same.page.locator("#symbol-select-2")).to_have_value("ETHUSDT")
    times = [bar["time"] for bar in candles(same, CHARTS[1])["data"]]
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {15}


@pytest.mark.long
def test_levels_are_drawn_by_keyboard_or_double_click_kept_and_removed(
    dashboard: Dashboard, dashboard_server: Served, open_page: OpenPage
) -> None:
    page = dashboard.page
    page.locator("#levels-summary").press("Enter")
    price = page.get_by_label("Price of a new level")
    price.fill("6x")
    price.press("Enter")
    expect(page.locator("#level-price-error")).to_have_text("Expected a price above 0, such as 64000.5")
    price.fill("64 000.5")
    price.press("Enter")
    until(lambda: levels(dashboard) == [64000.5])
    expect(price).to_have_value("")
    expect(page.locator("#levels-summary")).to_have_text("Levels (1)")
    box = page.locator("#chart-candles").bounding_box()
    assert box is not None
    page.mouse.dblclick(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    drawn = until(lambda: levels(dashboard) if len(levels(dashboard)) == 2 else [])
    assert all(round(one, 1) == one for one in drawn)
    # Of another symbol there is none; the address has all.
    row(dashboard, "ETHUSDT").click()
    until(lambda: shown(dashboard) == "candles|ETHUSDT|1m")
    assert levels(dashboard) == []
    expect(page.locator("#level-of")).to_have_text("ETHUSDT has no levels")
    row(dashboard, "BTCUSDT").click()
    until(lambda: levels(dashboard) == drawn)
    found = re.findall("BTCUSDT:([0-9.]+)", page.evaluate("decodeURIComponent(location.search)"))
    assert sorted(map(float, found)) == sorted(drawn)
    sent = open_page(dashboard_server.url, page.evaluate("location.search"))
    until(lambda: levels(sent) == drawn, 30)
    # The browser keeps them for the next visit, whose address has none.
    page.get_by_role("button", name="Remove the level 64\u202f000.5").press("Enter")
    until(lambda: levels(dashboard) == [one for one in drawn if one != 64000.5])
    expect(price).to_be_focused()
    left = levels(dashboard)
    page.goto(dashboard_server.url)
    until(lambda: dashboard.bars() and levels(dashboard) == left, 30)


def test_a_wide_window_begins_with_two_charts_and_a_phone_with_the_chart(
    dashboard_server: Served, open_page: OpenPage
) -> None:
    wide = open_page(dashboard_server.url, viewport={"width": 1920, "height": 1080})
    until(lambda: all_shown(wide)[:2] == ["BTCUSDT|1m", "BTCUSDT|5m"], 30)
    phone = open_page(dashboard_server.url, viewport={"width": 390, "height": 844})
    until(phone.bars, 30)
    assert all_shown(phone)[1] == ""
    chart = phone.page.locator("#chart-candles").bounding_box()
    table = phone.page.locator("#symbols-table").bounding_box()
    assert chart is not None
    assert table is not None
    assert chart["y"] < 260
    assert chart["y"] + chart["height"] <= table["y"]
