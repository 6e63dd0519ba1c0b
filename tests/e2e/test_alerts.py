"""Alerts page over the fake API, and toasts and the banner of firing alerts on every page."""

import re
import time
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, until

PAIR, OTHER = "ETHUSDT-BTCUSDT", "SOLUSDT-ETHUSDT"
# Counts the notes that are played.
EAR = """window.notes = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.notes += 1; start.apply(this, when); };"""


@pytest.fixture(autouse=True)
def _calm(fake_api: Served) -> None:
    """Nothing fires, and nothing is snoozed."""
    fake_api.post("/fake/alerts", wake=True)
    for pair in (PAIR, OTHER):
        fake_api.post("/fake/alert", pair=pair, state="resolved")


@pytest.fixture
def alerts_page(open_page: OpenPage, dashboard_server: Served) -> Dashboard:
    return listed(open_page(dashboard_server.url, "alerts"))


def listed(dashboard: Dashboard) -> Dashboard:
    """Return the page once it has read the history, and the stream is there."""
    until(lambda: dashboard.props("alerts-first").get("data"))
    dashboard.changes("clock")
    return dashboard


def row(dashboard: Dashboard, alert: dict[str, Any]) -> Locator:
    return dashboard.page.locator(f"#alerts-table [row-id='{alert['alert_id']}']")


def toast(dashboard: Dashboard) -> Locator:
    return dashboard.page.locator(".mantine-Notification-root")


def test_an_alert_is_called_out_listed_and_stays_in_the_banner_until_it_is_resolved(
    alerts_page: Dashboard, fake_api: Served
) -> None:
    alert = fake_api.post("/fake/alert")
    began = time.monotonic()
    expect(toast(alerts_page)).to_contain_text(alert["message"], timeout=1000)
    assert time.monotonic() - began < 1
    expect(row(alerts_page, alert)).to_contain_text("firing")
    firing = alerts_page.page.locator("#firing")
    expect(firing).to_contain_text(re.compile(f"1 alert is firing.*{PAIR}.*z .*at the last close, since"))
    expect(alerts_page.page.locator("#thresholds-table")).to_contain_text("Firing since")
    fake_api.post("/fake/alert", state="resolved")
    expect(firing).to_be_hidden()
    expect(alerts_page.page.locator("#alerts-empty")).to_be_hidden()


@pytest.mark.long
def test_the_history_has_one_row_per_incident_and_only_what_fires_is_red(
    alerts_page: Dashboard, fake_api: Served
) -> None:
    page = alerts_page.page
    over, other = fake_api.post("/fake/alert"), fake_api.post("/fake/alert", pair=OTHER)
    line = row(alerts_page, over)
    expect(line.locator("[col-id=state].firing")).to_have_text("firing")
    end = fake_api.post("/fake/alert", state="resolved")
    expect(line.locator("[col-id=state]")).to_have_text("resolved")
    expect(line.locator(".firing, [col-id=handling] button, select")).to_have_count(0)
    expect(line.locator("[col-id=lasted]")).to_have_text(re.compile(r"\d s$"))
    expect(row(alerts_page, end)).to_have_count(0)
    still = fake_api.post("/fake/alert")
    page.locator("#alerts-ack-all", has_text="Acknowledge 2 firing").click()
    expect(page.locator("#alerts-said")).to_have_text("2 alerts acknowledged.")
    for fired in (other, still):
        expect(row(alerts_page, fired)).to_contain_text("Acknowledged by local")
    expect(page.locator("#alerts-ack-all")).to_be_hidden()
    page.locator("#alerts-pair").click()
    page.get_by_role("option", name=OTHER).click()
    page.locator("#alerts-snooze-all").click()
    page.get_by_role("option", name="1 h").click()
    expect(row(alerts_page, other)).to_contain_text("Snoozed until")
    fake_api.post("/fake/alert", pair=OTHER)
    alerts_page.changes("clock")
    assert toast(alerts_page).filter(has_text=OTHER).count() == 0


