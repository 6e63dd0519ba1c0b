"""Delivery lag of each leg on the pages health and pairs, over the fake API."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Served


@pytest.fixture
def late_leg(fake_api: Served) -> Iterator[None]:
    fake_api.post("/fake/delivered", symbol="BTCUSDT", now=85, p50=80, p99=240)
    fake_api.post("/fake/delivered", symbol="ETHUSDT", now=5_104, p50=4_912, p99=6_008)
    fake_api.post("/fake/delivered", symbol="SOLUSDT", now=120, p50=110, p99=1_504)
    yield
    fake_api.post("/fake/delivered")


@pytest.mark.usefixtures("late_leg")
def test_the_worst_comes_first_and_is_marked(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    page = open_page(dashboard_server.url, "health").page
    names = page.locator("#delivery-table .ag-pinned-left-cols-container .ag-row")
    cells = page.locator("#delivery-table .ag-center-cols-container [row-id='ETHUSDT'] .ag-cell")
    expect(cells).to_have_text(["5.1 s", "4.9 s", "6.0 s"])
    for place, name in enumerate(("ETHUSDT", "SOLUSDT", "BTCUSDT")):
        expect(names.locator(f"xpath=../*[@row-index='{place}']")).to_have_text(name)
    marked = page.locator("#delivery-table .ag-cell.late")
    expect(marked).to_have_count(3)
    fake_api.post("/fake/delivered", symbol="BTCUSDT", now=2_504, p50=80, p99=9_024)
    expect(names.locator("xpath=../*[@row-index='0']")).to_have_text("BTCUSDT")
    expect(marked).to_have_count(5)


@pytest.mark.long
@pytest.mark.usefixtures("late_leg")
@pytest.mark.parametrize("width", [1280, 390])
def test_a_leg_that_is_late_says_so_on_its_card(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage, width: int
) -> None:
    page = open_page(dashboard_server.url, "pairs", viewport={"width": width, "height": 844}).page
    expect(page.locator("#metric-y-note")).to_contain_text("delivered 5.1 s late")
    expect(page.locator("#card-y")).to_have_attribute("title", "ETHUSDT: delivered 5.1 s late")
    expect(page.locator("#metric-x-note")).not_to_contain_text("delivered")
    expect(page.locator("#card-x")).to_have_attribute("title", "BTCUSDT: delivered 85 ms after the trade")
    assert page.evaluate("() => document.documentElement.scrollWidth") == width
    fake_api.post("/fake/delivered", symbol="ETHUSDT", now=90, p50=80, p99=240)
    expect(page.locator("#metric-y-note")).not_to_contain_text("delivered")
