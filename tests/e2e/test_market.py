"""Market page over the fake API."""

import itertools
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, until


def row(dashboard: Dashboard, symbol: str) -> Locator:
    return dashboard.page.locator(f"#symbols-table .ag-center-cols-container .ag-row[row-id={symbol}]")


def cell(dashboard: Dashboard, symbol: str, field: str) -> Locator:
    return dashboard.page.locator(f"#symbols-table .ag-row[row-id={symbol}] [col-id={field}]")


def shown(dashboard: Dashboard, chart: str = "chart-candles") -> str:
    series = dashboard.props(chart).get("series")
    return str(series[0]["id"]) if series else ""


def at_rest(dashboard: Dashboard) -> dict[str, Any]:
    """Return what the chart shows once it moves no more."""

    def same() -> dict[str, Any] | None:
        before = dashboard.props("chart-candles")["visibleRange"]
        dashboard.page.wait_for_timeout(600)
        seen: dict[str, Any] = dashboard.props("chart-candles")["visibleRange"]
        return seen if seen == before else None

    return until(same) or {}


def drag(dashboard: Dashboard, pixels: int) -> None:
    box = dashboard.page.locator("#chart-candles").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    dashboard.page.mouse.move(x - pixels / 2, y)
    dashboard.page.mouse.down()
    dashboard.page.mouse.move(x + pixels / 2, y, steps=5)
    dashboard.page.mouse.up()


def scroll_to(dashboard: Dashboard, first: int, last: int) -> None:
    """Show these bars, counted from the first that is loaded."""
    show = "range => window.dash_clientside.set_props('chart-candles', { visibleLogicalRange: range })"
    dashboard.page.evaluate(show, {"from": first, "to": last})


def test_candles_are_drawn(dashboard: Dashboard) -> None:
    until(lambda: dashboard.bars() == 500)
    assert until(lambda: dashboard.colors_drawn("chart-candles") > 5)
    expect(dashboard.page.locator("#legend-bar")).to_have_text(
        re.compile(r"^O\s.* H\s.* L\s.* C\s.* V\s.* VWAP\s.* still open$")
    )


@pytest.mark.long
def test_the_symbols_are_told_with_their_day_and_hour(dashboard: Dashboard) -> None:
    expect(cell(dashboard, "BTCUSDT", "change")).to_have_text("−0.56\u202f%")
    expect(cell(dashboard, "BTCUSDT", "change")).to_have_class(re.compile(r"\bdown\b"))
    expect(cell(dashboard, "ETHUSDT", "age")).to_have_text("now")
    expect(cell(dashboard, "ETHUSDT", "volume")).to_have_text("12.35 k")
    expect(cell(dashboard, "ETHUSDT", "rate")).to_have_text("6.5/s")
    expect(dashboard.page.get_by_role("img", name="in the last hour")).to_have_count(3)
    price = cell(dashboard, "ETHUSDT", "last").inner_text()
    expect(cell(dashboard, "ETHUSDT", "last")).not_to_have_text(price)


@pytest.mark.long
def test_a_click_or_enter_chooses_a_symbol(dashboard: Dashboard) -> None:
    expect(row(dashboard, "BTCUSDT")).to_have_attribute("aria-selected", "true")
    row(dashboard, "ETHUSDT").click()
    expect(dashboard.page.locator("#quote-symbol")).to_have_text("ETHUSDT")
    until(lambda: shown(dashboard) == "candles|ETHUSDT|1m")
    expect(row(dashboard, "ETHUSDT")).to_have_attribute("aria-selected", "true")
    assert "symbol=ETHUSDT" in dashboard.page.evaluate("location.search")
    dashboard.page.keyboard.press("ArrowDown")
    dashboard.page.keyboard.press("Enter")
    until(lambda: shown(dashboard) == "candles|SOLUSDT|1m")
    until(lambda: "SOLUSDT" in dashboard.page.title())


@pytest.mark.long
def test_a_column_sorts(dashboard: Dashboard) -> None:
    def order() -> list[str]:
        rows = dashboard.page.locator("#symbols-table .ag-pinned-left-cols-container .ag-row").all()
        return [
            one.inner_text() for one in sorted(rows, key=lambda one: int(one.get_attribute("row-index") or 0))
        ]

    until(lambda: order() == ["BTCUSDT", "ETHUSDT", "SOLUSDT"])
    dashboard.page.locator("#symbols-table .ag-header-cell[col-id=last]").click()
    until(lambda: order() == ["SOLUSDT", "ETHUSDT", "BTCUSDT"])


