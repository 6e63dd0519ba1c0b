"""Symbols that are found and collected by typing: over the fake API, and in a whole pipeline."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard
from tests.pipeline import pipeline


def test_any_listed_symbol_is_found_and_collected(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.locator("#listed-find").fill("币安")
    page.get_by_role("option", name="币安人生USDT", exact=True).click()
    page.locator("#listed-collect").click()
    expect(page.locator("#listed-status")).to_have_text(
        "币安人生USDT is filling: its history is being loaded."
    )
    row = page.locator("#symbols-table .ag-row[row-id=币安人生USDT] [col-id=age]")
    expect(row).to_have_text("filling")
    page.locator("#listed-find").fill("NOUSDT")
    page.locator("#listed-find").press("Enter")
    expect(page.locator("#listed-status")).to_contain_text("Not collected. Expected one of BTCUSDT")


@pytest.mark.long
@pytest.mark.timeout(240)
def test_a_symbol_and_a_pair_are_typed_and_their_first_live_signal_is_seen(
    data_dir: Path, open_page: OpenPage
) -> None:
    with pipeline(data_dir, "--feed", "synthetic", "--symbols", "BTCUSDT,ETHUSDT") as running:
        page = open_page(running.dashboard).page
        page.locator("#listed-find").fill("bnb")
        page.get_by_role("option", name="BNBUSDT", exact=True).click()
        page.locator("#listed-collect").click()
        expect(page.locator("#listed-status")).to_contain_text("BNBUSDT is filling")
        age = page.locator("#symbols-table .ag-row[row-id=BNBUSDT] [col-id=age]")
        expect(age).to_have_text(re.compile("^[0-9]+ s$|^now$|^0"))
        page.close()
        page = open_page(running.dashboard, "pairs").page
        page.get_by_role("tab", name="Pairs").click()
        page.locator("#add-y").fill("SOLUSDT")
        page.locator("#add-x").fill("BNBUSDT")
        page.locator("#manage-add").click()
        expect(page.locator("#add-status")).to_contain_text("SOLUSDT-BNBUSDT is watched")
        expect(page.locator("#pair-select")).to_have_value("SOLUSDT-BNBUSDT")
        expect(page.locator("#metric-zscore")).to_contain_text(re.compile(r"[0-9]\.[0-9]"), timeout=90_000)
        page.close()