@pytest.mark.long
def test_earlier_alerts_are_listed_but_not_called_out(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    alert = fake_api.post("/fake/alert")
    dashboard = listed(open_page(dashboard_server.url, "alerts"))
    expect(row(dashboard, alert)).to_be_visible()
    dashboard.changes("clock")
    assert toast(dashboard).count() == 0


@pytest.mark.long
def test_acknowledging_in_a_toast_is_seen_in_every_tab(
    alerts_page: Dashboard, dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    other = open_page(dashboard_server.url, "pairs")
    other.changes("clock")
    alert = fake_api.post("/fake/alert")
    expect(toast(alerts_page)).to_be_visible()
    toast(other).get_by_role("button", name=f"Acknowledge the alert of {PAIR}").click()
    expect(row(alerts_page, alert)).to_contain_text("Acknowledged by local")
    for dashboard in (alerts_page, other):
        expect(toast(dashboard)).to_have_count(0)
        expect(dashboard.page.locator("#firing")).to_be_hidden()


@pytest.mark.long
def test_a_row_is_acknowledged_by_keyboard(alerts_page: Dashboard, fake_api: Served) -> None:
    alert = fake_api.post("/fake/alert")
    row(alerts_page, alert).locator("[col-id=state]").click()
    for key in ("Tab", "Tab", "Enter"):
        alerts_page.page.keyboard.press(key)
    expect(row(alerts_page, alert)).to_contain_text("Acknowledged by local")


@pytest.mark.long
def test_a_snoozed_pair_is_not_called_out_until_the_snooze_ends(
    alerts_page: Dashboard, fake_api: Served
) -> None:
    alert = fake_api.post("/fake/alert")
    choice = row(alerts_page, alert).get_by_label(f"Snooze {PAIR}")
    choice.select_option(label="4 h")
    expect(row(alerts_page, alert)).to_contain_text("Snoozed until")
    expect(alerts_page.page.locator("#firing")).to_be_hidden()
    expect(toast(alerts_page)).to_have_count(0)
    later = fake_api.post("/fake/alert")
    expect(row(alerts_page, later)).to_be_visible()
    assert toast(alerts_page).count() == 0
    choice.select_option(label="End the snooze")
    expect(alerts_page.page.locator("#firing")).to_contain_text(PAIR)
    fake_api.post("/fake/alert")
    expect(toast(alerts_page)).to_be_visible()


@pytest.mark.long
def test_a_snooze_of_another_length_is_asked_for_and_refused_in_words(
    alerts_page: Dashboard, fake_api: Served
) -> None:
    alert = fake_api.post("/fake/alert")
    toast(alerts_page).get_by_role("button", name=f"Snooze {PAIR}: Other").click()
    dialog = alerts_page.page.get_by_role("dialog")
    expect(dialog).to_contain_text(PAIR)
    count = dialog.get_by_label("Snooze for")
    count.fill("9999")
    dialog.get_by_role("button", name="Snooze", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("2592000")
    count.fill("36")
    dialog.get_by_role("button", name="Snooze", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(row(alerts_page, alert)).to_contain_text("Snoozed until")


@pytest.mark.long
def test_what_the_api_refuses_is_said(alerts_page: Dashboard, fake_api: Served) -> None:
    alert = fake_api.post("/fake/alert")
    fake_api.post("/fake/alerts", refuse=alert["alert_id"])
    row(alerts_page, alert).get_by_role("button", name="Acknowledge").click()
    refusal = alerts_page.page.locator(".is-refusal")
    expect(refusal).to_contain_text("Not acknowledged")
    expect(refusal).to_contain_text("Expected the id of a stored alert")


@pytest.mark.long
def test_the_filters_are_in_the_address_and_in_the_csv(alerts_page: Dashboard, fake_api: Served) -> None:
    over = fake_api.post("/fake/alert", pair=OTHER)
    fake_api.post("/fake/alert", pair=OTHER, state="resolved")
    kept = fake_api.post("/fake/alert", pair=OTHER)
    gone = fake_api.post("/fake/alert", pair=PAIR)
    page = alerts_page.page
    expect(row(alerts_page, gone)).to_be_visible()
    page.locator("#alerts-pair").click()
    page.get_by_role("option", name=OTHER).click()
    page.locator("#alerts-state").get_by_text("Firing").click()
    expect(row(alerts_page, gone)).to_have_count(0)
    expect(row(alerts_page, over)).to_have_count(0)
    expect(row(alerts_page, kept)).to_be_visible()
    expect(page.locator("#alerts-table [col-id=state]", has_text="resolved")).to_have_count(0)
    page.locator("#alerts-from").fill("2026-01-31 12:30")
    until(lambda: "from=2026-01-31T12%3A30Z" in page.evaluate("location.href"))
    assert f"pair={OTHER}&state=firing" in page.url
    until(lambda: "start=1769862600000000" in (page.locator("#alerts-csv").get_attribute("href") or ""))
    link = page.locator("#alerts-csv").get_attribute("href") or ""
    head, *lines = httpx.get(page.url.split("/alerts")[0] + link).text.splitlines()
    assert head == "alert_id,pair,state"
    assert f"{kept['alert_id']},{OTHER},firing" in lines
    assert all(line.endswith(f"{OTHER},firing") for line in lines)
    page.locator("#alerts-to").fill("2026-01-31 13:30")
    expect(page.locator("#alerts-empty")).to_have_text(
        f"No firing alert of {OTHER} since 2026-01-31 12:30:00 UTC before 2026-01-31 13:30:00 UTC."
    )


@pytest.mark.long
def test_what_is_snoozed_and_what_is_not_are_listed_apart(
    alerts_page: Dashboard, dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    silent = fake_api.post("/fake/alert", pair=OTHER)
    loud = fake_api.post("/fake/alert", pair=PAIR)
    row(alerts_page, silent).get_by_label(f"Snooze {OTHER}").select_option(label="1 h")
    expect(row(alerts_page, silent)).to_contain_text("Snoozed until")
    choice = alerts_page.page.get_by_role("radiogroup", name="Snooze")
    choice.get_by_text("Snoozed", exact=True).click()
    expect(row(alerts_page, loud)).to_have_count(0)
    expect(row(alerts_page, silent)).to_be_visible()
    same = listed(open_page(dashboard_server.url, alerts_page.page.url.split("/")[-1]))
    expect(row(same, silent)).to_be_visible()
    expect(row(same, loud)).to_have_count(0)
    choice.get_by_text("Not snoozed").click()
    expect(row(alerts_page, loud)).to_be_visible()
    expect(row(alerts_page, silent)).to_have_count(0)
    assert "snoozed=no" in alerts_page.page.url
    # Who looks at what is snoozed sees it go when its snooze ends.
    row(same, silent).get_by_label(f"Snooze {OTHER}").select_option(label="End the snooze")
    expect(row(same, silent)).to_have_count(0)


@pytest.mark.long
def test_the_address_is_read_in_the_readers_time_zone(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    fake_api.post("/fake/alert")
    query = f"alerts?pair={OTHER}&state=resolved&to=2026-01-31T12:30Z&zone=Asia/Tokyo"
    dashboard = listed(open_page(dashboard_server.url, query))
    expect(dashboard.page.locator("#alerts-to")).to_have_value("2026-01-31T21:30")
    expect(dashboard.page.locator("#alerts-pair")).to_have_value(OTHER)
    expect(dashboard.page.locator("#alerts-empty")).to_have_text(
        f"No resolved alert of {OTHER} before 2026-01-31 21:30:00 JST."
    )


@pytest.mark.long
def test_older_alerts_are_read_and_new_ones_do_not_move_what_is_read(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    for n in range(130):
        fake_api.post("/fake/alert", ago_s=1000 + n)
    fake_api.post("/fake/alert")  # the banner is there before, and a later alert moves nothing
    total = len(httpx.get(f"{fake_api.url}/v1/incidents?limit=1000").json()["data"])
    dashboard = listed(open_page(dashboard_server.url, "alerts?to=2099-01-01T00:00Z"))
    count = "() => window.dash_ag_grid.getApi('alerts-table').getDisplayedRowCount()"
    # A page of a hundred, and what the stream has brought since that was read.
    until(lambda: 100 <= dashboard.page.evaluate(count) < total)
    dashboard.page.locator("#alerts-older").click()
    until(lambda: dashboard.page.evaluate(count) == total)
    expect(dashboard.page.locator("#alerts-said")).to_have_text("No older alerts.")
    expect(dashboard.page.locator("#alerts-older")).to_be_hidden()
    box = dashboard.page.locator("#alerts-table").bounding_box()
    assert box
    dashboard.page.mouse.move(box["x"] + 200, box["y"] + 200)
    dashboard.page.mouse.wheel(0, 1000)
    read = dashboard.page.locator("#alerts-table [row-index='45'] [col-id=time]")
    expect(read).to_be_visible()
    before, words = read.bounding_box(), read.inner_text()
    fake_api.post("/fake/alert")
    until(lambda: dashboard.page.evaluate(count) == total + 1)
    moved = dashboard.page.locator("#alerts-table [row-index='46'] [col-id=time]")
    expect(moved).to_have_text(words)
    assert moved.bounding_box() == before


@pytest.mark.long
def test_a_threshold_is_changed_in_its_cell(alerts_page: Dashboard) -> None:
    page = alerts_page.page
    line, said = page.locator(f"#thresholds-table [row-id='{OTHER}']"), page.locator("#thresholds-said")

    def put(column: str, value: str) -> None:
        line.locator(f"[col-id={column}]").click()
        page.keyboard.press("Control+a")
        page.keyboard.type(value)
        page.keyboard.press("Enter")

    put("entry", "2.25")
    expect(said).to_have_text(f"{OTHER}: entry is 2.25 now.")
    put("exit", "3")
    expect(said).to_contain_text(f"{OTHER}, exit not changed. Expected exit_z below entry_z 2.25")
    expect(line.locator("[col-id=exit]")).to_have_text("0.5")
    expect(line.locator("[col-id=entry]")).to_have_text("2.25")
    put("entry", "2")
    expect(said).to_have_text(f"{OTHER}: entry is 2 now.")


@pytest.mark.long
def test_the_tone_is_off_until_it_is_switched_on_and_remembered(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    dashboard = listed(open_page(dashboard_server.url, "alerts", script=EAR))
    fake_api.post("/fake/alert")
    expect(toast(dashboard)).to_have_count(1)
    assert dashboard.page.evaluate("window.notes") == 0
    dashboard.page.locator("label", has_text="Sound").click()
    until(lambda: dashboard.page.evaluate("window.notes") == 2)  # so it sounds
    fake_api.post("/fake/alert")
    until(lambda: dashboard.page.evaluate("window.notes") == 4)
    dashboard.page.reload()
    expect(dashboard.page.locator("#alert-sound")).to_be_checked()


@pytest.mark.long
def test_a_pair_in_the_banner_leads_to_its_page(alerts_page: Dashboard, fake_api: Served) -> None:
    fake_api.post("/fake/alert", pair=OTHER)
    alerts_page.page.locator("#firing").get_by_role("link", name=OTHER).click()
    expect(alerts_page.page.locator("#pair-select")).to_have_value(OTHER)
    assert alerts_page.page.url.endswith(f"/pairs?pair={OTHER}") or f"pair={OTHER}" in alerts_page.page.url


@pytest.mark.long
def test_a_history_that_cannot_be_read_is_said_and_comes_back(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    fake_api.post("/fake/alerts", away=True)
    try:
        dashboard = open_page(dashboard_server.url, f"alerts?to=2026-01-01T00:00Z&pair={PAIR}")
        empty = dashboard.page.locator("#alerts-empty")
        expect(empty).to_contain_text("The history cannot be read")
        expect(empty).to_contain_text("the database is away")
    finally:
        fake_api.post("/fake/alerts", away=False)
    expect(empty).to_contain_text(f"No alert of {PAIR} before")
