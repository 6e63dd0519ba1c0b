"""Answers of the fake API of the browser tests, checked against the documents of the real one."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.e2e.fake_api import World, build
from tests.e2e.fake_market import PAIRS
from tests.e2e.fake_tape import DELIVERY, TOLD
from tests.unit.e2e.caller import Caller, Document

PAIR, OTHER = PAIRS
ONE = "/v1/pairs/{pair}"
CSV = (
    "time,symbol,open,high,low,close,volume\n1,BTCUSDT,1,1,1,1,1\n2,BTCUSDT,1,x,1,1,1\n3,BTCUSDT,1,1,1,1,1\n"
)


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    for name in TOLD:
        monkeypatch.setitem(TOLD, name, TOLD[name])
    with asyncio.Runner() as runner:
        yield Caller(build(World("synthetic")), runner)
    DELIVERY.clear()


@pytest.mark.parametrize("quality", ["ok", "not_enough_data", "stale"])
def test_the_market(ask: Caller, quality: str) -> None:
    ask.fake("set", quality=quality, reversion="broken", silent_symbols=2, paused_pair=OTHER, sick="sink")
    ask.fake("delivered", symbol="ETHUSDT", now=120, p50=80, p99=240)
    ask("GET", "/v1/symbols")
    ask("GET", "/v1/symbols", params={"listed": True, "search": "pepe"})
    ask("PUT", "/v1/symbols/{symbol}", 201, symbol="1000PEPEUSDT")
    ask("PUT", "/v1/symbols/{symbol}", 404, symbol="NOUSDT")
    ask("GET", "/v1/bars", params={"symbol": "ETHUSDT", "limit": 5})
    ask("GET", "/v1/bars", 404, params={"symbol": "none"})
    ask(
        "GET",
        "/v1/ticks",
        params={"symbol": "ETHUSDT", "start": 1_700_000_000_000_000, "end": 1_700_000_003_000_000},
    )
    ask("GET", "/v1/pairs")
    ask("GET", "/v1/zscores")
    ask("GET", f"{ONE}/signals", pair=PAIR, params={"limit": 5})
    ask("GET", f"{ONE}/signals", 404, pair="none")
    ask("GET", "/v1/status")


@pytest.mark.parametrize(
    "told",
    [
        {"done_s": 340.4, "total_s": 912.7},
        {"lost_ticks": 1234},
        {"workers": 2, "left_out": 9},
        {"catching_up": True},
    ],
)
def test_the_services_and_the_tape(ask: Caller, told: Document) -> None:
    ask.fake("told", **told)
    ask("GET", "/v1/status")
    ask("POST", "/v1/status/acknowledge", json={"service": "sink"})
    for query in ({}, {"state": "open"}, {"symbol": "ETHUSDT"}, {"format": "csv"}):
        ask("GET", "/v1/gaps", params=query)


def test_the_stream(ask: Caller) -> None:
    ask.fake("set", reversion="reverting", sick="sink")
    ask.fake("told", workers=2, done_s=1)
    fired = ask.fake("alert")
    ask.fake("retract", alert_id=fired["alert_id"])
    snapshot, *updates = ask.messages(13)
    assert (snapshot["type"], {one["type"] for one in updates}) == ("snapshot", {"update"})
    assert any("status" in one for one in updates)  # one a second


def test_alerts(ask: Caller) -> None:
    one, other = (ask.fake("alert", state=state)["alert_id"] for state in ("firing", "resolved"))
    ask.fake("retract", alert_id=other)
    route = "/v1/alerts/{alert_id}"
    ask("POST", f"{route}/ack", alert_id=one)
    ask("POST", f"{route}/snooze", alert_id=one, json={"for_s": 900})
    ask("POST", f"{route}/snooze", 422, alert_id=one, json={"for_s": 1e9})
    for query in ({}, {"limit": 1}, {"acked": True}, {"format": "csv"}):
        ask("GET", "/v1/alerts", params=query)
        ask("GET", "/v1/incidents", params=query)
    ask("POST", "/v1/incidents/{alert_id}/mark", alert_id=one, json={"note": "auction"})
    ask("GET", "/v1/incidents", params={"rule": "zscore-threshold"})
    ask("POST", "/v1/incidents/{alert_id}/mark", 404, alert_id="none", json={})
    ask.fake("alerts", refuse=one, away=True)
    ask("POST", f"{route}/ack", 404, alert_id=one)
    ask("GET", "/v1/alerts", 503)


def test_pairs(ask: Caller) -> None:
    ask("GET", ONE, pair=PAIR)
    ask("GET", ONE, 404, pair="none")
    ask("PATCH", ONE, pair=PAIR, json={"window": 450})
    ask("PATCH", ONE, 404, pair="none", json={})
    ask("PATCH", ONE, 422, pair=PAIR, json={"window": 1})
    ask("PATCH", ONE, 422, pair=PAIR, json={"exit_z": 9.0})
    ask("PUT", ONE, 201, pair="SOLUSDT-BTCUSDT")
    ask("PUT", ONE, 422, pair="SOLUSDT-NONE")
    ask("DELETE", ONE, 204, pair="SOLUSDT-BTCUSDT")
    ask.fake("pairs", role="read")
    ask("PATCH", ONE, 403, pair=PAIR, json={"window": 450})
    ask("PUT", ONE, 403, pair=PAIR)
    ask("DELETE", ONE, 403, pair=PAIR)


@pytest.mark.parametrize("conclusion", ["cointegrated", "not_cointegrated", "broken"])
@pytest.mark.parametrize("bars", [0, 20, 300])
def test_analyses(ask: Caller, conclusion: str, bars: int) -> None:
    ask.fake("pairs", conclusion=conclusion, bars=bars)
    for query in (
        {"method": "tls"},
        {"series": False, "transform": "log"},
        *([{"format": "csv"}] if bars else []),
    ):
        ask("GET", f"{ONE}/analysis", pair=PAIR, params=query)
    ask("GET", f"{ONE}/analysis", 422, pair=PAIR, params={"window": 1})
    ask("GET", f"{ONE}/analysis", 422, pair=PAIR, params={"start": 0})


@pytest.mark.parametrize("signals", [0, 20, 3_000])
def test_calibrations(ask: Caller, signals: int) -> None:
    ask.fake("pairs", bars=signals)
    for query in ({}, {"windows": 5, "stop": 6.0}):
        ask("GET", f"{ONE}/calibration", pair=PAIR, params=query)
    ask("GET", f"{ONE}/calibration", 422, pair=PAIR, params={"stop": 1.0})


def test_datasets(ask: Caller) -> None:
    files, page = {"files": ("may.csv", CSV)}, {"files": ("page.csv", "<html>")}
    ask("POST", "/v1/datasets/preview", files=files)
    ask("POST", "/v1/datasets/preview", 422, files=page)
    ask("POST", "/v1/datasets/preview", 422, files=files, data={"zone": "Mars"})
    one = ask("POST", "/v1/datasets", 201, files=files)["dataset_id"]
    ask("POST", "/v1/datasets", 409, files=files, data={"name": "taken"})
    ask("POST", "/v1/datasets", 422, files=page)
    ask("GET", "/v1/datasets")
    route = "/v1/datasets/{dataset}"
    ask("GET", route, dataset=one)
    ask("GET", route, 404, dataset="none")
    for query in ({}, {"kind": "rejected"}, {"format": "csv"}):
        ask("GET", f"{route}/report", dataset=one, params=query)
    ask.fake("datasets", role="read")
    ask("DELETE", route, 403, dataset=one)
    ask("POST", "/v1/datasets", 403, files=files)
    ask.fake("datasets")
    ask("DELETE", route, 204, dataset=one)


def test_rules(ask: Caller) -> None:
    rule = {"id": "wide", "conditions": [{"metric": "zscore", "operator": "outside", "fire": 3.0}]}
    wrong = {
        "id": "wide",
        "conditions": [{"metric": "zscore", "operator": "above", "fire": 1.0, "clear": 2.0}],
    }
    one = "/v1/rules/{id}"
    ask("POST", "/v1/rules", 201, json=rule)
    ask("POST", "/v1/rules", 409, json=rule)
    ask("POST", "/v1/rules", 422, json=wrong)
    ask("PUT", one, id="wide", json={**rule, "paused": True})
    ask("GET", "/v1/rules")
    ask("GET", one, id="wide")
    ask("GET", one, 404, id="none")
    for more in ({}, {"series": True, "at": 10**15 - 1}):
        ask("POST", f"{one}/test", id="wide", json={"rule": rule, "end": 10**15, **more})
    ask("GET", f"{one}/statistics", id="wide", params={"end": 10**15})
    ask("GET", f"{one}/statistics", 404, id="none", params={"end": 10**15})
    ask("POST", f"{one}/test", 422, id="wide", json={"rule": wrong})
    ask("DELETE", one, 204, id="wide")
    ask("DELETE", one, 404, id="-")
    silence = {"matchers": {"pair": PAIR}, "end_us": 4 * 10**15}
    held = ask("POST", "/v1/silences", 201, json=silence)["id"]
    ask("POST", "/v1/silences", 422, json={**silence, "end_us": 1})
    ask("GET", "/v1/silences")
    ask("DELETE", "/v1/silences/{id}", 204, id=held)
    ask.fake("pairs", role="read")
    ask("DELETE", one, 403, id="-")
    ask("POST", f"{one}/test", 403, id="wide", json={"rule": rule, "end": 10**15})


def test_targets(ask: Caller) -> None:
    target = {"id": "bot", "kind": "slack", "url": "https://hooks.example.org/a"}
    one = "/v1/targets/{id}"
    ask("POST", "/v1/targets", 201, json=target)
    ask("POST", "/v1/targets", 409, json=target)
    ask("POST", "/v1/targets", 422, json={**target, "url": ""})
    ask("PUT", one, id="bot", json={"kind": "slack", "paused": True})
    ask("GET", "/v1/targets")
    ask("GET", one, id="bot")
    ask("GET", one, 404, id="none")
    ask("POST", f"{one}/test", id="bot")
    alert = ask.fake("alert")["alert_id"]
    ask("GET", "/v1/alerts/{alert_id}/deliveries", alert_id=alert)
    ask.fake("targets", target="bot", alert=alert)
    ask("GET", "/v1/alerts/{alert_id}/deliveries", alert_id=alert)
    ask("GET", "/v1/alerts/{alert_id}/deliveries", 404, alert_id="none")
    for query in ({}, {"state": "failed", "target": "bot"}, {"alert": alert}, {"format": "csv"}):
        ask("GET", "/v1/deliveries", params=query)
    ask("POST", f"{one}/replay", id="bot", json={"start": 0, "states": ["dead"]})
    ask("POST", f"{one}/replay", 422, id="bot", json={"start": 2**60, "states": ["dead"]})
    ask.fake("targets", target="bot", disable="gone")
    ask("GET", one, id="bot")
    ask("DELETE", one, 204, id="bot")
    ask("DELETE", one, 404, id="bot")


def test_no_route_is_left_unchecked(ask: Caller) -> None:
    test_the_market(ask, "ok")
    test_the_services_and_the_tape(ask, {})
    test_alerts(ask)
    test_analyses(ask, "cointegrated", 20)
    test_calibrations(ask, 20)
    test_datasets(ask)
    test_the_radar(ask, 5)
    test_rules(ask)
    ask.fake("pairs", role="write")
    test_targets(ask)
    ask.fake("pairs", role="write")
    test_pairs(ask)
    assert ask.asked == ask.routes


@pytest.mark.parametrize("symbols", [1, 5])
def test_the_radar(ask: Caller, symbols: int) -> None:
    ask.fake("radar", symbols=symbols)
    (radar,) = ask("GET", "/v1/radars")["data"]
    ask("GET", "/v1/radars/{radar}/confirmations", radar="default")
    ask("GET", "/v1/scans/{job}", 404, job="none")
    ask("GET", "/v1/scans/{job}/matrix", 404, job="none")
    if radar["job_id"]:
        for stage in ("tried", "confirmed"):
            ask("GET", "/v1/scans/{job}", job=radar["job_id"], params={"stage": stage})
        for of in ("evidence", "returns", "levels"):
            ask("GET", "/v1/scans/{job}/matrix", job=radar["job_id"], params={"of": of})
