"""Form of a rule: what it shows of one, and the rule it makes."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules import Rule
from services.ui.pages.rules import form
from services.ui.pages.rules.listing import ListedRule

STORED: dict[str, Any] = {
    "id": "wide",
    "name": "Wide",
    "conditions": [
        {"metric": "zscore", "operator": "outside", "fire": 3.0, "clear": 1.0, "fire_low": -4.0},
        {"metric": "half_life_s", "operator": "below", "fire": 60.0},
    ],
    "scope": ["ETHUSDT-*", "SOLUSDT-*"],
    "cooldown_s": 60.0,
    "paused": True,
}


ZONE = "Europe/Berlin"
OPTIONS: dict[str, Any] = {
    "breaches": 3,
    "warm_up_s": 60.0,
    "clear_after": 2,
    "keep_firing_s": 30.0,
    "no_data": "alert",
    "no_data_after_s": 20.0,
    "error": "ok",
    "valid_s": 60.0,
    "renotify_s": 600.0,
    "escalate_after_s": 1200.0,
    "gates": [
        {"metric": "half_life_s", "operator": "below", "level": 90.0},
        {"metric": "reversion", "operator": "above", "level": 1.0},
        {"metric": "return_correlation", "operator": "above", "level": 0.5},
    ],
    "schedule": {"start": "08:00", "end": "18:00", "days": ["mon", "fri"], "timezone": "Asia/Tokyo"},
    "expires_us": 1_798_758_061_000_000,
    "labels": {"desk": "fx", "team": "a"},
    "message": "{subject} at {zscore:+.2f}",
}


def edited(**changes: Any) -> dict[str, Any]:
    shown = dict(zip(form.FIELDS, form.values_of(STORED, ZONE), strict=True))
    return form.rule_of(shown | changes, STORED, ZONE)


def test_a_new_rule_of_the_defaults_is_one_that_can_be() -> None:
    rule = msgspec.convert(form.rule_of({**form.DEFAULTS, "name": "Far out"}, None, ZONE), Rule)
    assert (rule.id, rule.name, rule.scope, rule.for_s) == ("far-out", "Far out", ("*",), 5)
    assert rule.conditions[0].levels == (3, 1, -3, -1)


def test_a_rule_that_is_shown_and_saved_is_the_same() -> None:
    assert msgspec.convert(edited(), Rule) == msgspec.convert(STORED, Rule)


def test_what_is_not_shown_stays_and_bounds_of_another_operator_go() -> None:
    rule = edited(fire=5, name="Wider")
    assert (rule["id"], rule["name"], rule["cooldown_s"], rule["paused"]) == ("wide", "Wider", 60.0, True)
    assert rule["conditions"][0] == {**STORED["conditions"][0], "fire": 5}
    above = edited(operator="above")
    assert above["conditions"] == [
        {"metric": "zscore", "operator": "above", "fire": 3.0, "clear": 1.0},
        STORED["conditions"][1],
    ]


def test_an_empty_field_is_left_out_and_zero_is_not() -> None:
    assert "clear" not in edited(clear="")["conditions"][0]
    assert edited(clear=0)["conditions"][0]["clear"] == 0
    assert edited(for_s=0)["for_s"] == 0


def test_what_the_form_does_not_show_is_named() -> None:
    assert form.unshown(STORED) == ["1 more condition", "fire_low"]
    assert form.unshown({**STORED, **OPTIONS}) == ["1 more condition", "a gate on half_life_s", "fire_low"]


@pytest.mark.parametrize("left_out", [(), *((name,) for name in OPTIONS), tuple(OPTIONS)])
def test_options_that_are_shown_and_saved_are_the_same(left_out: tuple[str, ...]) -> None:
    stored = {**STORED, **{name: one for name, one in OPTIONS.items() if name not in left_out}}
    shown = dict(zip(form.FIELDS, form.values_of(stored, ZONE), strict=True))
    saved = form.rule_of(shown, stored, ZONE)
    assert msgspec.convert(saved, Rule) == msgspec.convert(stored, Rule)


def test_an_option_that_is_emptied_is_gone_and_one_that_is_changed_is_another() -> None:
    stored = {**STORED, **OPTIONS}
    shown = dict(zip(form.FIELDS, form.values_of(stored, ZONE), strict=True))
    assert (shown["expires"], shown["reversion"], shown["correlation"]) == ("2027-01-01T00:01", "1", 0.5)
    emptied: dict[str, Any] = dict.fromkeys(
        ("reversion", "correlation", "expires", "labels", "message", "breaches"), ""
    )
    emptied |= {"schedule_start": "", "schedule_end": "", "schedule_days": []}
    rule = msgspec.convert(form.rule_of(shown | emptied, stored, ZONE), Rule)
    assert [gate.metric for gate in rule.gates] == ["half_life_s"]
    assert (rule.schedule, rule.expires_us, rule.labels, rule.message) == (None, None, {}, "")
    assert rule.breaches == 1
    later = form.rule_of(shown | {"expires": "2027-01-01T00:02"}, stored, ZONE)
    assert later["expires_us"] - stored["expires_us"] == 59_000_000  # to the minute


def test_a_refused_gate_is_said_at_its_control() -> None:
    places = form.places({**STORED, **OPTIONS})
    assert "gates.0.level" not in places
    assert (places["gates.1.metric"], places["gates.2.level"]) == ("reversion", "correlation")


@pytest.mark.parametrize("zero", [0, 0.0])
def test_values_that_are_defaults_are_none_of_its_own(zero: float) -> None:
    told = {
        **STORED,
        "conditions": STORED["conditions"][1:],
        "cooldown_s": zero,
        "labels": {},
        "warnings": [],
    }
    stored = msgspec.convert(told, ListedRule).stored()
    assert form.unshown(stored["rule"]) == []
    assert not stored["built_in"]


@given(st.text())
def test_an_id_made_of_a_name_is_one_that_rules_may_have_or_empty(name: str) -> None:
    made = form.id_of(name)
    if made and made != "zscore" and made != "zscore-threshold":
        msgspec.convert({**STORED, "id": made}, Rule)