@pytest.mark.long
def test_many_symbols_can_be_searched(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    fake_api.post("/fake/set", silent_symbols=12)
    try:
        dashboard = open_page(dashboard_server.url)
        find = dashboard.page.get_by_label("Find a symbol")
        expect(find).to_be_visible(timeout=10_000)
        expect(cell(dashboard, "COIN3USDT", "age")).to_have_text("—")
        find.fill("coin3")
        expect(row(dashboard, "COIN3USDT")).to_be_visible()
        expect(row(dashboard, "BTCUSDT")).to_have_count(0)
        found = open_page(dashboard_server.url, dashboard.page.evaluate("location.search"))
        expect(found.page.get_by_label("Find a symbol")).to_have_value("coin3")
        expect(row(found, "COIN3USDT")).to_be_visible()
        expect(row(found, "BTCUSDT")).to_have_count(0)
    finally:
        fake_api.post("/fake/set", silent_symbols=0)


@pytest.mark.long
def test_another_interval_replaces_the_bars(dashboard: Dashboard) -> None:
    minutes = dashboard.props("chart-candles")["series"][0]
    dashboard.page.locator("#interval-select").get_by_text("5m", exact=True).click()
    until(lambda: dashboard.props("selection")["data"]["asks"]["interval"] == "5m", every=0.01)
    # Whatever is shown from here on belongs to the new interval.
    seen = until(lambda: dashboard.props("chart-candles")["series"], every=0.01)
    assert seen[0]["id"] == "candles|BTCUSDT|5m"
    times = [bar["time"] for bar in seen[0]["data"]]
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {300}
    assert times[0] < minutes["data"][0]["time"]
    until(lambda: dashboard.props("chart-candles").get("tick", [{}])[0].get("id") == seen[0]["id"])
    assert "interval=5m" in dashboard.page.url


@pytest.mark.long
def test_several_intervals_side_by_side(
    dashboard: Dashboard, dashboard_server: Served, open_page: OpenPage
) -> None:
    first = dashboard.props("chart-candles")["series"]
    dashboard.page.locator("#charts-select").get_by_text("4").click()
    charts = ["chart-candles", "chart-candles-2", "chart-candles-3", "chart-candles-4"]
    until(lambda: [shown(dashboard, chart)[-2:] for chart in charts] == ["1m", "5m", "1s", "1h"])
    assert dashboard.props("chart-candles")["series"] == first  # the one that was there stays as it is
    dashboard.page.locator("#interval-select-3").get_by_text("1h", exact=True).click()
    until(lambda: shown(dashboard, charts[2]) == "candles|BTCUSDT|1h")
    same = open_page(dashboard_server.url, dashboard.page.evaluate("location.search"))
    until(lambda: [shown(same, chart)[-2:] for chart in charts] == ["1m", "5m", "1h", "1h"])
    dashboard.page.locator("#charts-select").get_by_text("2").click()
    expect(dashboard.page.locator("#chart-candles-3")).to_be_hidden()
    expect(dashboard.page.locator("#chart-candles-2")).to_be_visible()
    until(lambda: not shown(dashboard, charts[3]))


@pytest.mark.long
def test_zoom_stays_while_data_arrives(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "?interval=1s")
    until(dashboard.bars)
    box = dashboard.page.locator("#chart-candles").bounding_box()
    assert box is not None
    dashboard.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    dashboard.page.mouse.wheel(0, -400)
    drag(dashboard, 150)
    dashboard.page.mouse.move(0, 0)
    before = at_rest(dashboard)
    newest = dashboard.props("chart-candles")["tick"][-1]["bar"]["time"]
    dashboard.changes("clock", times=4)
    assert dashboard.props("chart-candles")["tick"][-1]["bar"]["time"] >= newest + 3
    assert dashboard.props("chart-candles")["visibleRange"] == before


@pytest.mark.long
def test_a_chart_that_was_scrolled_back_says_so_and_leads_to_now(dashboard: Dashboard) -> None:
    until(lambda: dashboard.bars() == 500)
    until(lambda: dashboard.props("chart-candles").get("visibleRange"))
    newest, to_now = dashboard.page.locator("#legend-bar"), dashboard.page.locator("#to-now")
    expect(newest).to_be_visible()
    expect(to_now).to_be_hidden()
    scroll_to(dashboard, 300, 400)
    expect(to_now).to_be_visible()
    expect(newest).to_be_hidden()
    to_now.click()
    until(lambda: dashboard.props("chart-candles")["barsInLogicalRange"]["barsAfter"] < 0)
    expect(to_now).to_be_hidden()
    dashboard.page.mouse.move(0, 0)  # the legend of the bar under the cursor takes its place
    expect(newest).to_be_visible()


@pytest.mark.long
def test_scrolling_back_brings_older_bars_and_moves_nothing(
    dashboard_server: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, "?interval=1h")
    until(lambda: dashboard.bars() == 500, 30)
    until(lambda: dashboard.props("chart-candles").get("visibleRange"), 30)
    times = [bar["time"] for bar in dashboard.props("chart-candles")["series"][0]["data"]]
    scroll_to(dashboard, 20, 120)
    until(lambda: dashboard.bars() > 900, 30)
    seen = {"from": times[20], "to": times[120]}
    until(lambda: dashboard.props("chart-candles")["visibleRange"] == seen, 30)
    # The API has no more than these; it is said where they end.
    expect(dashboard.page.locator("#older")).to_have_text("No older bars")
    expect(dashboard.page.locator("#older")).to_be_hidden()
    scroll_to(dashboard, -10, 90)
    expect(dashboard.page.locator("#older")).to_be_visible()


@pytest.mark.long
def test_the_bar_under_the_cursor_is_told(dashboard: Dashboard) -> None:
    box = dashboard.page.locator("#chart-candles").bounding_box()
    assert box is not None
    dashboard.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    hovered = dashboard.page.locator("#legend-hover")
    expect(hovered).to_have_text(re.compile(r"^O\s6\d\u202f\d{3}\.\d .* VWAP\s6\d\u202f\d{3}\.\d$"))
    expect(dashboard.page.locator("#legend-bar")).to_be_hidden()


def point_at(dashboard: Dashboard, second: int) -> None:
    """Put the cursor on the bar of `second`."""
    seen = dashboard.props("chart-candles")["visibleLogicalRange"]
    times = [bar["time"] for bar in dashboard.props("chart-candles")["series"][0]["data"]]
    box = dashboard.page.locator("#chart-candles tr:first-child td:nth-child(2)").bounding_box()
    assert box is not None
    share = (times.index(second) - seen["from"] + 0.5) / (seen["to"] - seen["from"] + 1)
    dashboard.page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


@pytest.mark.long
def test_every_chart_points_at_the_time_under_the_cursor(
    dashboard_server: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, "?interval=5m,1m,1s,1h")
    until(lambda: all(shown(dashboard, f"chart-candles{place}") for place in ("", "-2", "-3", "-4")))
    at_rest(dashboard)
    second = dashboard.props("chart-candles")["series"][0]["data"][-3]["time"]

    def pointed(chart: str) -> Any:
        return (dashboard.props(chart).get("crosshairPosition") or {}).get("time")

    point_at(dashboard, second)
    until(lambda: pointed("chart-candles-4") == second // 3600 * 3600)
    until(lambda: pointed("chart-candles-2") == second)
    assert pointed("chart-candles-3") is None  # of the seconds of that time it shows none
    expect(dashboard.page.locator("#legend-hover")).not_to_be_empty()
    expect(dashboard.page.locator("#legend-hover-2")).to_be_empty()
    dashboard.page.mouse.move(0, 0)
    until(lambda: pointed("chart-candles-4") is pointed("chart-candles-2") is None)


@pytest.mark.long
def test_an_unknown_symbol_in_the_address_is_said(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "?symbol=XRPUSDT")
    expect(dashboard.page.locator("#candles-empty")).to_have_text(
        "The API does not have this: expected one of BTCUSDT, ETHUSDT, SOLUSDT, received 'XRPUSDT'"
    )
    row(dashboard, "ETHUSDT").click()
    until(lambda: shown(dashboard) == "candles|ETHUSDT|1m")
    expect(dashboard.page.locator("#candles-empty")).to_be_hidden()


@pytest.mark.long
def test_symbols_and_bars_can_be_saved(dashboard: Dashboard) -> None:
    link = dashboard.page.locator("#candles-csv")
    first = dashboard.props("chart-candles")["series"][0]["data"][0]["time"]
    until(lambda: "start=" in (link.get_attribute("href") or ""))
    told = "href => fetch(href).then(answer => answer.status)"
    assert dashboard.page.evaluate(told, link.get_attribute("href")) == 200
    began = dashboard.page.evaluate(
        "href => Date.parse(new URL(href, location).searchParams.get('start')) / 1000",
        link.get_attribute("href"),
    )
    assert began == first
    table = dashboard.page.locator("#symbols-csv").get_attribute("href")
    assert table == "/download/v1/symbols?format=csv"
    assert dashboard.page.evaluate(told, table) == 200
