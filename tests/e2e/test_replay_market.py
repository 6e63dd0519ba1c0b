"""Controls of the pages market, health and programs, over a running pipeline."""

import csv
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from services.common.clock import SECOND
from tests.e2e.conftest import OpenPage
from tests.e2e.replayed import LOAD_S, PAIR, prices, saved, says
from tests.e2e.stage import Dashboard, until
from tests.e2e.test_market import cell, point_at, row, scroll_to, shown
from tests.pipeline import Pipeline

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

CHARTS = ("chart-candles", "chart-candles-2", "chart-candles-3", "chart-candles-4")
# Note what the chart shows each time that all it says of it is of one moment, and how often its series are new.
WATCH_VIEW = """() => {
    const watched = window.watched = { redraws: 0, "to newest": {}, seconds: {}, "bars seen": {} };
    let drawn = null;
    const note = (name, value) => { watched[name][value] = (watched[name][value] || 0) + 1; };
    window.setInterval(() => {
        const chart = window.dash_component_api.getLayout("chart-candles").props;
        const { barsInLogicalRange: bars, visibleLogicalRange: range, visibleRange: seconds } = chart;
        if (!bars || !range || !seconds || !chart.series.length) return;
        const candles = chart.series[0].data;
        watched.redraws += drawn !== null && drawn !== candles;
        drawn = candles;
        if ("nonce" in range || Math.abs(bars.barsBefore - range.from) >= 1) return;
        note("to newest", Math.round(10 * bars.barsAfter) / 10);
        note("seconds", seconds.from + " " + seconds.to);
        note("bars seen", Math.round(10 * (range.to - range.from)) / 10);
    }, 5);
}"""
SYMBOLS = ["BTCUSDT", "ETHUSDT", "SOLUSDT"]


def market(running: Pipeline, open_page: OpenPage, query: str = "?interval=1s") -> Dashboard:
    until(lambda: len(known(running, "SOLUSDT", "1m")) > 5, 3 * LOAD_S)  # if the pipeline has just begun
    dashboard = open_page(running.dashboard, query)
    until(dashboard.bars, LOAD_S)
    return dashboard


def drawn(dashboard: Dashboard, chart: str) -> dict[int, tuple[float, ...]]:
    """Return open, high, low and close of the closed bars of a chart by their second."""
    series = dashboard.props(chart)["series"]
    return {
        bar["time"]: (bar["open"], bar["high"], bar["low"], bar["close"])
        for bar in (series[0]["data"] if series else [])
        if "color" not in bar
    }


def known(running: Pipeline, symbol: str, interval: str) -> dict[int, tuple[float, ...]]:
    """Return the same from the API."""
    bars = running.get(f"/v1/bars?symbol={symbol}&interval={interval}&limit=10000")["data"]
    return {
        bar["start_us"] // SECOND: (bar["open"], bar["high"], bar["low"], bar["close"])
        for bar in bars
        if bar["complete"]
    }


