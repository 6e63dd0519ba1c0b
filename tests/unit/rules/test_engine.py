"""The engine against the plain state machine: what stays told is what the corrected tape says, whatever happened."""

from collections.abc import Mapping

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.contracts.alert_messages import OPENING, Alert
from services.contracts.conditions import Condition
from services.contracts.rules import Rule
from services.rules.alerts import alert_of
from services.rules.engine import Engine
from services.rules.machine import FRESH, Machine
from services.rules.memory import Memories, Memory
from services.rules.observation import Observation
from services.rules.state import Move, Past
from services.rules.subject import SavedSubject
from tests.builders import PAIR
from tests.unit.rules.strategies import rules, tapes, watched_rules

HORIZON_US = 1_000 * SECOND


def engine_of(*followed: Rule) -> Engine:
    """Return an engine that follows these rules."""
    engine = Engine(HORIZON_US)
    assert engine.configure({rule.id: rule for rule in followed}) == []
    return engine


def told(engine: Engine, tape: list[Observation]) -> list[Alert]:
    """Return the alerts of a tape."""
    return [alert_of(one) for seen in tape for one in engine.observe("pair", PAIR, seen)]


def plain(rule: Rule, tape: list[Observation]) -> list[Move]:
    """Return the moves of a tape whose corrections are known from the beginning, every second looked at."""
    final = {one.event_us: one for one in tape}
    machine, state, moves = Machine(rule), FRESH, list[Move]()
    memories = Memories()
    remembered: Mapping[str, Memory] = {}
    memories.need(rule.conditions)
    first_us = usable_us = min(final)
    for event_us in sorted(final):
        seen, remembered = memories.after(final[event_us], remembered)
        state, found = machine.step(state, seen, Past(first_us, usable_us))
        moves += found
        if final[event_us].usable:
            usable_us = event_us
    return moves


def lasting(alerts: list[Alert]) -> list[Alert]:
    """Return the alerts that none has retracted."""
    gone = {alert.retracts for alert in alerts}
    return [alert for alert in alerts if alert.state != "retracted" and alert.alert_id not in gone]


def test_a_pair_of_a_radar_is_that_of_a_scope_either_way_round() -> None:
    condition = Condition(metric="radar_confirmed", operator="above", fire=1)
    rule = Rule(id="mine", conditions=(condition,), scope=("ETHUSDT-BTCUSDT",))
    engine = engine_of(rule, Rule(id="z", conditions=(Condition(metric="zscore", operator="above", fire=1),)))
    seen = Observation(SECOND, {"radar_confirmed": 1.0})
    (outcome,) = engine.observe("radar", "BTCUSDT-ETHUSDT", seen)
    alert = alert_of(outcome)
    assert (alert.rule, alert.state, alert.pair) == ("mine", "firing", "BTCUSDT-ETHUSDT")
    assert engine.observe("radar", "SOLUSDT-ETHUSDT", seen) == []
    assert engine.observe("pair", "ETHUSDT-BTCUSDT", seen) == []
    again = engine_of(rule)
    saved = engine.saved(("radar", "BTCUSDT-ETHUSDT"))
    assert saved is not None
    again.restore(("radar", "BTCUSDT-ETHUSDT"), saved)
    (outcome,) = again.observe("radar", "BTCUSDT-ETHUSDT", Observation(2 * SECOND, {"radar_confirmed": 0.0}))
    assert alert_of(outcome).state == "resolved"


def three_rules() -> st.SearchStrategy[list[Rule]]:
    """Return rules of three names."""
    return st.tuples(rules("a"), rules("b"), rules("c")).map(list)


def some_rules() -> st.SearchStrategy[list[Rule]]:
    """Return rules of three names, of whatever kind, or such as are not always looked at."""
    watched = st.tuples(watched_rules("a"), watched_rules("b"), watched_rules("c")).map(list)
    return st.one_of(three_rules(), watched)


@settings(max_examples=500)
@given(some_rules(), tapes())
def test_what_lasts_is_what_the_corrected_tape_says(followed: list[Rule], tape: list[Observation]) -> None:
    alerts = told(engine_of(*followed), tape)
    for rule in followed:
        expected = [(move.event_us, move.state, move.incident_us) for move in plain(rule, tape)]
        found = [
            (alert.event_us, alert.state, int(alert.incident_id.rpartition(":")[2]))
            for alert in lasting(alerts)
            if alert.rule == rule.id
        ]
        assert sorted(found) == sorted(expected)


@settings(max_examples=300)
@given(three_rules(), tapes())
def test_every_message_has_an_id_of_its_own(followed: list[Rule], tape: list[Observation]) -> None:
    ids = [alert.alert_id for alert in told(engine_of(*followed), tape)]
    assert len(ids) == len(set(ids))


