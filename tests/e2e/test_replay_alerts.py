"""Controls of the alerts page, of toasts and of the banner, over a running pipeline."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Locator, expect

from services.common.clock import SECOND, now_us, to_iso
from services.contracts.messages import Alert
from services.contracts.topics import ALERTS
from tests.e2e.conftest import OpenPage
from tests.e2e.replayed import CALM_Z, LOAD_S, OTHER_PAIR, PAIR, alert, patch, saved, says
from tests.e2e.stage import Dashboard, until
from tests.e2e.test_alerts import EAR, listed
from tests.pipeline import Pipeline
from tests.stream_client import publish

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

SNOOZES = {"15 min": 900, "1 h": 3600, "4 h": 14_400, "1 d": 86_400}
ROWS_OF_A_PAGE = 100


@pytest.fixture
def rule(running: Pipeline) -> Iterator[str]:
    """Return a rule of its own, which holds for no pair afterwards and is not snoozed."""
    name = f"test-rule-{now_us()}"
    yield name
    for pair in (PAIR, OTHER_PAIR):
        publish(running.brokers, ALERTS, alert("it is over", pair, name, "resolved"))


@pytest.fixture
def alerts_page(running: Pipeline, open_page: OpenPage) -> Dashboard:
    return listed(open_page(running.dashboard, "alerts"))


def fire(running: Pipeline, rule: str, pair: str = PAIR) -> Alert:
    fired = alert(f"fired by {rule}", pair, rule)
    publish(running.brokers, ALERTS, fired)
    return fired


def stored(running: Pipeline, fired: Alert) -> dict[str, Any]:
    """Return what the API says of an alert."""
    found = running.get(f"/v1/alerts?rule={fired.rule_id}")["data"]
    return next((one for one in found if one["alert_id"] == fired.alert_id), {})


def toast(dashboard: Dashboard, fired: Alert) -> Locator:
    return dashboard.page.locator(f"#{fired.alert_id}")


def row(dashboard: Dashboard, fired: Alert) -> Locator:
    return dashboard.page.locator(f"#alerts-table .ag-row[row-id='{fired.alert_id}']")


def snoozed_s(running: Pipeline, fired: Alert) -> float:
    """Return for how long nobody is told of an alert."""
    until_us = stored(running, fired).get("snoozed_until_us")
    return 0 if until_us is None else (until_us - now_us()) / SECOND


def is_snoozed_for(running: Pipeline, fired: Alert, seconds: float) -> bool:
    return seconds - LOAD_S < snoozed_s(running, fired) <= seconds


def test_a_threshold_in_its_cell_makes_the_pipeline_fire_and_resolve(
    running: Pipeline, alerts_page: Dashboard
) -> None:
    page = alerts_page.page
    line, said = page.locator(f"#thresholds-table [row-id='{OTHER_PAIR}']"), page.locator("#thresholds-said")

    def put(column: str, value: str) -> None:
        line.locator(f"[col-id={column}]").click()
        editor = line.locator(f"[col-id={column}] input")
        expect(editor).to_be_focused()
        editor.fill(value)
        editor.press("Enter")

    def newest(state: str) -> dict[str, Any]:
        found = running.get(f"/v1/alerts?pair={OTHER_PAIR}&state={state}&rule=zscore&limit=1")["data"]
        return dict(found[0]) if found else {}

    try:
        put("exit", str(CALM_Z + 10))
        expect(said).to_contain_text(f"{OTHER_PAIR}, exit not changed. Expected exit_z below entry_z")
        put("exit", "0.01")
        expect(said).to_have_text(f"{OTHER_PAIR}: exit is 0.01 now.")
        put("entry", "0.02")
        expect(said).to_have_text(f"{OTHER_PAIR}: entry is 0.02 now.")
        known = running.get(f"/v1/pairs/{OTHER_PAIR}")
        assert (known["entry_z"], known["exit_z"]) == (0.02, 0.01)
        fired = until(lambda: newest("firing"), LOAD_S)
        assert fired["threshold"] == 0.02
        expect(page.locator(".mantine-Notification-root", has_text=OTHER_PAIR).first).to_be_visible()
        expect(line.locator("[col-id=state]")).to_contain_text("Firing since")
        shown = page.locator(f"#alerts-table [row-id='{fired['alert_id']}']")
        expect(shown.locator("[col-id=state]")).to_have_text("firing")
        assert says(shown.locator("[col-id=value]").inner_text(), fired["value"])
        assert says(shown.locator("[col-id=threshold]").inner_text(), fired["threshold"])
        expect(page.locator("#firing")).to_contain_text(OTHER_PAIR)
        put("entry", f"{CALM_Z:g}")
        put("exit", "0.5")
        expect(said).to_have_text(f"{OTHER_PAIR}: exit is 0.5 now.")
        expect(line.locator("[col-id=state]")).to_have_text("Quiet", timeout=1000 * LOAD_S)
        resolved = until(lambda: newest("resolved"), LOAD_S)
        assert resolved["event_us"] > fired["event_us"]
        expect(shown.locator("[col-id=state]")).to_have_text("resolved")
        assert running.get(f"/v1/pairs/{OTHER_PAIR}")["entry_z"] == CALM_Z
    finally:
        patch(running, OTHER_PAIR, entry_z=CALM_Z, exit_z=0.5)


def test_alerts_are_acknowledged_in_toast_row_and_banner(
    running: Pipeline, alerts_page: Dashboard, rule: str
) -> None:
    page = alerts_page.page
    by_toast = fire(running, rule)
    toast(alerts_page, by_toast).get_by_role("button", name="Acknowledge").click()
    until(lambda: stored(running, by_toast).get("acked_by") == "local")
    expect(row(alerts_page, by_toast)).to_contain_text("Acknowledged by local")
    expect(toast(alerts_page, by_toast)).to_have_count(0)
    by_keyboard = fire(running, rule)
    row(alerts_page, by_keyboard).locator("[col-id=state]").click()
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(row(alerts_page, by_keyboard).get_by_role("button", name="Acknowledge")).to_be_focused()
    page.keyboard.press("Enter")
    until(lambda: stored(running, by_keyboard).get("acked_by") == "local")
    by_banner = fire(running, rule, OTHER_PAIR)
    expect(toast(alerts_page, by_banner)).to_be_visible()
    toast(alerts_page, by_banner).get_by_role("button", name="Close").click()
    expect(toast(alerts_page, by_banner)).to_have_count(0)
    line = page.locator("#firing .firing-one", has_text=OTHER_PAIR)
    line.get_by_role("button", name="Acknowledge").click()
    until(lambda: stored(running, by_banner).get("acked_by") == "local")
    expect(line).to_have_count(0)
    last = fire(running, rule, OTHER_PAIR)
    expect(row(alerts_page, last)).to_be_visible()
    page.locator("#firing").get_by_role("link", name=OTHER_PAIR).click()
    expect(page.locator("#pair-select")).to_have_value(OTHER_PAIR)
    page.go_back()
    row(alerts_page, last).get_by_role("link", name=OTHER_PAIR).click()
    expect(page.locator("#pair-select")).to_have_value(OTHER_PAIR)


def test_alerts_are_snoozed_for_every_length_and_the_snooze_ends(
    running: Pipeline, alerts_page: Dashboard, rule: str
) -> None:
    page = alerts_page.page
    fired = fire(running, rule)
    choice = row(alerts_page, fired).get_by_label(f"Snooze {PAIR}")
    for label, seconds in SNOOZES.items():
        choice.select_option(label=label)
        until(lambda: is_snoozed_for(running, fired, seconds))  # noqa: B023
        expect(row(alerts_page, fired)).to_contain_text("Snoozed until")
    expect(toast(alerts_page, fired)).to_have_count(0)
    later = fire(running, rule)
    expect(row(alerts_page, later)).to_be_visible()
    assert toast(alerts_page, later).count() == 0
    choice.select_option(label="End the snooze")
    until(lambda: snoozed_s(running, fired) == 0)
    for label, seconds in SNOOZES.items():
        called = fire(running, rule)
        toast(alerts_page, called).get_by_role("button", name=f"Snooze {PAIR}: {label}").click()
        until(lambda: is_snoozed_for(running, called, seconds))  # noqa: B023
        row(alerts_page, called).get_by_label(f"Snooze {PAIR}").select_option(label="End the snooze")
        until(lambda: snoozed_s(running, called) == 0)  # noqa: B023
    called = fire(running, rule)
    toast(alerts_page, called).get_by_role("button", name=f"Snooze {PAIR}: Other").click()
    dialog = page.get_by_role("dialog")
    ask = dialog.get_by_role("button", name="Snooze", exact=True)
    dialog.get_by_label("Snooze for").fill("9999")
    ask.click()
    expect(dialog.get_by_role("alert")).to_contain_text("2592000")
    dialog.get_by_role("textbox", name="Unit").click()
    page.get_by_role("option", name="minutes").click()
    dialog.get_by_label("Snooze for").fill("90")
    ask.click()
    expect(dialog).to_be_hidden()
    until(lambda: is_snoozed_for(running, called, 5400))
    row(alerts_page, called).get_by_label(f"Snooze {PAIR}").select_option(label="Other…")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    row(alerts_page, called).get_by_label(f"Snooze {PAIR}").select_option(label="End the snooze")
    until(lambda: snoozed_s(running, called) == 0)


def test_every_filter_lists_what_the_api_lists(
    running: Pipeline, alerts_page: Dashboard, open_page: OpenPage, rule: str
) -> None:
    page = alerts_page.page
    silent, loud = fire(running, rule, OTHER_PAIR), fire(running, rule)
    row(alerts_page, silent).get_by_label(f"Snooze {OTHER_PAIR}").select_option(label="1 h")
    row(alerts_page, loud).get_by_role("button", name="Acknowledge").click()
    until(lambda: snoozed_s(running, silent) > 0 and stored(running, loud).get("acked_us"))

    def same(dashboard: Dashboard, *params: str) -> set[str]:
        """Return the ids that the table has once they are those of the API's answer to the link for CSV."""
        table = "() => { const ids = []; window.dash_ag_grid.getApi('alerts-table').forEachNode("
        table += "node => ids.push(node.data.id)); return ids; }"
        link = dashboard.page.locator("#alerts-csv")

        def found() -> set[str] | None:
            href = link.get_attribute("href") or ""
            if not all(param in href for param in params):
                return None
            lines = saved(
                running, href.replace("limit=1000000", f"limit={ROWS_OF_A_PAGE}")
            ).text.splitlines()[1:]
            ids = set(dashboard.page.evaluate(table))
            return {*ids, ""} if ids == {line.partition(",")[0] for line in lines} else None

        return until(found, LOAD_S) or set()

    page.locator("#alerts-pair").click()
    page.get_by_role("option", name=OTHER_PAIR).click()
    assert silent.alert_id in same(alerts_page, f"pair={OTHER_PAIR}") - {loud.alert_id}
    for label, state in (("Firing", "state=firing"), ("Resolved", "state=resolved")):
        page.locator("#alerts-state").get_by_text(label, exact=True).click()
        assert (silent.alert_id in same(alerts_page, state)) is (label == "Firing")
    page.locator("#alerts-pair").click()
    page.get_by_role("option", name="All pairs").click()
    page.locator("#alerts-state").get_by_text("Acknowledged", exact=True).click()
    assert loud.alert_id in same(alerts_page, "acked=true") - {silent.alert_id}
    page.locator("#alerts-state").get_by_text("All", exact=True).click()
    snooze = page.get_by_role("radiogroup", name="Snooze")
    snooze.get_by_text("Snoozed", exact=True).click()
    assert silent.alert_id in same(alerts_page, "snoozed=true") - {loud.alert_id}
    again = listed(open_page(running.dashboard, page.url.rpartition("/")[2]))
    assert silent.alert_id in same(again, "snoozed=true")
    row(alerts_page, silent).get_by_label(f"Snooze {OTHER_PAIR}").select_option(label="End the snooze")
    expect(row(alerts_page, silent)).to_have_count(0)
    snooze.get_by_text("Not snoozed", exact=True).click()
    assert {silent.alert_id, loud.alert_id} <= same(alerts_page, "snoozed=false")
    snooze.get_by_text("Snoozed or not").click()
    minute = to_iso(loud.event_us)[:16]
    page.locator("#alerts-to").fill(minute)
    assert not {silent.alert_id, loud.alert_id} & same(alerts_page, "end=")
    page.locator("#alerts-to").fill("")
    page.locator("#alerts-from").fill(minute)
    assert loud.alert_id in same(alerts_page, "start=")
    with page.expect_download() as download:
        page.locator("#alerts-csv").click()
    assert loud.alert_id in download.value.path().read_text()


