"""Requests of the rules page, and what is shown of their answers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import httpx
import msgspec
import pytest

from services.ui.api.client import ApiClient
from services.ui.api.poll_cache import PollCache
from services.ui.api.roles import why_reader
from services.ui.api.types import RuleStatistics
from services.ui.pages.rules import actions, form, record, trying
from services.ui.pages.rules.listing import Fired, count
from services.ui.state.page_context import PageContext
from tests.unit.ui.conftest import Make

T = TypeVar("T")
RULE: dict[str, Any] = {
    "id": "wide",
    "name": "Wide",
    "conditions": [{"metric": "zscore", "operator": "outside", "fire": 3.0}],
}
READER = {"detail": "expected a caller with the role write, received 'desk' with the role read"}


def refusal(field: str, status: int = 422) -> httpx.Response:
    error = {"field": field, "expected": "another", "received": "this"}
    return httpx.Response(status, json={"detail": f"{field}: expected another", "errors": [error]})


def on_api(
    site: PageContext, do: Callable[[PageContext], Awaitable[T]], *answers: httpx.Response
) -> tuple[T, list[httpx.Request]]:
    """Do something over an API with these answers, then empty lists; return what it returns and what it asked."""
    asked: list[httpx.Request] = []
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return left.pop(0) if left else httpx.Response(200, json={"data": []})

    async def run() -> T:
        async with ApiClient("http://api.test", httpx.MockTransport(handle)) as client:
            return await do(replace(site, client=client, readings=PollCache()))

    return asyncio.run(run()), asked


@pytest.mark.parametrize(
    ("answer", "is_reader"),
    [
        (httpx.Response(403, json=READER), True),
        (httpx.Response(401, json=READER), True),
        (httpx.Response(404, json={"detail": "expected a rule"}), False),
        (httpx.Response(503, json={"detail": "away"}), False),
    ],
)
def test_who_may_only_read_is_known_before_a_button_is_shown(
    answer: httpx.Response, is_reader: bool, site: PageContext
) -> None:
    why, asked = on_api(site, lambda on: why_reader(on.client), answer)
    assert why.startswith("Read only. Expected a caller with the role write") is is_reader
    assert bool(why) is is_reader
    assert (asked[0].method, asked[0].url.path) == ("DELETE", "/v1/rules/-")


def test_a_rule_is_tried_over_the_hour_before_the_newest_signal(site: PageContext) -> None:
    found = httpx.Response(200, json={"fired": 0, "pairs": [], "truncated": False, "warnings": []})
    unnamed = {name: one for name, one in RULE.items() if name != "id"}
    (shown, wrong), asked = on_api(site, lambda on: trying.attempt(on, unnamed, "UTC"), found)
    assert shown["rule-tried"]["children"].startswith("Not tried: no signals")
    assert shown["rule-chart-empty"]["children"].startswith("Nothing is stored from 21:")
    assert (shown["rule-firings"]["children"], shown["rule-bounds"]["data"], wrong) == ([], None, {})
    sent = msgspec.json.decode(asked[0].content)
    assert sent["end"] - sent["start"] == 3600 * 1_000_000
    assert sent["series"]
    assert "pair" not in sent
    assert asked[0].url.path == f"/v1/rules/{sent['rule']['id']}/test"
    (shown, _), asked = on_api(site, lambda on: trying.attempt(on, RULE, "UTC", "A-B"), found)
    assert shown["rule-tried"]["children"] == "Not tried: A-B is not in its scope."
    assert msgspec.json.decode(asked[0].content)["pair"] == "A-B"


@pytest.mark.parametrize("field", form.PLACES)
def test_a_refused_field_is_said_at_its_control(field: str, site: PageContext) -> None:
    (shown, wrong), _ = on_api(site, lambda on: trying.attempt(on, RULE, "UTC"), refusal(field))
    assert wrong == {form.PLACES[field]: "Expected another, received this."}
    assert shown["rule-tried"]["children"] == "Not tried: a value is refused."
    shown, _ = on_api(site, lambda on: actions.save(on, dict(RULE), is_new=False), refusal(field))
    assert shown[f"rule-{form.PLACES[field]}"] == {"error": "Expected another, received this."}
    assert shown["rule-status"]["children"] == "Not saved."


def test_a_reader_is_told_that_trials_are_for_writers(site: PageContext) -> None:
    answer = httpx.Response(403, json=READER)
    (shown, wrong), _ = on_api(site, lambda on: trying.attempt(on, RULE, "UTC"), answer)
    assert shown["rule-tried"]["children"] == "Not tried: the API lets only those who may write try a rule."
    assert wrong == {}


def test_a_rule_of_a_symbol_cannot_be_tried(site: PageContext) -> None:
    rule = {**RULE, "conditions": [{"metric": "coverage_1h", "operator": "below", "fire": 0.9}]}
    (shown, wrong), _ = on_api(site, lambda on: trying.attempt(on, rule, "UTC"), refusal("rule"))
    told = "Only seconds of pairs are stored, so a rule of a symbol cannot be tried."
    assert (shown["rule-tried"]["children"], wrong) == (told, {})


def explained(held_back: str | None) -> httpx.Response:
    pair = {"pair": "A-B", "signals": 1, "fired": 0, "firing_s": 0.0, "incidents": []}
    pair["explanation"] = {"event_us": 5_000_000, "state": "normal", "values": {}, "held_back": held_back}
    return httpx.Response(200, json={"fired": 0, "pairs": [pair], "truncated": False, "warnings": []})


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (explained("warm-up: too new"), "A-B, 1970-01-01 00:00:05 UTC: normal, warm-up: too new."),
        (explained(None), "A-B, 1970-01-01 00:00:05 UTC: it fired."),
        (
            httpx.Response(200, json={"fired": 0, "pairs": [], "truncated": False, "warnings": []}),
            "Nothing is stored from before 1970-01-01 02:00:00 UTC.",
        ),
        (refusal("for_s"), "Not tried: a value is refused. Expected another, received this."),
    ],
)
def test_why_it_did_not_fire_at_a_moment_is_said_for_each_pair(
    answer: httpx.Response, told: str, site: PageContext
) -> None:
    rule, at_us = {**RULE, "warm_up_s": 1800}, 7_200_000_000
    (line,), asked = on_api(site, lambda on: trying.why(on, rule, "UTC", "", at_us), answer)
    assert line.to_plotly_json()["props"]["children"] == told  # type: ignore[no-untyped-call]
    sent = msgspec.json.decode(asked[0].content)
    assert (sent["start"], sent["end"], sent["at"]) == (1_800_000_000, at_us + 1, at_us)


def test_a_snooze_takes_the_place_of_the_one_before_and_ends(site: PageContext) -> None:
    held = {"id": "a", "matchers": {"rule": "wide"}, "start_us": 0, "end_us": 9, "by": "desk", "comment": ""}
    others = {**held, "id": "b", "matchers": {"rule": "wide", "severity": "info"}}
    known = httpx.Response(200, json={"data": [held, others]})
    shown, asked = on_api(
        site,
        lambda on: actions.snooze(on, "wide", 900),
        known,
        httpx.Response(201, json={}),
        httpx.Response(204),
    )
    assert [one.method for one in asked[:3]] == ["GET", "POST", "DELETE"]
    assert msgspec.json.decode(asked[1].content)["matchers"] == {"rule": "wide"}
    deleted = [one.url.path for one in asked if one.method == "DELETE"]
    assert deleted == ["/v1/silences/a"]
    assert shown["rule-status"]["children"] == "Its notifications are snoozed."
    shown, asked = on_api(site, lambda on: actions.snooze(on, "wide", 0), known, httpx.Response(204))
    assert [one.method for one in asked[:2]] == ["GET", "DELETE"]
    assert shown["rule-status"]["children"] == "Its notifications are snoozed no longer."
    shown, _ = on_api(
        site, lambda on: actions.snooze(on, "wide", 900), known, httpx.Response(403, json=READER)
    )
    assert shown["rule-status"]["children"].startswith("Not snoozed. Expected a caller")


def test_the_record_of_a_rule_is_that_of_its_last_week(site: PageContext) -> None:
    told = {"rule": "wide", "start_us": 0, "end_us": 9, "fired": 3, "open": 1, "median_s": 42.0}
    told |= {"longest_s": None, "flaps": 1, "acknowledged": 2, "marked_false": 0, "retracted": 0}
    told |= {"last_us": None, "truncated": True}
    shown, asked = on_api(site, lambda on: record.read(on, "wide"), httpx.Response(200, json=told))
    assert asked[0].url.path == "/v1/rules/wide/statistics"
    assert int(asked[0].url.params["end"]) - int(asked[0].url.params["start"]) == 7 * 86_400 * 1_000_000
    assert "/alerts?rule=wide" in str(shown)
    found = msgspec.convert(told, RuleStatistics)
    assert dict(record.numbers(found)) | {
        "Fired": "\N{GREATER-THAN OR EQUAL TO} 3",
        "Median": "42 s",
    } == dict(record.numbers(found))


@pytest.mark.parametrize(
    ("is_new", "method", "path"), [(True, "POST", "/v1/rules"), (False, "PUT", "/v1/rules/wide")]
)
def test_a_saved_rule_is_shown_with_its_warnings_and_listed_at_once(
    is_new: bool, method: str, path: str, site: PageContext
) -> None:
    saved = httpx.Response(200, json={**RULE, "built_in": False, "warnings": ["it matches none"]})
    shown, asked = on_api(site, lambda on: actions.save(on, dict(RULE), is_new=is_new), saved)
    assert (asked[0].method, asked[0].url.path) == (method, path)
    assert shown["rule-status"]["children"] == "Saved: Wide. Warning: it matches none."
    assert shown["rule-stored"]["data"]["rule"]["id"] == "wide"
    assert {one.url.path for one in asked[1:]} == {"/v1/rules", "/v1/silences"}


def test_a_rule_without_a_name_is_not_sent(site: PageContext) -> None:
    rule = form.rule_of(form.DEFAULTS, None, "UTC")
    shown, asked = on_api(site, lambda on: actions.save(on, rule, is_new=True))
    assert (asked, shown["rule-name"]["error"]) == ([], "Expected a name with a letter or digit.")


def test_a_rule_is_paused_as_it_is_stored_now(site: PageContext) -> None:
    elsewhere = {**RULE, "cooldown_s": 60}
    stored, paused = (httpx.Response(200, json=one) for one in (elsewhere, {**elsewhere, "paused": True}))
    shown, asked = on_api(site, lambda on: actions.pause(on, "wide", paused=True), stored, paused)
    sent = msgspec.json.decode(asked[1].content)
    assert (sent["paused"], sent["cooldown_s"]) == (True, 60)
    assert shown["rule-status"]["children"] == "Paused: Wide."


@pytest.mark.parametrize(
    ("answers", "told", "is_removed"),
    [
        ((httpx.Response(204),), "wide is removed.", True),
        ((httpx.Response(403, json=READER),), "Not removed.", False),
    ],
)
def test_a_removed_rule_leaves_the_form_as_a_new_one(
    answers: tuple[httpx.Response, ...], told: str, is_removed: bool, site: PageContext
) -> None:
    shown, _ = on_api(site, lambda on: actions.remove(on, "wide"), *answers)
    assert shown["rule-status"]["children"].startswith(told)
    assert ("rule-stored" in shown) is is_removed


@pytest.mark.parametrize(("pattern", "end_us", "wrong"), [("", 5, "pattern"), ("ETH*", None, "until")])
def test_a_silence_needs_a_pattern_and_an_end(
    pattern: str, end_us: int | None, wrong: str, site: PageContext
) -> None:
    shown, asked = on_api(site, lambda on: actions.silence(on, "pair", pattern, end_us))
    assert asked == []
    assert [one for one in ("pattern", "until") if shown[f"silence-{one}"]["error"]] == [wrong]


def test_a_silence_begins_is_refused_at_its_field_and_ends(site: PageContext) -> None:
    shown, asked = on_api(
        site, lambda on: actions.silence(on, "rule", "wide", 9), httpx.Response(201, json={})
    )
    assert msgspec.json.decode(asked[0].content) == {"matchers": {"rule": "wide"}, "end_us": 9}
    assert shown["silence-status"]["children"] == "Notifications of rule wide are silenced."
    shown, _ = on_api(site, lambda on: actions.silence(on, "rule", "wide", 9), refusal("end_us"))
    assert shown["silence-until"]["error"] == "Expected another, received this."
    shown, asked = on_api(site, lambda on: actions.end_silence(on, "a"), httpx.Response(204))
    assert (asked[0].method, asked[0].url.path) == ("DELETE", "/v1/silences/a")
    shown, asked = on_api(site, lambda on: actions.end_silence(on, None))
    assert (asked, shown["silence-status"]["children"]) == ([], "Select a silence in the table first.")


def test_what_fired_in_the_last_day_is_counted_by_rule(site: PageContext, price_move: Make) -> None:
    told = [price_move(1), price_move(2), price_move(3, retracted_by="alert-4")]
    page = httpx.Response(200, content=msgspec.json.encode({"data": told, "next_cursor": "more"}))
    fired, asked = on_api(site, lambda on: count(on.client, 10**15), page)
    assert fired == Fired({"btc-moves": 2}, is_whole=False)
    assert int(asked[0].url.params["end"]) - int(asked[0].url.params["start"]) == 86_400 * 1_000_000