@settings(max_examples=300)
@given(three_rules(), tapes(), st.sets(st.integers(0, 60)))
def test_restarts_change_nothing(followed: list[Rule], tape: list[Observation], restarts: set[int]) -> None:
    expected = told(engine_of(*followed), tape)
    engine, alerts = engine_of(*followed), list[Alert]()
    for place, seen in enumerate(tape):
        if place in restarts and (saved := engine.saved(("pair", PAIR))) is not None:
            stored = msgspec.msgpack.decode(msgspec.msgpack.encode(saved), type=SavedSubject)
            engine = engine_of(*followed)
            assert engine.restore(("pair", PAIR), stored) == []
        alerts += told(engine, [seen])
    assert alerts == expected


@settings(max_examples=300)
@given(rules(), tapes())
def test_no_incident_begins_twice_or_ends_twice(rule: Rule, tape: list[Observation]) -> None:
    is_open = False
    steps = {"pending", "recovering"}
    last = ""
    for alert in sorted(lasting(told(engine_of(rule), tape)), key=lambda one: one.event_us):
        if alert.state in OPENING and last != "recovering":
            assert not is_open, f"{alert.alert_id} begins while another one is open"
            is_open = True
        elif alert.state in ("resolved", "ended"):
            assert is_open or rule.announce_steps, f"{alert.alert_id} ends what never began"
            is_open = False
        last = alert.state if alert.state in steps else ""


@settings(max_examples=100)
@given(rules(), tapes(with_corrections=False))
def test_whoever_reads_again_is_told_nothing_twice(rule: Rule, tape: list[Observation]) -> None:
    engine = engine_of(rule)
    told(engine, tape)
    assert told(engine, tape[1:]) == []


@given(rules("a"), rules("b"), tapes(), st.integers(0, 40))
def test_an_edit_resets_its_own_states_alone(
    kept: Rule, edited: Rule, tape: list[Observation], at: int
) -> None:
    undisturbed = [one for one in told(engine_of(kept, edited), tape) if one.rule == "a"]
    engine = engine_of(kept, edited)
    alerts = told(engine, tape[:at])
    changed = msgspec.structs.replace(edited, severity="critical")
    ends = [alert_of(one) for one in engine.configure({"a": kept, "b": changed})]
    assert {alert.state for alert in ends} <= {"ended"}
    alerts += told(engine, tape[at:])
    assert [one for one in alerts if one.rule == "a"] == undisturbed


def test_what_is_open_ends_with_its_rule_its_subject_and_its_edit_while_nobody_looked() -> None:
    rule = msgspec.convert(
        {"id": "a", "conditions": [{"metric": "zscore", "operator": "above", "fire": 2.0}]}, Rule
    )
    high = [Observation(second * SECOND, {"zscore": 3.0}) for second in range(1, 4)]
    engine = engine_of(rule)
    (fired,) = told(engine, high)
    assert fired.state == "firing"
    saved = engine.saved(("pair", PAIR))
    assert saved is not None
    ways = {
        "removed": engine_of(rule),
        "subject": engine_of(rule),
        "paused": engine_of(rule),
    }
    for one in ways.values():
        assert one.restore(("pair", PAIR), saved) == []
    ends = {
        "removed": ways["removed"].configure({}),
        "paused": ways["paused"].configure({"a": msgspec.structs.replace(rule, paused=True)}),
        "subject": ways["subject"].remove("pair", PAIR, "the pair was removed"),
        "away": engine_of(msgspec.structs.replace(rule, for_s=5.0)).restore(("pair", PAIR), saved),
    }
    for way, outcomes in ends.items():
        (ended,) = [alert_of(one) for one in outcomes]
        assert (ended.state, ended.incident_id) == ("ended", fired.incident_id), way
        assert ended.duration_s == 2.0


def test_a_correction_that_takes_the_cause_away_retracts_and_one_that_brings_it_back_has_another_id() -> None:
    rule = msgspec.convert(
        {"id": "a", "conditions": [{"metric": "zscore", "operator": "above", "fire": 2.0}]}, Rule
    )
    engine = engine_of(rule)

    def see(second: int, zscore: float, revision: int = 0) -> list[Alert]:
        return told(engine, [Observation(second * SECOND, {"zscore": zscore}, True, revision)])

    assert see(1, 0.0) == []
    (fired,) = see(2, 3.0)
    (retracted,) = see(2, 1.0, 1)
    assert (retracted.state, retracted.retracts) == ("retracted", fired.alert_id)
    (again,) = see(2, 2.5, 2)
    assert again.state == "firing"
    assert again.alert_id != fired.alert_id
    assert again.value == 2.5
    assert see(2, 2.5, 2) == []


def test_an_alert_of_a_symbol_with_a_hyphen_is_of_no_pair() -> None:
    condition = {"metric": "coverage_1h", "operator": "below", "fire": 0.5}
    engine = engine_of(msgspec.convert({"id": "a", "conditions": [condition]}, Rule))
    seen = Observation(SECOND, {"coverage_1h": 0.25})
    (alert,) = [alert_of(one) for one in engine.observe("symbol", "BTC-USDT", seen)]
    assert (alert.subject, alert.pair) == ("BTC-USDT", None)