def test_older_alerts_are_those_of_the_api(running: Pipeline, open_page: OpenPage) -> None:
    long_ago = 1_700_000_000 * SECOND
    old = alert("long ago", rule_id="test-older", state="resolved")
    times = [long_ago + n * SECOND for n in range(ROWS_OF_A_PAGE + 20)]
    earlier = (msgspec.structs.replace(old, alert_id=f"old-{at}", event_us=at) for at in times)
    publish(running.brokers, ALERTS, *earlier)
    until(lambda: len(running.get("/v1/alerts?rule=test-older&limit=1000")["data"]) == len(times), LOAD_S)
    dashboard = listed(open_page(running.dashboard, f"alerts?to={to_iso(times[-1] + SECOND * 60)[:16]}Z"))
    count = "() => window.dash_ag_grid.getApi('alerts-table').getDisplayedRowCount()"
    until(lambda: dashboard.page.evaluate(count) == ROWS_OF_A_PAGE, LOAD_S)
    dashboard.page.locator("#alerts-older").click()
    until(lambda: dashboard.page.evaluate(count) == len(times), LOAD_S)
    expect(dashboard.page.locator("#alerts-said")).to_have_text("No older alerts.")
    dashboard.page.locator("#alerts-table .ag-header-cell[col-id=time]").click()
    expect(dashboard.page.locator("#alerts-table [row-index='0'] [col-id=time]")).to_have_text(
        re.compile("22:13:20|2023-11-14")
    )


def test_the_tone_sounds_when_it_is_switched_on(running: Pipeline, open_page: OpenPage, rule: str) -> None:
    dashboard = listed(open_page(running.dashboard, "alerts", script=EAR))
    expect(toast(dashboard, fire(running, rule))).to_be_visible()
    assert dashboard.page.evaluate("window.notes") == 0
    dashboard.page.locator("label", has_text="Sound").click()
    until(lambda: dashboard.page.evaluate("window.notes") == 2)
    expect(toast(dashboard, fire(running, rule))).to_be_visible()
    until(lambda: dashboard.page.evaluate("window.notes") == 4)
    dashboard.page.locator("label", has_text="Sound").click()
    expect(toast(dashboard, fire(running, rule))).to_be_visible()
    assert dashboard.page.evaluate("window.notes") == 4
