"""Uncertainty of a pair's numbers on its page, over the fake API."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, until
from tests.e2e.test_accessibility import DESK, PHONE
from tests.e2e.test_pairs import lines, world

OTHER = "SOLUSDT-ETHUSDT"


@pytest.mark.long
def test_the_cards_say_how_far_a_number_can_be_trusted(pairs_page: Dashboard, fake_api: Served) -> None:
    page = pairs_page.page
    expect(page.locator("#metric-zscore-note")).to_contain_text(
        re.compile("beyond (all|[0-9]+ %) of the last hour")
    )
    expect(page.locator("#metric-hedge-ratio-note")).to_contain_text("R² 0.971")
    expect(page.locator("#metric-correlation-note")).to_contain_text("of returns +0.41")
    expect(page.locator("#metric-correlation-note")).to_contain_text("ETHUSDT leads by 2 s")
    expect(page.locator("#metric-reversion")).to_have_text("unproven")
    expect(page.locator("#metric-reversion-note")).to_have_text("half-life 42 s\n19 to 130 s, p 0.18")
    assert (page.locator("#card-reversion").get_attribute("title") or "").startswith(
        "The spread was not shown to"
    )
    with world(fake_api, {"reversion": "unproven"}, reversion="reverting"):
        expect(page.locator("#metric-reversion")).to_have_text("reverting")
        expect(page.locator("#card-reversion")).to_have_class(re.compile("calm"))


@pytest.mark.long
def test_nothing_moves_when_a_number_becomes_known_or_unknown(
    pairs_page: Dashboard, fake_api: Served
) -> None:
    page = pairs_page.page
    heights = "() => [...document.querySelectorAll('.card')].map((card) => card.clientHeight)"
    for width, height in ((1920, 1080), DESK, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        expect(page.locator("#metric-reversion")).to_have_text("unproven")
        known = page.evaluate(heights)
        with world(fake_api, {"quality": "ok"}, quality="not_enough_data"):
            expect(page.locator("#metric-zscore")).to_have_text("123 / 300")
            assert page.evaluate(heights) == known


@pytest.mark.long
def test_an_outlier_is_marked_and_the_cursor_names_the_remedy(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    at = int(time.time()) - 60
    fake_api.post("/fake/correct", second=at, zscore=5.2, late=0, outlier=True, pair=OTHER)
    page = open_page(dashboard_server.url, f"pairs?pair={OTHER}&range=5m&panes=zscore")

    def marks() -> list[dict[str, Any]]:
        return [one for one in lines(page).get("zscore", {}).get("markers") or [] if "Outlier" in one["id"]]

    until(lambda: [one["time"] for one in marks()] == [at], 30)
    assert "Theil-Sen is robust to it" in marks()[0]["id"]
