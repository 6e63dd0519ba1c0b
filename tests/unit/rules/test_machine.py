"""States of a rule, second by second."""

from typing import Any

import msgspec
import pytest

from services.common.clock import SECOND
from services.contracts.rules import Rule
from services.rules.alerts import alert_of
from services.rules.engine import Engine
from services.rules.observation import Observation

STALE, MISSING = None, "missing"


def states(options: dict[str, Any], values: list[Any], reversion: float = 1.0) -> list[str]:
    """Return second and state of each alert of a rule "above 2, clear at 1", fed a value a second from 1 on."""
    body = {
        "id": "r",
        "conditions": [{"metric": "zscore", "operator": "above", "fire": 2, "clear": 1}],
        **options,
    }
    engine = Engine(0)
    engine.configure({"r": msgspec.convert(body, Rule)})
    told = []
    for second, value in enumerate(values, 1):
        measured = {"reversion": reversion} | ({} if value in (STALE, MISSING) else {"zscore": value})
        seen = Observation(second * SECOND, measured, value is not STALE)
        told += [alert_of(one) for one in engine.observe("pair", "A-B", seen)]
    return [f"{alert.event_us // SECOND} {alert.state}" for alert in told]


@pytest.mark.parametrize(
    ("options", "values", "expected"),
    [
        ({}, [0, 2, 1.5, 2, 1, 2], ["2 firing", "5 resolved", "6 firing"]),
        ({"for_s": 2}, [0, 2, 2, 2, 2], ["4 firing"]),
        ({"for_s": 2}, [0, 2, 2, 1.5, 2, 2, 2], ["7 firing"]),
        ({"breaches": 3}, [2, 2, 2, 2], ["3 firing"]),
        ({"breaches": 2, "for_s": 2}, [2, 2, 2, 2], ["3 firing"]),
        ({"clear_after": 2}, [2, 0, 2, 0, 0], ["1 firing", "5 resolved"]),
        ({"keep_firing_s": 3}, [2, 0, 0, 0], ["1 firing", "4 resolved"]),
        ({"cooldown_s": 3}, [2, 0, 2, 2, 2], ["1 firing", "2 resolved", "5 firing"]),
        ({"warm_up_s": 3}, [2, 2, 2, 2], ["4 firing"]),
        ({"expires_us": 3 * SECOND}, [2, 2, 2, 2], ["1 firing", "3 ended"]),
        ({}, [2, STALE, STALE, 2], ["1 firing"]),
        ({"no_data": "ok", "no_data_after_s": 2}, [2, STALE, STALE, STALE], ["1 firing", "3 resolved"]),
        (
            {"no_data": "alert", "no_data_after_s": 2},
            [2, STALE, STALE, STALE, 2, 2],
            ["1 firing", "3 ended", "3 no_data", "5 resolved", "6 firing"],
        ),
        ({"no_data": "alert", "no_data_after_s": 1, "for_s": 2}, [0, STALE, STALE, STALE], ["4 no_data"]),
        ({"error": "alert"}, [0, MISSING, 0], ["2 error", "3 resolved"]),
        ({"error": "alert", "breaches": 2}, [0, MISSING, 0, MISSING, MISSING], ["5 error"]),
        ({"error": "ok"}, [2, MISSING], ["1 firing", "2 resolved"]),
        ({"error": "keep"}, [2, MISSING, 2], ["1 firing"]),
        (
            {"announce_steps": True, "for_s": 1, "clear_after": 2},
            [2, 2, 0, 2, 0, 0],
            ["1 pending", "2 firing", "3 recovering", "4 firing", "5 recovering", "6 resolved"],
        ),
        ({"announce_steps": True, "for_s": 5}, [2, 0], ["1 pending", "2 resolved"]),
        ({"paused": True}, [2, 2], []),
        ({"scope": ["X-*"]}, [2, 2], []),
        ({"scope": ["X-*", "A-?"]}, [2, 2], ["1 firing"]),
    ],
)
def test_states(options: dict[str, Any], values: list[Any], expected: list[str]) -> None:
    assert states(options, values) == expected


def test_a_gate_holds_back_what_begins_and_ends_nothing() -> None:
    gate = {"gates": [{"metric": "reversion", "operator": "above", "level": 1}]}
    assert states(gate, [2, 2], reversion=0.0) == []
    assert states(gate, [2, 0], reversion=1.0) == ["1 firing", "2 resolved"]


def test_an_alert_says_what_caused_it() -> None:
    body = {
        "id": "r",
        "name": "Wide",
        "severity": "critical",
        "labels": {"desk": "fx"},
        "message": "{subject} {state} at {zscore:+.1f} of {threshold:.0f} {reason}",
        "conditions": [{"metric": "zscore", "operator": "outside", "fire": 2, "clear": 1}],
        "valid_s": 60,
    }
    engine = Engine(0)
    engine.configure({"r": msgspec.convert(body, Rule)})
    fired, resolved = [
        alert_of(one)
        for second, value in ((1, -2.5), (4, 0.5))
        for one in engine.observe("pair", "ETHUSDT-BTCUSDT", Observation(second * SECOND, {"zscore": value}))
    ]
    assert fired.message == "ETHUSDT-BTCUSDT firing at -2.5 of 2 "
    assert fired.values == {"zscore": -2.5, "fire": 2, "clear": 1, "fire_low": -2, "clear_low": -1}
    assert (fired.value, fired.threshold, fired.pair) == (-2.5, 2.0, "ETHUSDT-BTCUSDT")
    assert (fired.severity, fired.labels, fired.valid_until_us) == ("critical", {"desk": "fx"}, 61 * SECOND)
    assert (resolved.duration_s, resolved.threshold) == (3.0, 1.0)
    assert resolved.incident_id == fired.incident_id == "r:ETHUSDT-BTCUSDT:1000000"
