"""Rules and silences through the API: written, refused, tried, and in force at once."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest

from services.common.clock import SECOND
from tests.api_process import PAIR, START_US, ApiProcess, pair_signal, running_api, store
from tests.fix_broker import embedded_broker

pytestmark = pytest.mark.integration

CONDITION = {"metric": "zscore", "operator": "outside", "fire": 2, "clear": 1}
RULE: dict[str, Any] = {"id": "wide", "conditions": [CONDITION], "labels": {"desk": "fx"}}


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    zscores = [0.0, 2.5, 2.5, 0.5, 3.0, 3.0, 3.0, 0.0, 1.5, 2.5]
    store(store_url, [pair_signal(number, zscore) for number, zscore in enumerate(zscores)])
    with embedded_broker() as broker, running_api(broker, store_url) as running:
        yield running


def test_a_rule_is_written_changed_listed_and_removed(api: ApiProcess) -> None:
    created = api.http.post("/v1/rules", json=RULE)
    assert created.status_code == HTTPStatus.CREATED, created.text
    assert created.json()["conditions"][0]["clear_low"] is None
    assert created.json()["warnings"] == []
    assert api.http.post("/v1/rules", json=RULE).status_code == HTTPStatus.CONFLICT
    changed = api.http.put("/v1/rules/wide", json={"conditions": [CONDITION], "for_s": 5, "scope": ["X-*"]})
    assert (changed.status_code, changed.json()["for_s"], changed.json()["labels"]) == (HTTPStatus.OK, 5, {})
    assert "matches none of the watched pairs: ETHUSDT-BTCUSDT" in changed.json()["warnings"][0]
    assert api.get("/v1/rules/wide").json() == changed.json()
    listed = {one["id"]: one for one in api.data("/v1/rules")}
    assert listed["wide"] == changed.json()
    assert listed["built-in.gap"]["built_in"]
    assert '""metric"":""zscore""' in api.get("/v1/rules", format="csv").text
    assert api.get("/v1/rules", format="parquet").status_code == HTTPStatus.OK
    assert api.http.delete("/v1/rules/wide").status_code == HTTPStatus.NO_CONTENT
    assert api.get("/v1/rules/wide").status_code == HTTPStatus.NOT_FOUND
    assert api.http.delete("/v1/rules/wide").status_code == HTTPStatus.NOT_FOUND


def test_a_built_in_rule_is_paused_and_comes_back(api: ApiProcess) -> None:
    rule = api.get("/v1/rules/built-in.gap").json()
    kept = {name: rule[name] for name in ("conditions", "message")} | {"paused": True}
    kept["conditions"] = [{"metric": "missing_trades", "operator": "above", "fire": 1}]
    paused = api.http.put("/v1/rules/built-in.gap", json=kept).json()
    assert (paused["paused"], paused["built_in"]) == (True, False)
    assert api.http.delete("/v1/rules/built-in.gap").status_code == HTTPStatus.NO_CONTENT
    assert api.get("/v1/rules/built-in.gap").json() == rule


@pytest.mark.parametrize(
    ("body", "field", "expected", "received"),
    [
        ({"conditions": [CONDITION | {"clear": 3}]}, "conditions.0.clear", "fire_low < fire", "clear 3"),
        ({"conditions": [CONDITION | {"metric": "mood"}]}, "conditions.0.metric", "one of zscore", "'mood'"),
        ({"conditions": [CONDITION | {"fire": "two"}]}, "conditions.0.fire", "`float`", "two"),
        ({"conditions": []}, "conditions", "length >= 1", "[]"),
        ({"message": "{foo}"}, "message", "a placeholder among", "{foo}"),
        ({"breaches": 0}, "breaches", ">= 1", "0"),
        ({"severity": "dire"}, "severity", "one of", "dire"),
        ({"mood": 1}, "mood", "only documented parameters", "1"),
        ({"conditions": [CONDITION | {"mood": 1}]}, "conditions.0.mood", "only documented", "1"),
        ({"id": "other"}, "id", "wide, as in the address", "other"),
        ({"name": "a\u0007"}, "body", "printed characters", None),
    ],
)
def test_a_rule_that_cannot_be_is_refused(
    api: ApiProcess, body: dict[str, Any], field: str, expected: str, received: str | None
) -> None:
    refused = api.http.put("/v1/rules/wide", json=RULE | body)
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, refused.text
    (error,) = refused.json()["errors"]
    assert error["field"] == field
    assert expected in error["expected"]
    assert received is None or received in error["received"]
    assert api.get("/v1/rules/wide").status_code == HTTPStatus.NOT_FOUND


def test_what_is_missing_is_named(api: ApiProcess) -> None:
    (error,) = api.http.put("/v1/rules/wide", json={}).json()["errors"]
    assert (error["field"], error["expected"]) == ("conditions", "a value")


def test_a_rule_is_tried_on_stored_signals(api: ApiProcess) -> None:
    span = {"start": START_US, "end": START_US + 100 * SECOND}
    tried = api.http.post(
        "/v1/rules/wide/test", json={**span, "rule": RULE, "at": START_US + 8 * SECOND}
    ).json()
    assert (tried["fired"], tried["truncated"]) == (3, False)
    (pair,) = tried["pairs"]
    assert (pair["pair"], pair["signals"], pair["firing_s"], pair["median_s"]) == (PAIR, 10, 5.0, 2.5)
    assert [(one["start_us"] - START_US, one["duration_s"], one["value"]) for one in pair["incidents"]] == [
        (SECOND, 2.0, 2.5),
        (4 * SECOND, 3.0, 3.0),
        (9 * SECOND, None, 2.5),
    ]
    explained = pair["explanation"]
    assert explained["held_back"] == "condition 1: zscore is 1.5, expected outside -2 to 2"
    assert explained["values"]["zscore"] == 1.5
    assert (pair["series"], pair["message"]) == (None, "ETHUSDT-BTCUSDT: wide is met, zscore 2.5")
    waiting = api.http.post(
        "/v1/rules/wide/test",
        json={**span, "rule": RULE | {"for_s": 5}, "at": START_US + 5 * SECOND, "pair": PAIR},
    ).json()
    assert waiting["fired"] == 0
    assert waiting["pairs"][0]["explanation"]["held_back"].startswith("pending: met for 1 of 5 s")


def test_a_trial_tells_what_was_compared_and_the_text_of_an_alert(api: ApiProcess) -> None:
    span = {"start": START_US, "end": START_US + 100 * SECOND, "series": True}
    body = {**span, "rule": RULE | {"message": "{name}: {zscore:+.1f}"}}
    (pair,) = api.http.post("/v1/rules/wide/test", json=body).json()["pairs"]
    assert pair["message"] == "wide: +2.5"
    assert pair["series"]["value"] == [0.0, 2.5, 2.5, 0.5, 3.0, 3.0, 3.0, 0.0, 1.5, 2.5]
    assert [us - START_US for us in pair["series"]["event_us"]] == [SECOND * n for n in range(10)]
    change = {"metric": "zscore", "operator": "changes_by", "fire": 9, "over_s": 1}
    body = {**span, "rule": {"id": "wide", "conditions": [change]}}
    (pair,) = api.http.post("/v1/rules/wide/test", json=body).json()["pairs"]
    assert pair["series"]["value"][-3:] == [-3.0, 1.5, 1.0]
    assert (pair["fired"], pair["message"]) == (0, "ETHUSDT-BTCUSDT: wide is met, zscore_change 1")


def test_what_cannot_be_tried_says_so(api: ApiProcess) -> None:
    refused = api.http.post("/v1/rules/built-in.gap/test", json={})
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "a rule of pairs" in refused.json()["detail"]
    assert api.http.post("/v1/rules/nothing/test", json={}).status_code == HTTPStatus.NOT_FOUND


def test_a_silence_is_written_listed_and_ended(api: ApiProcess) -> None:
    body = {"matchers": {"subject": "ETH*"}, "end_us": 2 * START_US}
    created = api.http.post("/v1/silences", json=body)
    assert created.status_code == HTTPStatus.CREATED, created.text
    silence = created.json()
    assert (silence["active"], silence["by"]) == (True, "local")
    assert api.get(f"/v1/silences/{silence['id']}").json() == silence
    assert api.data("/v1/silences") == [silence]
    assert "ETH*" in api.get("/v1/silences", format="csv").text
    taken = api.http.post("/v1/silences", json=body | {"id": silence["id"]})
    assert taken.status_code == HTTPStatus.CONFLICT
    assert api.http.delete(f"/v1/silences/{silence['id']}").status_code == HTTPStatus.NO_CONTENT
    assert api.data("/v1/silences") == []
    (error,) = api.http.post("/v1/silences", json=body | {"matchers": {"price": "1"}}).json()["errors"]
    assert error["field"] == "matchers"
