"""Header, menu and keyboard over a running pipeline."""

import itertools
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from services.ui.pages.pairs import sidebar
from tests.e2e.conftest import OpenPage
from tests.e2e.replayed import LOAD_S, OTHER_PAIR, PAIR
from tests.e2e.stage import until
from tests.e2e.test_market import shown
from tests.e2e.test_replay_market import market
from tests.pipeline import Pipeline

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def test_header_menu_theme_zone_and_tour(running: Pipeline, open_page: OpenPage) -> None:
    dashboard = open_page(running.dashboard, "?interval=1s", tour=True, color_scheme="light")
    page = dashboard.page
    tour = page.get_by_role("dialog")
    for button, place in (("next", 2), ("back", 1), ("next", 2), ("next", 3)):
        page.locator(f"#tour-{button}").click()
        expect(page.locator("#tour-place")).to_have_text(f"{place} of 3")
    page.locator("#tour-next").click()
    expect(tour).to_be_hidden()
    page.locator("#tour-again").click()
    page.locator("#tour-skip").click()
    expect(tour).to_be_hidden()
    expect(page.locator("#connection-state")).to_have_text("Connected")
    page.locator("#feed-badge").focus()
    expect(page.get_by_role("tooltip")).to_contain_text("recording")
    until(dashboard.bars, LOAD_S)

    def background() -> Any:
        return dashboard.props("chart-candles")["chartOptions"]["layout"]["background"]["color"]

    light = background()
    page.locator("#theme-toggle").click()
    until(lambda: background() != light)
    page.reload()
    until(lambda: dashboard.props("chart-candles").get("chartOptions") and background() != light, LOAD_S)
    page.locator("#theme-toggle").press("Enter")
    until(lambda: background() == light)
    page.locator("#zone-select").fill("Tokyo")
    page.locator("#zone-select").press("Enter")
    expect(page.locator("#clock")).to_contain_text("JST")
    for name in ("pairs", "alerts", "upload", "health", "programs", "market"):
        page.locator(f"#menu-{name}").press("Enter")
        expect(page.locator(f"#page-{name}")).to_be_visible()
        expect(page.locator(f"#menu-{name}")).to_have_attribute("aria-current", "page")
        expect(page.locator("#clock")).to_contain_text("JST")
    page.go_back()
    expect(page.locator("#page-programs")).to_be_visible()
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#_pages_content$"))


def test_the_keyboard_alone_changes_what_is_shown(running: Pipeline, open_page: OpenPage) -> None:
    dashboard = market(running, open_page, "?symbol=BTCUSDT&interval=1s")
    page = dashboard.page
    page.locator("#interval-select input:checked").focus()
    page.keyboard.press("ArrowRight")
    until(lambda: shown(dashboard) == "candles|BTCUSDT|5s", LOAD_S)
    page.locator("#menu-pairs").press("Enter")
    expect(page.locator("#pair-select")).to_have_value(PAIR)
    page.locator("#pair-select").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("SOL")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(lambda: OTHER_PAIR in page.title(), LOAD_S)
    tabs = dict(zip(sidebar.TABS.values(), sidebar.TABS, strict=True))
    for before, after in itertools.pairwise(tabs):
        page.get_by_role("tab", name=before).press("ArrowRight")
        expect(page.get_by_role("tab", name=after)).to_have_attribute("aria-selected", "true")
        until(lambda: f"side={tabs[after]}" in page.evaluate("location.search"), LOAD_S)  # noqa: B023
