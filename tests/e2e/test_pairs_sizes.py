"""Sizes of a hedged position on the page of pairs."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.stage import Dashboard


@pytest.mark.long
def test_units_and_notional_of_both_legs_are_told(pairs_page: Dashboard) -> None:
    page = pairs_page.page
    page.get_by_role("tab", name="Sizes").click()
    table = page.locator("#sizes-table")
    expect(table).to_contain_text("Buy ETHUSDT")
    expect(table).to_contain_text("Sell BTCUSDT")
    expect(table).to_contain_text("Rounded down to the venue's steps")
    expect(page.locator("#sizes-status")).to_have_text(
        re.compile(r"^Hedge ratio 0\.04\d+ \(OLS, window 300\) and prices of .* UTC\. On prices")
    )
    notional = page.get_by_label("Notional of one leg")
    notional.fill("0")
    expect(page.get_by_text("Expected a notional above 0, received nothing.")).to_be_visible()
    expect(table).to_be_empty()
    notional.fill("250000")
    page.locator("#sizes-leg").get_by_text("X", exact=True).click()
    expect(table).to_contain_text("Sell BTCUSDT")
    assert "side=sizes" in page.evaluate("location.search")
