"""Incidents over the fake API: found by their rule, called false alarms, and led back to their moment."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Served


def test_an_incident_is_found_by_its_rule_judged_and_leads_to_its_moment(
    fake_api: Served, dashboard_server: Served, open_page: OpenPage
) -> None:
    fired = fake_api.post("/fake/alert", ago_s=60)
    own = fake_api.post("/fake/alert", rule="far-out")
    page = open_page(dashboard_server.url, "alerts?rule=far-out").page
    row = page.locator(f"#alerts-table .ag-center-cols-container [row-id='{own['alert_id']}']")
    other = page.locator(f"#alerts-table [row-id='{fired['alert_id']}']")
    expect(row.locator("[col-id=rule] a")).to_have_attribute("href", "/rules?rule=far-out")
    expect(other).to_have_count(0)

    row.get_by_role("button", name="Say whether the alert").click()
    dialog = page.get_by_role("dialog", name="Was this a false alarm?")
    dialog.get_by_label("Why").fill("the venue was in auction")
    dialog.get_by_role("button", name="False alarm", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(row.locator("[col-id=judged]")).to_contain_text("desk: the venue was in auction")
    assert fake_api.get("/v1/incidents?rule=far-out")["data"][0]["false_by"] == "desk"

    page.locator("#alerts-rule").click()
    page.get_by_role("option", name="All rules").click()
    expect(other.first).to_be_visible()
    assert "rule=" not in page.url
    row.locator("[col-id=time] a").click()
    expect(page.locator("#past-title")).to_contain_text("the past, not now")
    assert f"past={own['event_time'][:13]}" in page.url
    page.locator("#past-back").click()
    expect(page.locator("#past")).to_be_hidden()
    assert "past=" not in page.url


@pytest.mark.long
def test_a_reader_sees_alerts_and_no_buttons(
    fake_api: Served, dashboard_server: Served, open_page: OpenPage
) -> None:
    fired = fake_api.post("/fake/alert")
    fake_api.post("/fake/pairs", role="read")
    page = open_page(dashboard_server.url, "alerts").page
    row = page.locator(f"#alerts-table .ag-center-cols-container [row-id='{fired['alert_id']}']")
    expect(row.locator("[col-id=time] a")).to_be_visible()
    expect(page.locator("#alerts-reader")).to_contain_text("Read only. Expected a caller with the role write")
    for button in ("[data-mark]", "[data-does=ack]", "select[data-alert]"):
        expect(row.locator(button)).to_be_attached()
        expect(row.locator(button)).to_be_hidden()
    expect(page.locator("body.is-reader")).to_be_attached()
    fake_api.post("/fake/alert")
    toast = page.locator(".toast").first
    expect(toast).to_be_visible()
    expect(toast.locator("[data-does=ack]")).to_be_hidden()
    expect(toast.locator(".alert-snoozes")).to_be_hidden()
    fake_api.post("/fake/pairs", role="write")
