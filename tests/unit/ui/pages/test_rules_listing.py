"""Rows of the rules page, and the trial of a rule in words."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from services.common.clock import SECOND
from services.contracts.silences import Silence
from services.ui.api.types import PairTrial, RuleTrial, TriedIncident
from services.ui.pages.rules import listing, silences, trial
from services.ui.pages.rules.listing import Fired, ListedRule
from services.ui.state.live_state import LiveState
from services.ui.state.page_context import PageContext
from tests.unit.ui.answers import answer
from tests.unit.ui.conftest import START_S

ZSCORE = {"metric": "zscore", "operator": "outside", "fire": 3}


def rule(**fields: Any) -> ListedRule:
    return msgspec.convert({"id": "wide", "conditions": [ZSCORE], **fields}, ListedRule)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({}, "zscore outside −3 to 3"),
        ({"for_s": 5}, "zscore outside −3 to 3 for 5 s"),
        (
            {
                "match": "any",
                "conditions": [
                    {"metric": "y_price", "operator": "changes_by", "fire": 2, "over_s": 60, "percent": True},
                    {"metric": "half_life_s", "operator": "below", "fire": 30},
                ],
            },
            "y_price changes by 2 % over 60 s or half_life_s below 30",
        ),
    ],
)
def test_a_rule_is_told_in_words(fields: dict[str, Any], what: str) -> None:
    assert listing.what(rule(**fields)) == what


@pytest.mark.parametrize(
    ("fired", "text"),
    [(None, ""), (Fired({}, True), "0"), (Fired({"wide": 2}, True), "2"), (Fired({"wide": 9}, False), "≥ 9")],
)
def test_how_often_it_fired_is_told_as_far_as_it_is_known(fired: Fired | None, text: str) -> None:
    assert listing.rows((rule(),), fired)["wide"]["text"] == text


def test_a_rule_is_built_in_or_own_and_paused_or_on() -> None:
    own, built_in = listing.rows((rule(paused=True),), None), listing.rows((rule(built_in=True),), None)
    assert (own["wide"]["origin"], own["wide"]["state"]) == ("own", "paused")
    assert (built_in["wide"]["origin"], built_in["wide"]["state"]) == ("built-in", "on")
    (snoozed,) = listing.rows((rule(),), None, {"wide"}).values()
    assert snoozed["state"] == "snoozed"
    warned = listing.rows((rule(warnings=["matches none"]),), None)["wide"]
    assert (warned["state"], warned["warnings"]) == ("warning", "matches none")


def test_the_last_hour_ends_with_the_newest_signal(site: PageContext) -> None:
    assert listing.newest_us(site) == START_S * SECOND + 1
    assert listing.newest_us(replace(site, market=LiveState())) == site.now().us


def tried(*lasted: float | None, signals: int = 9, **fields: Any) -> RuleTrial:
    incidents = tuple(
        TriedIncident(state="firing", start_us=(START_S + 60 * n) * SECOND, duration_s=one, value=3.5)
        for n, one in enumerate(lasted)
    )
    pair = answer(PairTrial, pair="ETHUSDT-BTCUSDT", signals=signals, fired=len(lasted), incidents=incidents)
    return answer(RuleTrial, fired=len(lasted), pairs=(pair,), **fields)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (tried(signals=0), "Not tried: no signals of its pairs are stored for the last hour."),
        (tried(), "Would not have fired in the last hour (1 pair)."),
        (
            tried(10.0, 30.0, None),
            "Would have fired 3 times in the last hour (1 pair), median duration 20 s.",
        ),
        (tried(None), "Would have fired 1 time in the last hour (1 pair), and not have ended."),
        (tried(truncated=True), "Only a part of the signals was tried, as there are too many."),
        (tried(warnings=("its scope matches none",)), "Warning: its scope matches none."),
    ],
)
def test_a_trial_is_one_sentence(found: RuleTrial, told: str) -> None:
    assert told in trial.sentence(found)


def test_firings_are_listed_latest_first_and_the_rest_is_counted() -> None:
    lines = trial.firings(tried(*[10.0] * 21, None), "UTC")
    assert text(lines[0]) == "22:34:20 ETHUSDT-BTCUSDT at 3.5, still open"
    assert text(lines[1]) == "22:33:20 ETHUSDT-BTCUSDT at 3.5, 10 s"
    assert (len(lines), text(lines[-1])) == (21, "2 more")


def text(line: Any) -> str:
    """Return the text of an element."""
    if isinstance(line, str):
        return line
    parts = line.children if isinstance(line.children, list) else [line.children]
    return "".join(map(text, parts))


@pytest.mark.parametrize(("now_us", "state"), [(5, "later"), (10, "active"), (20, "over")])
def test_a_silence_is_later_active_or_over(now_us: int, state: str) -> None:
    held = Silence(id="a", matchers={"pair": "ETH*", "severity": "info"}, start_us=10, end_us=20, by="desk")
    row = silences.rows((held,), now_us)["a"]
    assert (row["of"], row["state"], row["by"]) == ("pair ETH*, severity info", state, "desk")
