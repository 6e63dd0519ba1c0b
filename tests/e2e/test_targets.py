"""Delivery page over the fake API: write, test, rotate, replay and remove a target; the log; read only."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Served


@pytest.fixture
def delivery_page(fake_api: Served, dashboard_server: Served, open_page: OpenPage) -> Iterator[Page]:
    page = open_page(dashboard_server.url, "rules").page
    page.get_by_role("link", name="Delivery", exact=True).click()
    expect(page.locator("#targets-empty")).to_be_hidden()
    yield page
    fake_api.post("/fake/pairs", role="write")


@pytest.mark.long
def test_a_target_is_written_tested_rotated_replayed_and_removed(
    delivery_page: Page, fake_api: Served, open_page: OpenPage, dashboard_server: Served
) -> None:
    page = delivery_page
    status, row = page.locator("#target-status"), page.locator("#targets-table [row-id='desk-bot']")
    page.locator("#target-name").fill("Desk bot")
    page.locator("#target-url").fill("ftp://example.org/hook")
    page.locator("#target-save").click()
    expect(page.locator(".is-target .mantine-InputWrapper-error")).to_contain_text("http")
    page.locator("#target-url").fill("https://example.org/hook")
    page.locator("#target-matchers").fill("labels.desk=fx")
    page.locator("#target-save").click()
    expect(status).to_have_text("Saved: Desk bot.")
    expect(page.locator(".is-target .mantine-InputWrapper-error")).to_have_count(0)
    secret = page.locator("#target-secret")
    expect(secret).to_contain_text("whsec_")
    first = secret.inner_text()
    expect(row).to_contain_text("https://example.org/hook")
    assert page.url.endswith("?target=desk-bot")
    (stored,) = fake_api.get("/v1/targets")["data"]
    assert (stored["matchers"], stored["group_by"]) == ({"labels.desk": "fx"}, ["rule"])

    page.locator("#target-test").click()
    expect(status).to_have_text("The test has arrived, in 12 ms.")
    log = page.locator("#deliveries-table .ag-row[row-id]")
    expect(log).to_contain_text("delivered")
    page.locator("#target-rotate").click()
    expect(secret).not_to_have_text(first)
    expect(page.locator("#target-about")).to_contain_text("signed with the secret of before, too")
    page.locator("#target-pause").click()
    expect(row).to_contain_text("paused")
    expect(page.locator("#target-secret-box")).to_be_hidden()

    alert = fake_api.post("/fake/alert")["alert_id"]
    fake_api.post("/fake/targets", target="desk-bot", alert=alert)
    expect(log).to_have_count(2)
    failed = log.filter(has_text="failed")
    expect(failed).to_contain_text("expected a status of 2xx, received 503")
    page.locator("#log-state").get_by_text("failed").click()
    expect(log).to_have_count(1)
    assert "state=failed" in page.url
    page.locator("#replay-from").fill("2026-01-01T00:00")
    page.locator("#replay-do").click()
    expect(status).to_have_text("0 deliveries are made again.")

    incidents = open_page(dashboard_server.url, "alerts").page
    incidents.locator(f"#alerts-table button[data-deliveries='{alert}']").click()
    told = incidents.locator("#arrivals-told")
    expect(told).to_contain_text("desk-bot, failed: expected a status of 2xx, received 503.")
    told.get_by_role("link", name="In the delivery log").click()
    expect(incidents.locator("#log-alert")).to_contain_text(alert)
    expect(incidents.locator("#deliveries-table .ag-row[row-id]")).to_have_count(1)

    fake_api.post("/fake/targets", target="desk-bot", disable="the receiver answered 410 Gone")
    expect(row).to_contain_text("410 Gone")
    page.locator("#target-remove").click()
    page.get_by_role("dialog", name="Remove this target?").get_by_role("button", name="Remove it").click()
    expect(row).to_have_count(0)
    assert fake_api.get("/v1/targets")["data"] == []


@pytest.mark.long
def test_a_reader_sees_targets_and_no_buttons(
    fake_api: Served, dashboard_server: Served, open_page: OpenPage, delivery_page: Page
) -> None:
    expect(delivery_page.locator("#target-save")).to_be_visible()
    fake_api.post("/fake/pairs", role="read")
    page = open_page(dashboard_server.url, "delivery").page
    expect(page.locator("#delivery-reader")).to_contain_text(
        "Read only. Expected a caller with the role write"
    )
    for button in ("save", "test", "pause", "rotate", "remove", "new", "replay"):
        expect(page.locator(f"#target-{button}")).to_be_hidden()
