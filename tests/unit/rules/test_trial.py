"""What a trial says, second by second: it fires as live does, and names the first thing that holds a rule back."""

from typing import Any

import msgspec
import pytest
from hypothesis import given

from services.common.clock import SECOND
from services.contracts.alert_messages import OPENING
from services.contracts.rules import Rule
from services.rules.observation import Observation
from services.rules.trial import trial
from tests.unit.rules.strategies import rules, tapes
from tests.unit.rules.test_engine import engine_of, told


def held_back(options: dict[str, Any], values: list[float | None], at: int) -> str | None:
    """Return what holds back a rule "above 2" in a second, fed a value a second from 1 on."""
    body = {"id": "r", "conditions": [{"metric": "zscore", "operator": "above", "fire": 2}], **options}
    tape = [
        Observation(
            second * SECOND, {"reversion": 0.0} | ({} if value is None else {"zscore": value}), value != -1
        )
        for second, value in enumerate(values, 1)
    ]
    found = trial(msgspec.convert(body, Rule), tape, at * SECOND).explanation
    assert found is not None
    return found.held_back


@pytest.mark.parametrize(
    ("options", "values", "at", "expected"),
    [
        ({}, [1, 2], 1, "condition 1: zscore is 1, expected above 2"),
        ({}, [1, 2], 2, None),
        ({}, [None], 1, "condition 1: zscore is not known, expected above 2"),
        ({}, [-1], 1, "the second cannot be relied on: no data"),
        ({"for_s": 3}, [2, 2, 2], 3, "pending: met for 2 of 3 s, in 3 of 1 seconds in a row"),
        ({"breaches": 3}, [2, 2], 2, "pending: met for 1 of 0 s, in 2 of 3 seconds in a row"),
        ({"cooldown_s": 9}, [2, 0, 2], 3, "cooldown: it ended less than 9 s ago"),
        ({"warm_up_s": 9}, [2, 2], 2, "warm-up: its subject was first seen less than 9 s ago"),
        (
            {"gates": [{"metric": "reversion", "operator": "above", "level": 1}]},
            [2],
            1,
            "gate: reversion is 0, not above 1",
        ),
        (
            {"schedule": {"start": "08:00", "end": "09:00"}},
            [2],
            1,
            "schedule: not from 08:00 to 09:00 UTC",
        ),
        ({"expires_us": SECOND}, [2], 1, "the rule has expired at 1970-01-01T00:00:01.000000Z"),
    ],
)
def test_the_first_thing_that_holds_a_rule_back_is_named(
    options: dict[str, Any], values: list[float | None], at: int, expected: str | None
) -> None:
    assert held_back(options, values, at) == expected


@given(rules(), tapes(with_corrections=False))
def test_a_trial_finds_what_live_tells(rule: Rule, tape: list[Observation]) -> None:
    without_steps = msgspec.structs.replace(rule, announce_steps=False)
    alerts = told(engine_of(without_steps), tape)
    assert [one.start_us for one in trial(rule, tape).incidents] == [
        alert.event_us for alert in alerts if alert.state in OPENING
    ]
    assert [one.end_us for one in trial(rule, tape).incidents if one.end_us] == [
        alert.event_us for alert in alerts if alert.state in ("resolved", "ended")
    ]


@pytest.mark.parametrize(
    ("operator", "more", "series"),
    [
        ("above", {}, [1.0, 3.0, None, 2.5]),
        # That something crosses is no number to draw.
        ("crosses", {}, [1.0, 3.0, None, 2.5]),
        ("changes_by", {"over_s": 1}, [0.0, 2.0, None, 0.0]),
    ],
)
def test_the_series_is_what_is_compared_in_each_second(
    operator: str, more: dict[str, Any], series: list[float | None]
) -> None:
    condition = {"metric": "zscore", "operator": operator, "fire": 2, **more}
    tape = [
        Observation(second * SECOND, {"zscore": value}, second != 3)
        for second, value in enumerate([1.0, 3.0, 9.0, 2.5], 1)
    ]
    found = trial(msgspec.convert({"id": "r", "conditions": [condition]}, Rule), tape)
    assert found.series == [(second * SECOND, value) for second, value in enumerate(series, 1)]


def test_the_example_is_the_last_opening_or_what_was_measured_last() -> None:
    condition = {"metric": "zscore", "operator": "above", "fire": 2}
    rule = msgspec.convert({"id": "r", "conditions": [condition]}, Rule)

    def example(*values: float) -> tuple[int, dict[str, float]] | None:
        tape = [Observation(n * SECOND, {"zscore": value}, True) for n, value in enumerate(values, 1)]
        found = trial(rule, tape).example
        return None if found is None else (found.event_us // SECOND, dict(found.measured))

    assert example(3.0, 1.0, 4.0, 1.0) == (3, {"zscore": 4.0})
    assert example(1.0, 1.5) == (2, {"zscore": 1.5})
    assert example() is None
