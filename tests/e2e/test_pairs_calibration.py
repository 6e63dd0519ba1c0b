"""Calibration panel of the pairs page over the fake API."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, until
from tests.e2e.test_accessibility import BACKGROUNDS, DESK, PHONE, is_painted, violations

PAIR = "ETHUSDT-BTCUSDT"
TABLES = ("histogram", "qq", "beyond", "acf", "waits", "entries")


@pytest.fixture(autouse=True)
def as_it_was(fake_api: Served) -> Iterator[None]:
    """Leave the fake API as the next test expects it."""
    yield
    fake_api.post("/fake/pairs", reset=True)


@pytest.fixture
def opened(dashboard_server: Served, open_page: OpenPage) -> Dashboard:
    """Return the page of pairs with the calibration drawn."""
    dashboard = open_page(dashboard_server.url, "pairs?side=calibration")
    drawn(dashboard)
    return dashboard


def drawn(dashboard: Dashboard, charts: int = 6) -> None:
    """Wait until so many charts are there, with text and something in each."""
    expect(dashboard.page.locator("#calibration-charts .cartesianlayer")).to_have_count(charts)


def asked(dashboard: Dashboard) -> dict[str, Any]:
    """Return what was last answered."""
    done: dict[str, Any] = dashboard.props("calibration-done").get("data") or {}
    return done


def test_the_past_of_the_z_score_is_drawn_and_said(opened: Dashboard) -> None:
    page = opened.page
    expect(page.locator("#calibration-headline")).to_contain_text("of a standard normal in 4.6 %.")
    expect(page.locator("#calibration-headline")).to_contain_text("back at ±0.5 before ±4, and within 900 s.")
    expect(page.locator("#calibration-coverage")).to_contain_text("of 10\u202f000 closed signals, 20")
    expect(page.locator("#calibration-coverage")).to_contain_text("(left out: 100 stale)")
    expect(page.locator("#calibration-charts figure")).to_have_count(6)
    inside = """() => [...document.querySelectorAll("#calibration-charts .js-plotly-plot")].every((plot) => {
        const box = plot.getBoundingClientRect(), parent = plot.closest("figure").getBoundingClientRect();
        return box.height > 150 && box.left >= parent.left - 1 && box.right <= parent.right + 1; })"""
    assert page.evaluate(inside)


@pytest.mark.long
def test_each_chart_can_be_had_as_csv_of_what_is_shown(opened: Dashboard) -> None:
    page = opened.page
    starts = set()
    for table in TABLES:
        link = page.locator(f"#calibration-csv-{table}")
        href = link.get_attribute("href") or ""
        assert href.startswith(f"/download/v1/pairs/{PAIR}/calibration?")
        assert f"table={table}" in href
        starts.add(href.partition("start=")[2].partition("&")[0])
        with page.expect_download() as saved:
            link.click()
        assert "," in saved.value.path().read_text(encoding="utf-8").splitlines()[0]
    assert len(starts) == 1


@pytest.mark.long
def test_range_stop_and_windows_are_asked_and_in_the_address(
    opened: Dashboard, dashboard_server: Served, open_page: OpenPage
) -> None:
    page = opened.page
    page.locator("#calibration-range").click()
    page.get_by_role("option", name="Last hour", exact=True).click()
    expect(page.locator("#calibration-coverage")).to_contain_text(re.compile("of 3.(59|60). closed signals"))
    page.locator("#calibration-stop").fill("3")
    page.locator("#calibration-windows").fill("1")
    expect(page.locator("#calibration-headline")).to_contain_text("before ±3, and within 300 s")
    again = open_page(dashboard_server.url, page.url.split("/")[-1])
    expect(again.page.locator("#calibration-headline")).to_contain_text("before ±3, and within 300 s")
    expect(again.page.locator("#calibration-range")).to_have_value("Last hour")
    page.locator("#calibration-stop").fill("1.5")
    expect(page.locator(".mantine-InputWrapper-error")).to_have_text(
        "Expected a |z| beyond the pair's entry_z 2, received 1.5."
    )
    expect(page.locator("#calibration-charts figure")).to_have_count(0)


@pytest.mark.long
def test_what_says_nothing_has_its_reason_in_place_of_a_chart(
    fake_api: Served, dashboard_server: Served, open_page: OpenPage
) -> None:
    fake_api.post("/fake/pairs", bars=20)
    page = open_page(dashboard_server.url, "pairs?side=calibration").page
    reasons = page.locator("#calibration-charts .figure-reason")
    expect(reasons).to_have_count(6)
    expect(reasons.first).to_contain_text(
        "No chart: at least 30 seconds with a z-score are needed, there are"
    )
    expect(page.locator("#calibration-charts .download")).to_have_count(0)


@pytest.mark.long
def test_nobody_loads_what_draws_it_who_does_not_look(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "pairs")
    loaded = "() => performance.getEntriesByType('resource').some((one) => one.name.includes('plotly.min'))"
    expect(dashboard.page.locator("#tests-verdict b")).to_be_visible()
    assert not dashboard.page.evaluate(loaded)
    dashboard.page.get_by_role("tab", name="Calibration").click()
    drawn(dashboard)
    assert dashboard.page.evaluate(loaded)


@pytest.mark.long
def test_axe_finds_nothing_and_the_text_follows_the_theme(opened: Dashboard) -> None:
    page = opened.page
    found: dict[str, list[str]] = {}
    ink = """() => [getComputedStyle(document.querySelector("#calibration-charts .xtick text")).fill,
        getComputedStyle(document.querySelector("#calibration-coverage")).color]"""
    fills = set()
    for theme in BACKGROUNDS:
        for width, height in (DESK, PHONE):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=theme)
            until(lambda theme=theme: is_painted(page, theme), 60)  # type: ignore[misc]
            found |= {f"{theme} {width}": broken} if (broken := violations(opened)) else {}
            fills.add(page.evaluate(ink)[0])
    assert found == {}
    assert len(fills) == 2
