"""Rules page over the fake API: write, try, pause and remove a rule; begin and end a silence; read only."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, until


@pytest.fixture
def rules_page(fake_api: Served, dashboard_server: Served, open_page: OpenPage) -> Iterator[Dashboard]:
    opened = open_page(dashboard_server.url, "rules")
    expect(opened.page.locator("#rules-table [row-id='built-in.feed-stale']")).to_contain_text("built-in")
    yield opened
    fake_api.post("/fake/pairs", role="write")


def rules(fake_api: Served) -> dict[str, Any]:
    return {one["id"]: one for one in fake_api.get("/v1/rules")["data"]}


def test_a_rule_is_tried_saved_paused_and_removed_and_a_silence_begins_and_ends(
    rules_page: Dashboard, fake_api: Served
) -> None:
    dashboard, page = rules_page, rules_page.page
    tried, row = page.locator("#rule-tried"), page.locator("#rules-table [row-id='far-out']")
    expect(tried).to_have_text("Would have fired 2 times in the last hour (1 pair), median duration 45 s.")
    expect(page.locator("#rule-firings li")).to_have_count(2)
    expect(page.locator("#rule-caption")).to_contain_text("zscore of ETHUSDT-BTCUSDT")
    # Its line, two levels on both sides, and the firings.
    until(lambda: len(dashboard.props("chart-rule").get("series") or ()) == 6)
    until(lambda: dashboard.colors_drawn("chart-rule") > 4)
    slider = page.get_by_role("slider", name="Fires at, slider")
    slider.press("End")
    expect(tried).to_have_text("Would not have fired in the last hour (1 pair).")
    assert float(page.locator("#rule-fire").input_value()) > 3
    page.locator("#rule-fire").fill("4")
    expect(tried).to_have_text("Would not have fired in the last hour (1 pair).")
    page.locator("#rule-at").fill("2026-01-31T12:03:00")
    expect(page.locator("#rule-why")).to_contain_text("12:03:00 UTC: normal, condition 1: zscore is 1.2")
    page.locator("#rule-clear").fill("5")
    expect(page.locator(".is-rule .mantine-InputWrapper-error")).to_contain_text("clear")
    page.locator("#rule-clear").fill("2")
    expect(page.locator(".is-rule .mantine-InputWrapper-error")).to_have_count(0)

    page.locator("#rule-name").fill("Far out")
    # What is refused is in sight, at its field, though that was folded away.
    page.evaluate("pairstream.set('rule-message', { value: '{nobody}' })")
    refused = page.locator(".rule-more .mantine-InputWrapper-error")
    expect(refused).to_contain_text("a placeholder among rule")
    expect(refused).to_be_visible()
    page.locator("#rule-message").fill("{subject} at {zscore:+.2f}")
    expect(page.locator("#rule-message-preview")).to_have_text("{subject} at {zscore:+.2f}")
    page.locator("#rule-correlation").fill("0.5")
    page.locator("#rule-cooldown_s").fill("60")
    page.locator("#rule-labels").fill("desk=fx")
    page.locator("#rule-save").click()
    expect(page.locator("#rule-status")).to_have_text("Saved: Far out.")
    expect(row).to_contain_text("zscore outside −4 to 4 for 5 s")
    condition = rules(fake_api)["far-out"]["conditions"][0]
    assert (condition["fire"], condition["clear"]) == (4.0, 2.0)
    saved = rules(fake_api)["far-out"]
    assert (saved["cooldown_s"], saved["labels"], saved["message"]) == (
        60.0,
        {"desk": "fx"},
        "{subject} at {zscore:+.2f}",
    )
    assert saved["gates"] == [{"metric": "return_correlation", "operator": "above", "level": 0.5}]

    assert page.url.endswith("?rule=far-out")
    expect(page.locator("#rule-record")).to_contain_text("False alarms")
    expect(page.locator("#rule-record a")).to_have_attribute("href", "/alerts?rule=far-out")
    page.get_by_role("button", name="1 h", exact=True).click()
    expect(page.locator("#rule-snoozed")).to_contain_text("Snoozed until")
    expect(row).to_contain_text("snoozed")
    page.get_by_role("button", name="End the snooze").click()
    expect(page.locator("#rule-snoozed")).to_have_text("")
    assert fake_api.get("/v1/silences")["data"] == []

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


@pytest.mark.long
def test_a_reader_sees_rules_and_no_buttons(
    fake_api: Served, dashboard_server: Served, open_page: OpenPage, rules_page: Dashboard
) -> None:
    expect(rules_page.page.locator("#rule-save")).to_be_visible()
    fake_api.post("/fake/pairs", role="read")
    page = open_page(dashboard_server.url, "rules?rule=built-in.feed-stale").page
    expect(page.locator("#rule-name")).to_have_value("Feed is stale")
    expect(page.locator("#rules-table .ag-row-selected")).to_contain_text("Feed is stale")
    expect(page.locator("#rules-reader")).to_contain_text("Read only. Expected a caller with the role write")
    expect(page.locator("#rule-tried")).to_contain_text("only those who may write try a rule")
    for button in (
        "rule-save",
        "rule-remove",
        "rule-pause",
        "rule-new",
        "rule-snooze-3600",
        "silence-add",
        "silence-end",
    ):
        expect(page.locator(f"#{button}")).to_be_hidden()
