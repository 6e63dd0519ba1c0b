"""Rules page over the fake API: write, try, pause and remove a rule; begin and end a silence; read only."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Served


@pytest.fixture
def rules_page(fake_api: Served, dashboard_server: Served, open_page: OpenPage) -> Iterator[Page]:
    page = open_page(dashboard_server.url, "rules").page
    expect(page.locator("#rules-table [row-id='built-in.feed-stale']")).to_contain_text("built-in")
    yield page
    fake_api.post("/fake/pairs", role="write")


def rules(fake_api: Served) -> dict[str, Any]:
    return {one["id"]: one for one in fake_api.get("/v1/rules")["data"]}


def test_a_rule_is_tried_saved_paused_and_removed_and_a_silence_begins_and_ends(
    rules_page: Page, fake_api: Served
) -> None:
    page = rules_page
    tried, row = page.locator("#rule-tried"), page.locator("#rules-table [row-id='far-out']")
    expect(tried).to_have_text("Would have fired 2 times in the last hour (1 pair), median duration 45 s.")
    expect(page.locator("#rule-firings li")).to_have_count(2)
    page.locator("#rule-fire").fill("4")
    expect(tried).to_have_text("Would not have fired in the last hour (1 pair).")
    page.locator("#rule-clear").fill("5")
    expect(page.locator(".is-rule .mantine-InputWrapper-error")).to_contain_text("clear")
    page.locator("#rule-clear").fill("2")
    expect(page.locator(".is-rule .mantine-InputWrapper-error")).to_have_count(0)

    page.locator("#rule-name").fill("Far out")
    page.locator("#rule-save").click()
    expect(page.locator("#rule-status")).to_have_text("Saved: Far out.")
    expect(row).to_contain_text("zscore outside −4 to 4 for 5 s")
    condition = rules(fake_api)["far-out"]["conditions"][0]
    assert (condition["fire"], condition["clear"]) == (4.0, 2.0)

    page.locator("#rule-pause").click()
    expect(row).to_contain_text("paused")
    assert rules(fake_api)["far-out"]["paused"]
    page.locator("#rules-table [row-id='built-in.feed-stale'] [col-id=name]").click()
    expect(page.locator("#rule-metric")).to_have_value("stream_stale")
    expect(tried).to_contain_text("a rule of a symbol cannot be tried")
    expect(page.locator("#rule-remove")).to_be_disabled()
    row.locator("[col-id=name]").click()
    expect(page.locator("#rule-name")).to_have_value("Far out")
    page.locator("#rule-remove").click()
    page.get_by_role("dialog", name="Remove this rule?").get_by_role("button", name="Remove it").click()
    expect(row).to_have_count(0)
    assert "far-out" not in rules(fake_api)

    page.locator("#silence-pattern").fill("ETHUSDT-*")
    page.locator("#silence-until").fill("2099-01-01T00:00")
    page.locator("#silence-add").click()
    silence = page.locator("#silences-table .ag-row[row-id]")
    expect(silence).to_contain_text("pair ETHUSDT-*")
    silence.locator("[col-id=of]").click()
    page.locator("#silence-end").click()
    expect(silence).to_have_count(0)
    assert fake_api.get("/v1/silences")["data"] == []


def test_a_reader_sees_rules_and_no_buttons(
    fake_api: Served, dashboard_server: Served, open_page: OpenPage, rules_page: Page
) -> None:
    expect(rules_page.locator("#rule-save")).to_be_visible()
    fake_api.post("/fake/pairs", role="read")
    page = open_page(dashboard_server.url, "rules").page
    expect(page.locator("#rules-reader")).to_contain_text("Read only. Expected a caller with the role write")
    expect(page.locator("#rule-tried")).to_contain_text("only those who may write try a rule")
    for button in ("rule-save", "rule-remove", "rule-pause", "rule-new", "silence-add", "silence-end"):
        expect(page.locator(f"#{button}")).to_be_hidden()
