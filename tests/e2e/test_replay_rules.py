"""An alert of a rule that measures no z-score, from the topic to the dashboard of a running pipeline."""

import csv
from typing import Any

import httpx
import msgspec
import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from services.common.clock import now_us
from services.contracts.messages import Alert
from services.contracts.topics import ALERTS
from tests.e2e.conftest import OpenPage
from tests.e2e.replayed import LOAD_S
from tests.e2e.stage import until
from tests.e2e.test_alerts import listed
from tests.pipeline import Pipeline
from tests.stream_client import publish

pytestmark = pytest.mark.timeout(240)


def moved(state: Any = "firing") -> Alert:
    at_us = now_us()
    return Alert(
        alert_id=f"btc-moves-{at_us}",
        rule="btc-moves",
        metric="price_move",
        subject="BTCUSDT",
        event_us=at_us,
        state=state,
        message="BTCUSDT: moved by 5.2 % in a minute",
        severity="critical",
        labels={"desk": "majors"},
        values={"price_move": 0.052, "limit": 0.05},
    )


def dead_letters(running: Pipeline) -> int:
    (sink,) = (one for one in running.get("/v1/status")["services"] if one["service"] == "sink")
    return int(sink["counters"]["dead_letters"])


def test_an_alert_of_another_rule_is_stored_listed_saved_streamed_shown_and_acknowledged(
    running: Pipeline, open_page: OpenPage
) -> None:
    dead_before = dead_letters(running)
    dashboard = listed(open_page(running.dashboard, "alerts"))
    page, fired = dashboard.page, moved()
    fields = msgspec.to_builtins(msgspec.structs.asdict(fired))

    def stored() -> dict[str, Any]:
        found = running.get("/v1/alerts?rule=btc-moves&subject=BTCUSDT&severity=critical")["data"]
        return next((one for one in found if one["alert_id"] == fired.alert_id), {})

    with connect(f"ws{running.api.removeprefix('http')}/v1/stream?topics=alerts", proxy=None) as stream:
        stream.recv(timeout=LOAD_S)
        publish(running.brokers, ALERTS, fired)
        told: list[dict[str, Any]] = []
        while fired.alert_id not in {one["alert_id"] for one in told}:
            told = msgspec.json.decode(stream.recv(timeout=LOAD_S)).get("alerts", [])
    streamed = next(one for one in told if one["alert_id"] == fired.alert_id)
    assert fields.items() <= streamed.items()

    toast, row = page.locator(f"#{fired.alert_id}"), page.locator(f".ag-row[row-id='{fired.alert_id}']")
    expect(toast).to_contain_text("BTCUSDT price_move 0.052")
    expect(toast).to_contain_text("limit 0.05. BTCUSDT: moved by 5.2 % in a minute")
    expect(toast).to_contain_text("Rule btc-moves, critical, desk majors.")
    expect(page.locator("#firing")).to_contain_text("btc-moves: price_move 0.052")
    expect(row.locator("[col-id=subject] a")).to_have_attribute("href", "/?symbol=BTCUSDT")
    expect(row.locator("[col-id=value]")).to_have_text("0.052")
    expect(row.locator("[col-id=threshold]")).to_have_text("—")
    expect(row.locator("[col-id=message]")).to_contain_text(
        "btc-moves, critical, desk majors; moved by 5.2 %"
    )

    assert fields.items() <= until(stored, LOAD_S).items()
    answer = httpx.get(f"{running.api}/v1/alerts?subject=BTCUSDT&format=csv", timeout=LOAD_S)
    lines = {line["alert_id"]: line for line in csv.DictReader(answer.text.splitlines())}
    line = lines[fired.alert_id]
    assert (line["rule"], line["metric"], line["pair"], line["value"]) == ("btc-moves", "price_move", "", "")
    assert msgspec.json.decode(line["values"]) == fired.values

    toast.get_by_role("button", name="Acknowledge the alert of BTCUSDT").click()
    until(lambda: stored()["acked_by"] == "local", LOAD_S)
    expect(toast).to_have_count(0)
    expect(page.locator("#firing")).not_to_contain_text("btc-moves")

    page.locator("#alerts-pair").click()
    page.get_by_role("option", name="BTCUSDT", exact=True).click()
    until(lambda: "subject=BTCUSDT" in (page.locator("#alerts-csv").get_attribute("href") or ""), LOAD_S)
    expect(row).to_be_visible()
    publish(running.brokers, ALERTS, moved("resolved"))
    assert dead_letters(running) == dead_before