def test_every_chart_of_every_interval_has_the_bars_of_the_api(
    running: Pipeline, open_page: OpenPage
) -> None:
    dashboard = market(running, open_page, "?symbol=ETHUSDT")
    page = dashboard.page
    page.locator("#charts-select").get_by_text("4", exact=True).click()
    for place, interval in (("", "1s"), ("-2", "1m"), ("-3", "5m"), ("-4", "1h")):
        page.locator(f"#interval-select{place}").get_by_text(interval, exact=True).click()
        chart = f"chart-candles{place}"
        until(lambda: shown(dashboard, chart) == f"candles|ETHUSDT|{interval}", LOAD_S)  # noqa: B023
        bars = drawn(dashboard, chart)
        assert bars.items() <= known(running, "ETHUSDT", interval).items()
        link = page.locator(f"#candles-csv{place}")
        expect(link).to_have_attribute("href", re.compile("start="))
        lines = saved(running, link.get_attribute("href")).text.splitlines()
        assert len(lines) > len(bars), interval
    for place, interval in (("-2", "15s"), ("-4", "1d"), ("-2", "1m"), ("-4", "1h")):
        page.locator(f"#interval-select{place}").get_by_text(interval, exact=True).click()
        until(lambda: shown(dashboard, f"chart-candles{place}") == f"candles|ETHUSDT|{interval}", LOAD_S)  # noqa: B023
        bars = drawn(dashboard, f"chart-candles{place}")
        assert bars.items() <= known(running, "ETHUSDT", interval).items()
    assert "interval=1s%2C1m%2C5m%2C1h" in page.url
    same = market(running, open_page, page.url.rpartition("/")[2])
    until(lambda: [shown(same, chart)[-2:] for chart in CHARTS] == ["1s", "1m", "5m", "1h"], LOAD_S)
    page.locator("#charts-select").get_by_text("2", exact=True).click()
    expect(page.locator("#chart-candles-3")).to_be_hidden()
    page.locator("#charts-select").get_by_text("1", exact=True).click()
    expect(page.locator("#chart-candles-2")).to_be_hidden()
    bars = drawn(dashboard, CHARTS[0])
    with page.expect_download() as download:
        page.locator("#candles-csv").click()
    with Path(download.value.path()).open(newline="") as file:
        closes = {one["start_us"]: float(one["close"]) for one in csv.DictReader(file)}
    # The chart may have been drawn again since, with fewer of the oldest bars.
    saved_too = {second: bar for second, bar in bars.items() if second * SECOND >= int(min(closes))}
    assert len(saved_too) > len(bars) / 2
    assert all(closes[str(second * SECOND)] == bar[3] for second, bar in saved_too.items())


