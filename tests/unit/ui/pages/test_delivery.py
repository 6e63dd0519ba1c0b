"""Delivery page: targets and deliveries as rows, the form of a target, and what the API is asked."""

from typing import Any

import httpx
import msgspec
import pytest

from services.contracts.targets import Target as Contract
from services.contracts.targets import require_secret
from services.ui.api.types import Delivery, Target
from services.ui.pages.alerts import arrivals
from services.ui.pages.delivery import actions, log, targets
from services.ui.pages.delivery.log import LogFilter
from services.ui.state.page_context import PageContext, Selection
from tests.unit.ui.answers import answer
from tests.unit.ui.pages.test_rules_actions import READER, on_api, refusal

STORED: dict[str, Any] = {
    "id": "bot",
    "name": "Bot",
    "kind": "webhook",
    "matchers": {"labels.desk": "fx"},
    "least_severity": "warning",
    "ends": False,
    "to": [],
    "group_by": ["rule", "pair"],
    "group_wait_s": 3.0,
    "per_minute": 60,
    "paused": False,
    "url": "https://example.org/?\N{HORIZONTAL ELLIPSIS}",
    "rotating": False,
    "state": "ready",
    "made_us": 1,
    "changed_us": 2,
    "waiting": 0,
}
KEPT = {"url": "https://example.org/hook", "secret": targets.new_secret()}


def listed(**changes: Any) -> httpx.Response:
    return httpx.Response(200, json={**STORED, **changes})


def sent(request: httpx.Request) -> dict[str, Any]:
    return dict(msgspec.json.decode(request.content))


def shown(target: dict[str, Any] = STORED) -> dict[str, Any]:
    return dict(zip(targets.FIELDS, targets.values_of(target), strict=True))


def test_a_target_that_is_shown_and_saved_is_the_same() -> None:
    body = targets.body_of(shown(), STORED)
    assert "url" not in body
    known = {name: one for name, one in STORED.items() if name in Contract.__struct_fields__}
    assert msgspec.convert({**KEPT, **body}, Contract) == msgspec.convert({**known, **KEPT}, Contract)
    emptied = targets.body_of({**shown(), "matchers": "", "group_by": ""}, STORED)
    assert (emptied["matchers"], emptied["group_by"]) == ({}, [])


def test_a_new_webhook_gets_a_secret_that_is_shown_once(site: PageContext) -> None:
    values = {**targets.DEFAULTS, "name": "Bot", "url": "https://example.org"}
    props, asked = on_api(site, lambda on: actions.save(on, values, None), listed())
    assert (asked[0].method, asked[0].url.path) == ("POST", "/v1/targets")
    secret = sent(asked[0])["secret"]
    require_secret(secret)
    assert (props["target-secret"]["children"], props["target-secret-box"]["hidden"]) == (secret, False)
    props, asked = on_api(site, lambda on: actions.save(on, shown(), STORED), listed())
    assert (asked[0].method, "secret" in sent(asked[0])) == ("PUT", False)
    assert props["target-secret-box"]["hidden"]
    unnamed, asked = on_api(site, lambda on: actions.save(on, targets.DEFAULTS, None))
    assert (asked, unnamed["target-name"]["error"]) == ([], "Expected a name with a letter or digit.")


@pytest.mark.parametrize("field", targets.PLACES)
def test_a_refused_field_is_said_at_its_control(field: str, site: PageContext) -> None:
    props, _ = on_api(site, lambda on: actions.save(on, shown(), STORED), refusal(field))
    assert props[f"target-{targets.PLACES[field]}"] == {"error": "Expected another, received this."}
    assert props["target-status"]["children"] == "Not saved."


def test_a_new_secret_takes_the_place_of_the_one_before_and_a_pause_keeps_it(site: PageContext) -> None:
    props, asked = on_api(site, lambda on: actions.rotate(on, "bot"), listed(), listed(rotating=True))
    assert sent(asked[1])["secret"] == props["target-secret"]["children"] != ""
    assert sent(asked[1])["matchers"] == STORED["matchers"]
    _, asked = on_api(site, lambda on: actions.pause(on, "bot"), listed(), listed(paused=True))
    assert (sent(asked[1])["paused"], "secret" in sent(asked[1]), "url" in sent(asked[1])) == (
        True,
        False,
        False,
    )


def delivery(**told: Any) -> Delivery:
    return answer(
        Delivery, **{"delivery_id": "d", "target": "bot", "kind": "test", "state": "delivered", **told}
    )


