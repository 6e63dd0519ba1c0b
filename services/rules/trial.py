"""Trial of a rule over stored observations: when it would have fired, how long, and what held it back at a moment."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from services.common import clock
from services.common.clock import SECOND
from services.contracts.alert_messages import OPENING
from services.contracts.rules import Rule
from services.rules.machine import FRESH, Machine
from services.rules.memory import Memories, Memory
from services.rules.observation import Observation
from services.rules.state import Move, Past, State


class Incident(NamedTuple):
    """One incident: what began when, with which value, and when it ended, if it did."""

    state: str
    start_us: int
    end_us: int | None
    duration_s: float | None
    value: float | None
    ended: str | None


class Explanation(NamedTuple):
    """What was known of a subject at a moment, the state of the rule then, and the first thing that held it back."""

    event_us: int
    state: str
    values: dict[str, float]
    held_back: str | None


class Trial(NamedTuple):
    """What became of a rule on one subject; `explanation` is there if a moment was asked for.

    `series` is what the first condition compares in each second, None where that is not known. `example` is the last
    opening or, if there is none, an opening with what was measured last.
    """

    observations: int
    incidents: list[Incident]
    explanation: Explanation | None
    series: list[tuple[int, float | None]]
    example: Move | None


def trial(rule: Rule, observations: Iterable[Observation], at_us: int | None = None) -> Trial:
    """Have a rule see observations of one subject, oldest first, as if it were live."""
    machine, memories = Machine(replace(rule, announce_steps=False)), Memories()
    memories.need(rule.conditions)
    remembered: dict[str, Memory] = {}
    state, moves, count = FRESH, list[Move](), 0
    first_us = usable_us = -1
    explanation: Explanation | None = None
    series = list[tuple[int, float | None]]()
    first = rule.conditions[0]
    # That something crosses is no number to draw: the metric is.
    drawn = first.metric if first.operator == "crosses" else machine.metrics[0]
    last: Observation | None = None
    for raw in observations:
        if first_us < 0:
            first_us = usable_us = raw.event_us
        seen, kept = memories.after(raw, remembered)
        remembered = dict(kept)
        past, before = Past(first_us, usable_us), state
        state, told = machine.step(before, seen, past)
        moves += told
        count += 1
        series.append((seen.event_us, seen.values.get(drawn) if seen.usable else None))
        if seen.usable:
            last, usable_us = seen, seen.event_us
        if at_us is not None and seen.event_us <= at_us:
            held = held_back(machine, before, state, seen, past)
            explanation = Explanation(seen.event_us, state.name, dict(raw.values), held)
    example = next((move for move in reversed(moves) if move.state in OPENING), None)
    if example is None and last is not None:
        measured = machine.measured(last, machine.judge(FRESH, last))
        example = Move("firing", last.event_us, last.event_us, last, measured)
    return Trial(count, _incidents(moves), explanation, series, example)


def held_back(machine: Machine, before: State, after: State, seen: Observation, past: Past) -> str | None:
    """Return the first thing that keeps a rule from firing, None if it fires."""
    rule = machine.rule
    if after.phase == "ended":
        return f"the rule has expired at {clock.to_iso(rule.expires_us or 0)}"
    if after.is_open:
        return None
    if not seen.usable:
        return f"the second cannot be relied on: {seen.reason or 'no data'}"
    verdict = machine.judge(before, seen)
    if not verdict.holds:
        return _not_met(rule, verdict.values)
    if (closed := machine.closed_gate(seen, past, before)) is not None:
        return closed
    waited_s = (seen.event_us - after.since_us) / SECOND
    return f"pending: met for {waited_s:g} of {rule.for_s:g} s, in {after.count} of {rule.breaches} seconds in a row"


def _not_met(rule: Rule, values: Sequence[float | None]) -> str:
    for place, (condition, value) in enumerate(zip(rule.conditions, values, strict=True), 1):
        fire, _, low, _ = condition.levels
        known = "not known" if value is None or value != value else f"{value:g}"
        level = f"{low:g} to {fire:g}" if condition.operator in ("outside", "inside") else f"{fire:g}"
        told = f"condition {place}: {condition.metric} is {known}, expected {condition.operator} {level}"
        if rule.match == "any" or value is None or not _is_met(rule, place - 1, value):
            return told
    return "no condition is met"


def _is_met(rule: Rule, place: int, value: float) -> bool:
    return Machine(rule).levels[place].holds(value, is_open=False)


def _incidents(moves: Iterable[Move]) -> list[Incident]:
    found: list[Incident] = []
    for move in moves:
        if move.state in OPENING:
            value = next(iter(move.measured.values()), None)
            found.append(Incident(move.state, move.event_us, None, None, value, None))
        elif move.state in ("resolved", "ended") and found and found[-1].end_us is None:
            lasted = (move.event_us - found[-1].start_us) / SECOND
            found[-1] = found[-1]._replace(end_us=move.event_us, duration_s=lasted, ended=move.state)
    return found