def test_symbols_are_chosen_sorted_and_say_what_the_api_says(running: Pipeline, open_page: OpenPage) -> None:
    dashboard = market(running, open_page)
    page = dashboard.page
    row(dashboard, "SOLUSDT").click()
    until(lambda: shown(dashboard) == "candles|SOLUSDT|1s", LOAD_S)
    expect(row(dashboard, "SOLUSDT")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    until(lambda: shown(dashboard) == "candles|ETHUSDT|1s", LOAD_S)
    expect(page.locator("#quote-symbol")).to_have_text("ETHUSDT")

    def same() -> bool:
        texts = [cell(dashboard, "ETHUSDT", "last").inner_text(), dashboard.text("quote-price")]
        traded = prices(running, "ETHUSDT")
        return all(any(says(text, price) for price in traded) for text in texts)

    until(same, LOAD_S)

    def same_volume() -> bool:
        text = cell(dashboard, "SOLUSDT", "volume").inner_text()
        known = {one["symbol"]: one for one in running.get("/v1/symbols")["data"]}["SOLUSDT"]["volume_24h"]
        return says(text, known / (1000 if text.endswith(" k") else 1))

    until(same_volume, LOAD_S)

    def order() -> list[str]:
        names = page.locator("#symbols-table .ag-pinned-left-cols-container .ag-row").all()
        return [
            one.inner_text()
            for one in sorted(names, key=lambda one: int(one.get_attribute("row-index") or 0))
        ]

    until(lambda: order() == SYMBOLS)
    for expected in (SYMBOLS[::-1], SYMBOLS):
        page.locator("#symbols-table .ag-header-cell[col-id=last]").click()
        until(lambda: order() == expected)  # noqa: B023
    with page.expect_download() as download:
        page.locator("#symbols-csv").click()
    with Path(download.value.path()).open(newline="") as file:
        assert [one["symbol"] for one in csv.DictReader(file)] == SYMBOLS


def test_the_bar_under_the_cursor_is_one_of_the_api(running: Pipeline, open_page: OpenPage) -> None:
    dashboard = market(running, open_page, "?symbol=BTCUSDT&interval=1m,1s")
    until(lambda: dashboard.props("chart-candles").get("visibleLogicalRange"), LOAD_S)
    second = dashboard.props("chart-candles")["series"][0]["data"][-3]["time"]
    # The bars move while the cursor is on its way.
    hovered = dashboard.page.locator("#legend-hover")

    def told() -> bool:
        point_at(dashboard, second)
        texts = re.split(r"\s+(?=[HLCV]\s)", hovered.inner_text().replace("O\N{NO-BREAK SPACE}", ""))
        opened, high, low, close = known(running, "BTCUSDT", "1m")[second]
        return len(texts) >= 4 and all(
            says(text.partition("\N{NO-BREAK SPACE}")[2] or text, value)
            for text, value in zip(texts, (opened, high, low, close), strict=False)
        )

    until(told, LOAD_S)
    expect(dashboard.page.locator("#legend-bar")).to_be_hidden()


def test_scrolling_back_brings_older_bars_of_the_api(running: Pipeline, open_page: OpenPage) -> None:
    until(lambda: len(running.get("/v1/bars?symbol=BTCUSDT&interval=1s&limit=2000")["data"]) > 700, 200)
    dashboard = market(running, open_page, "?symbol=BTCUSDT&interval=1s")
    until(lambda: dashboard.props("chart-candles").get("visibleRange"), LOAD_S)
    first = dashboard.props("chart-candles")["series"][0]["data"][0]["time"]
    scroll_to(dashboard, 20, 120)
    until(lambda: min(drawn(dashboard, "chart-candles")) < first, LOAD_S)
    bars = known(running, "BTCUSDT", "1s")
    older = {second: bar for second, bar in drawn(dashboard, "chart-candles").items() if second < first}
    assert older
    assert older.items() <= bars.items()
    dashboard.page.locator("#interval-select").get_by_text("1h", exact=True).click()
    until(lambda: shown(dashboard) == "candles|BTCUSDT|1h", LOAD_S)
    expect(dashboard.page.locator("#older")).to_have_text("No older bars", timeout=1000 * LOAD_S)


@pytest.mark.parametrize("looks_at", ["the newest", "the past"])
def test_nothing_moves_by_itself_however_often_the_chart_is_drawn_again(
    running: Pipeline, open_page: OpenPage, looks_at: str
) -> None:
    until(lambda: len(running.get("/v1/bars?symbol=BTCUSDT&interval=1s&limit=2000")["data"]) > 600, 200)
    dashboard = market(running, open_page, "?symbol=BTCUSDT&interval=1s")
    until(lambda: dashboard.props("chart-candles").get("barsInLogicalRange"), LOAD_S)
    if looks_at == "the past":
        scroll_to(dashboard, 250, 330)
    else:
        box = dashboard.page.locator("#chart-candles").bounding_box()
        assert box is not None
        dashboard.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        dashboard.page.mouse.wheel(0, -300)
        dashboard.page.mouse.move(0, 0)
    dashboard.page.wait_for_timeout(1000)
    dashboard.page.evaluate(WATCH_VIEW)
    until(lambda: dashboard.page.evaluate("() => window.watched.redraws") >= 6, 3 * LOAD_S)
    watched = dashboard.page.evaluate("() => window.watched")
    assert len(watched["to newest" if looks_at == "the newest" else "seconds"]) == 1, watched
    assert len(watched["bars seen"]) == 1, watched


def test_health_says_what_the_api_says(running: Pipeline, open_page: OpenPage) -> None:
    dashboard = open_page(running.dashboard, "health")
    page = dashboard.page
    expect(page.locator("#health-feed")).to_have_text(re.compile("replay", re.IGNORECASE))
    expect(page.locator(".station")).to_have_count(10)
    for service in running.services():
        expect(page.locator(f"#service-{service}")).to_contain_text("running")
    gaps = running.get("/v1/gaps")["data"]
    expect(page.locator("#gaps-said")).to_have_text(f"{len(gaps)} gaps")
    for label, state in (("Open", "open"), ("Repaired", "repaired"), ("Refuted", "refuted")):
        page.locator("#gaps-state").get_by_text(label, exact=True).click()
        expect(page).to_have_url(re.compile(f"gaps={state}"))
        expect(page.locator("#gaps-csv")).to_have_attribute("href", re.compile(f"state={state}"))
    page.locator("#gaps-state").get_by_text("Given up", exact=True).click()
    page.locator("#gaps-symbol").fill("ETH")
    page.get_by_role("option", name="ETHUSDT").click()
    expect(page.locator("#gaps-csv")).to_have_attribute("href", re.compile("symbol=ETHUSDT"))
    with page.expect_download() as download:
        page.locator("#gaps-csv").click()
    link = page.locator("#gaps-csv").get_attribute("href")
    assert download.value.path().read_bytes() == saved(running, link).content
    again = open_page(running.dashboard, page.url.rpartition("/")[2])
    expect(again.page.locator("#gaps-symbol")).to_have_value("ETHUSDT")
    page.locator("#gaps-state").get_by_text("All", exact=True).click()
    expect(page).not_to_have_url(re.compile("gaps="))
    rates = {one["symbol"]: one["tick_rate"] for one in running.get("/v1/symbols")["data"]}
    assert all(rates.values())
    expect(page.locator("#tapes-table .ag-pinned-left-cols-container .ag-row")).to_have_text(SYMBOLS)
    with page.expect_download() as download:
        page.locator("#tapes-csv").click()
    with Path(download.value.path()).open(newline="", encoding="utf-8-sig") as file:
        tapes = {one["Symbol"]: one for one in csv.DictReader(file)}
    assert list(tapes) == SYMBOLS
    assert {one["Open gaps"] for one in tapes.values()} == {"0"}


def test_an_example_of_the_page_for_programs_is_copied_and_answered(
    running: Pipeline, open_page: OpenPage
) -> None:
    dashboard = open_page(running.dashboard, "programs", permissions=["clipboard-read", "clipboard-write"])
    page = dashboard.page
    expect(page.locator("#programs-routes")).to_contain_text(f"{running.api}/v1/symbols")
    for link in ("docs", "openapi"):
        href = page.locator(f"#programs-{link}").get_attribute("href")
        assert httpx.get(str(href), timeout=LOAD_S).is_success
    topics = page.locator("#programs-topics details summary")
    for number in range(topics.count()):
        topics.nth(number).click()
    buttons = page.locator("button.copy")
    copied = []
    for number in range(buttons.count()):
        buttons.nth(number).click()
        expect(buttons.nth(number)).to_have_text("Copied")
        copied.append(page.evaluate("() => navigator.clipboard.readText()"))
    assert copied == page.locator(".code code").all_text_contents()
    asked = re.findall(rf"^curl -s '({running.api}/v1/[^']+)'$", "\n".join(copied), re.MULTILINE)
    answers = {url.partition("/v1/")[2]: httpx.get(url, timeout=LOAD_S).status_code for url in asked}
    assert answers["symbols"] == answers[f"pairs/{PAIR}"] == 200
    assert len(answers) > 8
    for name in ("routes", "topics", "examples"):
        page.locator(f".programs-nav [href='#{name}']").click()
        expect(page).to_have_url(re.compile(f"#{name}$"))
        expect(page.locator(f"#{name} h3")).to_be_in_viewport()
    page.get_by_label("Address of the API").fill("https://pairs.example")
    page.get_by_label("Brokers").fill("kafka.example:9092")
    expect(page.locator("#programs-routes")).to_contain_text("curl -s 'https://pairs.example/v1/symbols'")
    expect(page.locator("#programs-examples")).to_contain_text('bootstrap_servers="kafka.example:9092"')