@pytest.mark.parametrize(
    ("found", "told", "is_error"),
    [
        (delivery(took_ms=12), "The test has arrived, in 12 ms.", False),
        (delivery(state="waiting"), "The test still waits: does delivery run?", True),
        (delivery(state="dead", reason="expected 2xx"), "The test has not arrived: expected 2xx.", True),
    ],
)
def test_a_test_says_what_became_of_it(found: Delivery, told: str, is_error: bool, site: PageContext) -> None:
    response = httpx.Response(200, content=msgspec.json.encode(found))
    props, asked = on_api(site, lambda on: actions.test(on, "bot"), response)
    assert asked[0].url.path == "/v1/targets/bot/test"
    assert props["target-status"]["children"] == told
    assert ("is-error" in props["target-status"]["className"]) is is_error


def test_a_replay_needs_a_begin_and_says_how_many(site: PageContext) -> None:
    props, asked = on_api(site, lambda on: actions.replay(on, "bot", None, None, ["dead"]))
    assert (asked, props["replay-from"]["error"]) == ([], "Expected a date and a time.")
    many = httpx.Response(200, json={"deliveries": 3})
    props, asked = on_api(site, lambda on: actions.replay(on, "bot", 5, None, ["dead"]), many)
    assert sent(asked[0]) == {"start": 5, "end": None, "states": ["dead"]}
    assert props["target-status"]["children"] == "3 deliveries are made again."
    props, _ = on_api(site, lambda on: actions.replay(on, "bot", 5, None, []), refusal("states"))
    assert props["replay-states"]["error"] == "Expected another, received this."


def test_a_target_is_removed_or_why_not(site: PageContext) -> None:
    props, _ = on_api(site, lambda on: actions.remove(on, "bot"), httpx.Response(204))
    assert (props["target-stored"]["data"], props["target-secret"]["children"]) == (None, "")
    props, _ = on_api(site, lambda on: actions.remove(on, "bot"), httpx.Response(403, json=READER))
    assert props["target-status"]["children"].startswith("Not removed. Expected a caller")


def test_a_row_of_a_target_says_where_and_why_it_is_disabled() -> None:
    (row,) = targets.rows(
        (msgspec.convert({**STORED, "state": "disabled", "reason": "410 Gone"}, Target),)
    ).values()
    assert (row["where"], row["state"], row["why"]) == (STORED["url"], "disabled", "410 Gone")
    mail = msgspec.convert({**STORED, "kind": "mail", "url": None, "to": ["a@b.c", "d@e.f"]}, Target)
    assert targets.rows((mail,))["bot"]["where"] == "a@b.c, d@e.f"


def test_a_row_of_the_log_says_why_it_did_not_arrive_and_when_it_is_tried_again() -> None:
    failed = delivery(
        state="failed", reason="received 503", status=503, next_us=9_000_000, kind="silence_over"
    )
    row = log.rows((failed,))["d"]
    assert (row["why"], row["next"], row["kind"]) == ("received 503", 9_000, "silence over")
    assert log.rows((delivery(status=204),))["d"]["why"] == ""


@pytest.mark.parametrize(
    ("asks", "params"),
    [
        ({}, {}),
        ({"state": "odd", "from": "soon"}, {}),
        ({"target": "bot", "state": "dead", "alert": "a"}, {"target": "bot", "state": "dead", "alert": "a"}),
        ({"from": 1, "to": 2}, {"start": 1_000, "end": 2_000}),
    ],
)
def test_the_filters_of_the_log_become_what_the_api_is_asked(asks: Any, params: Any) -> None:
    assert LogFilter.read(Selection("one", "delivery", 1, asks=asks)).params() == params


def test_what_became_of_an_incident_is_said_for_each_target(site: PageContext) -> None:
    one = {"target": "bot", "state": "failed", "why": "tried 2 times", "tries": 2}
    lines, asked = on_api(
        site, lambda on: arrivals.told(on, "a:b"), httpx.Response(200, json={"data": [one]})
    )
    assert asked[0].url.path == "/v1/alerts/a:b/deliveries"
    assert "failed: tried 2 times." in str(lines)
    assert "/delivery?alert=a%3Ab" in str(lines)
    (nothing,), _ = on_api(site, lambda on: arrivals.told(on, "a"))
    assert arrivals.NO_TARGET in str(nothing)
