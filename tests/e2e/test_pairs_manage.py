"""Management of pairs over the fake API: add, pause, resume, remove."""

import pytest
from playwright.sync_api import expect

from tests.e2e.stage import Dashboard, Served
from tests.e2e.test_pairs_side import OTHER, PAIR, as_it_was, choose, tab

__all__ = ["as_it_was"]


@pytest.mark.long
def test_a_pair_is_added_paused_resumed_and_removed(pairs_page: Dashboard, fake_api: Served) -> None:
    page = pairs_page.page
    tab(pairs_page, "Pairs")
    page.locator("#add-y").fill("solusdt")
    choose(pairs_page, "add-x", "BTCUSDT")
    page.locator("#manage-add").click()
    expect(page.locator("#add-status")).to_contain_text("SOLUSDT-BTCUSDT is watched: OLS on prices")
    expect(page.locator("#pair-select")).to_have_value("SOLUSDT-BTCUSDT")
    expect(page.locator("#label-x")).to_have_text("BTCUSDT")
    # The buttons act on the pair that is named beside them.
    expect(page.locator("#manage-state")).to_have_text("SOLUSDT-BTCUSDT is measured.")
    page.locator("#manage-pause").click()
    expect(page.locator("#manage-state")).to_have_text("SOLUSDT-BTCUSDT is paused.")
    expect(page.locator("#manage-status")).to_contain_text("Paused.")
    expect(page.locator("#manage-pause")).to_have_text("Resume")
    page.locator("#manage-pause").click()
    expect(page.locator("#manage-state")).to_have_text("SOLUSDT-BTCUSDT is measured.")
    page.locator("#manage-remove").click()
    dialog = page.get_by_role("dialog", name="Remove this pair?")
    expect(dialog).to_contain_text("SOLUSDT-BTCUSDT will not be watched any more")
    expect(dialog).to_contain_text("Lost: ")
    expect(dialog).to_contain_text("Kept: Its signals and alerts so far stay")
    page.locator("#remove-keep").click()
    expect(dialog).to_be_hidden()
    page.locator("#manage-remove").click()
    page.locator("#remove-do").click()
    expect(page.locator("#manage-status")).to_contain_text("SOLUSDT-BTCUSDT is removed.")
    expect(page.locator("#pair-select")).to_have_value(PAIR)
    assert [one["pair"] for one in fake_api.get("/v1/pairs")["data"]] == [PAIR, OTHER]


@pytest.mark.long
def test_why_a_pair_cannot_be_added_is_said(pairs_page: Dashboard, fake_api: Served) -> None:
    page = pairs_page.page
    tab(pairs_page, "Pairs")
    add, said = page.locator("#manage-add"), page.locator("#add-status")
    add.click()
    expect(said).to_have_text("Choose two symbols, Y and X.")
    page.locator("#add-y").fill("DOGEUSDT")
    page.locator("#add-x").fill("BTCUSDT")
    add.click()
    expect(said).to_contain_text(
        "Not added. Expected one of BTCUSDT, ETHUSDT, SOLUSDT, received DOGEUSDT-BTCUSDT."
    )
    page.locator("#add-y").fill("SOLUSDT")
    page.locator("#add-x").fill("ETHUSDT")
    add.click()
    expect(said).to_contain_text("is watched already")
    expect(page.locator("#pair-select")).to_have_value(OTHER)
    fake_api.post("/fake/pairs", role="read")
    page.locator("#manage-pause").click()
    expect(page.locator("#manage-status")).to_contain_text(
        "Not paused. Expected a caller with the role write"
    )
