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
from services.ui.pages.rules import actions, form
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
    why, asked = on_api(site, lambda on: actions.why_reader(on.client), answer)
    assert why.startswith("Read only. Expected a caller with the role write") is is_reader
    assert bool(why) is is_reader
    assert (asked[0].method, asked[0].url.path) == ("DELETE", "/v1/rules/-")


def test_a_rule_is_tried_over_the_hour_before_the_newest_signal(site: PageContext) -> None:
    found = httpx.Response(200, json={"fired": 0, "pairs": [], "truncated": False, "warnings": []})
    unnamed = {name: one for name, one in RULE.items() if name != "id"}
    (told, firings, wrong), asked = on_api(site, lambda on: actions.attempt(on, unnamed, "UTC"), found)
    assert (told.partition(":")[0], firings, wrong) == ("Not tried", [], {})
    sent = msgspec.json.decode(asked[0].content)
    assert sent["end"] - sent["start"] == 3600 * 1_000_000
    assert asked[0].url.path == f"/v1/rules/{sent['rule']['id']}/test"


@pytest.mark.parametrize("field", form.PLACES)
def test_a_refused_field_is_said_at_its_control(field: str, site: PageContext) -> None:
    (told, _, wrong), _ = on_api(site, lambda on: actions.attempt(on, RULE, "UTC"), refusal(field))
    assert wrong == {form.PLACES[field]: "Expected another, received this."}
    assert told == "Not tried: a value is refused."
    shown, _ = on_api(site, lambda on: actions.save(on, dict(RULE), is_new=False), refusal(field))
    assert shown[f"rule-{form.PLACES[field]}"] == {"error": "Expected another, received this."}
    assert shown["rule-status"]["children"] == "Not saved."


def test_a_reader_is_told_that_trials_are_for_writers(site: PageContext) -> None:
    answer = httpx.Response(403, json=READER)
    told, _ = on_api(site, lambda on: actions.attempt(on, RULE, "UTC"), answer)
    assert told == ("Not tried: the API lets only those who may write try a rule.", [], {})


def test_a_rule_of_a_symbol_cannot_be_tried(site: PageContext) -> None:
    rule = {**RULE, "conditions": [{"metric": "coverage_1h", "operator": "below", "fire": 0.9}]}
    (told, _, wrong), _ = on_api(site, lambda on: actions.attempt(on, rule, "UTC"), refusal("rule"))
    assert (told, wrong) == ("Only seconds of pairs are stored, so a rule of a symbol cannot be tried.", {})


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
    rule = form.rule_of(form.DEFAULTS, None)
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
