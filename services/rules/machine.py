"""State machine of a rule: from a state and an observation to the next state and its moves, in event time."""

from typing import NamedTuple

from msgspec.structs import replace

from services.common.clock import SECOND
from services.contracts.conditions import Condition
from services.contracts.rules import Rule
from services.rules.levels import Levels, Span
from services.rules.memory import compared
from services.rules.observation import Observation
from services.rules.schedule import is_within
from services.rules.state import Kind, Move, Past, State

FRESH = State()
# A condition that has to be met for some time is not met in a gap of so long.
_GAP_US = 60 * SECOND


class Verdict(NamedTuple):
    """What an observation says of a rule: whether it is met, or in error, and why it is not met."""

    holds: bool
    error: bool
    values: tuple[float | None, ...]
    why: str | None = None


class Machine:
    """A rule made ready to be evaluated; it has no state of its own."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.conditions = rule.conditions
        self.levels = tuple(map(Levels.of, rule.conditions))
        self.metrics = tuple(map(compared, rule.conditions))
        self._is_all = rule.match == "all"
        self._for_us, self._keep_us = _us(rule.for_s), _us(rule.keep_firing_s)
        self._cool_us, self._warm_us = _us(rule.cooldown_s), _us(rule.warm_up_s)
        no_data = rule.no_data != "keep"
        self.no_data_us = _us(rule.no_data_after_s + rule.for_s) if no_data else None
        self._gap_us = _us(rule.no_data_after_s) if no_data else _GAP_US

    def step(self, state: State, seen: Observation, past: Past) -> tuple[State, tuple[Move, ...]]:
        """Return the next state, the same object if nothing changes, and its moves."""
        if state.phase == "ended":
            return state, ()
        expires_us = self.rule.expires_us
        if expires_us is not None and seen.event_us >= expires_us:
            moves = self._ended(state, seen, expires_us, "the rule has expired")
            return State(phase="ended"), moves
        state, before = self._without_data(state, seen, past)
        if not seen.usable:
            return state, before
        if state.is_open and state.kind == "no_data":
            # What begins anew begins with the next one: of two moves of one time nobody could tell the order.
            state, back = self._resolved(state, seen, {})
            return state, (*before, back)
        verdict = self.judge(state, seen)
        state, after = self._advance(state, seen, past, verdict)
        return state, (*before, *after)

    def end(self, state: State, seen: Observation, reason: str) -> tuple[Move, ...]:
        """Return what is told when a rule or its subject is removed."""
        return self._ended(state, seen, max(seen.event_us, state.opened_us + 1), reason)

    def judge(self, state: State, seen: Observation) -> Verdict:
        """Compare an observation with each condition."""
        values = tuple([seen.values.get(metric) for metric in self.metrics])
        error = False
        why = None
        for place, value in enumerate(values):
            if value is None:
                is_met, error = False, True
            else:
                is_met = self.levels[place].holds(value, state.is_open)
            if is_met and not self._is_all:
                return Verdict(True, False, values)
            if not is_met and why is None:
                why = f"condition {place + 1} is not met"
                if self._is_all and value is not None:
                    return Verdict(False, error, values, why)
        if error:
            return Verdict(False, True, values, why)
        return Verdict(why is None, False, values, why)

    def closed_gate(self, seen: Observation, past: Past, state: State) -> str | None:
        """Return what holds a rule back whose conditions are met, None if nothing does."""
        rule = self.rule
        if seen.event_us < past.first_us + self._warm_us:
            return f"warm-up: its subject was first seen less than {rule.warm_up_s:g} s ago"
        if seen.event_us < state.cool_until_us:
            return f"cooldown: it ended less than {rule.cooldown_s:g} s ago"
        for gate in rule.gates:
            value = seen.values.get(gate.metric)
            is_above = value is not None and value >= gate.level
            is_below = value is not None and value <= gate.level
            if not (is_above if gate.operator == "above" else is_below):
                told = "unknown" if value is None else f"{value:g}"
                return f"gate: {gate.metric} is {told}, not {gate.operator} {gate.level:g}"
        if rule.schedule is not None and not is_within(rule.schedule, seen.event_us):
            return f"schedule: not from {rule.schedule.start} to {rule.schedule.end} {rule.schedule.timezone}"
        return None

    def watch(self, state: State, seen: Observation) -> list[tuple[str, Span]] | None:
        """Return metrics and intervals: while each is strictly inside, no observation changes the state.

        None if every observation has to be looked at. Time changes it only by `no_data_us` and the rule's expiry.
        """
        if state.phase == "ended":
            return []
        if self.rule.error != "keep" or state.phase not in ("normal", "open"):
            return None
        if not seen.usable or state.kind != "firing":
            return None
        is_open = state.is_open
        given = [seen.values.get(metric) for metric in self.metrics]
        holds = [
            value is not None and levels.holds(value, is_open)
            for value, levels in zip(given, self.levels, strict=True)
        ]
        if (all(holds) if self._is_all else any(holds)) != is_open:
            return None
        if any(value is None or value != value for value in given):
            return None
        # One that decides is enough: of all one that is not met, of any one that is.
        places = range(len(given))
        deciding = [place for place in places if holds[place] != self._is_all][:1] or [*places]
        return [
            (self.metrics[place], self.levels[place].span(value, is_open))
            for place in deciding
            if (value := given[place]) is not None
        ]

    def _without_data(self, state: State, seen: Observation, past: Past) -> tuple[State, tuple[Move, ...]]:
        """Apply the policy for no data to the time before an observation."""
        if self.no_data_us is None or (state.is_open and state.kind == "no_data"):
            return state, ()
        deadline_us = past.usable_us + self.no_data_us
        if not state.is_open and self.rule.no_data == "alert":
            deadline_us = max(deadline_us, past.first_us + self._warm_us, state.cool_until_us)
        if seen.event_us < deadline_us or (seen.usable and seen.event_us == deadline_us):
            return state, ()
        reason = f"no data for {self.no_data_us / SECOND:g} s"
        if self.rule.no_data == "ok":
            if state.is_open:
                at = replace(seen, event_us=deadline_us, values={})
                state, move = self._resolved(state, at, {}, reason)
                return state, (move,)
            return (state if state.phase == "normal" else self._calm(state)), ()
        moves = self._ended(state, seen, deadline_us, reason)
        state = State("open", "no_data", deadline_us, deadline_us, 0, state.cool_until_us)
        at = replace(seen, event_us=deadline_us, values={})
        return state, (*moves, Move("no_data", deadline_us, deadline_us, at, {}, None, reason))

    def _advance(
        self, state: State, seen: Observation, past: Past, verdict: Verdict
    ) -> tuple[State, tuple[Move, ...]]:
        if verdict.error and self.rule.error == "keep":
            return state, ()
        is_error = verdict.error and self.rule.error == "alert"
        if state.is_open:
            holds = is_error or (verdict.holds if state.kind == "firing" else False)
            return self._hold(state, seen, verdict) if holds else self._clear(state, seen, verdict)
        kind: Kind = "error" if is_error else "firing"
        if not (is_error or verdict.holds) or self._is_held_back(kind, seen, past, state):
            return self._withdraw(state, seen)
        is_next = state.phase == "pending" and state.kind == kind
        is_next = is_next and seen.event_us - past.usable_us <= self._gap_us
        since_us = state.since_us if is_next else seen.event_us
        count = state.count + 1 if is_next else 1
        if count >= self.rule.breaches and seen.event_us - since_us >= self._for_us:
            opened = replace(
                state, phase="open", kind=kind, since_us=since_us, opened_us=seen.event_us, count=0
            )
            reason = "what is measured is not known" if is_error else None
            return opened, (self._move(kind, opened, seen, verdict, reason),)
        pending = replace(state, phase="pending", kind=kind, since_us=since_us, count=count)
        if is_next:
            return pending, ()
        dropped = self._withdraw(state, seen)[1] if state.phase == "pending" else ()
        return pending, (*dropped, *self._step_told("pending", pending, seen, verdict))

    def _is_held_back(self, kind: Kind, seen: Observation, past: Past, state: State) -> bool:
        if kind == "firing":
            return self.closed_gate(seen, past, state) is not None
        return seen.event_us < max(past.first_us + self._warm_us, state.cool_until_us)

    def _withdraw(self, state: State, seen: Observation) -> tuple[State, tuple[Move, ...]]:
        if state.phase != "pending":
            return state, ()
        told = Move("resolved", seen.event_us, state.since_us, seen, {}, None, "no longer met")
        return self._calm(state), (told,) if self.rule.announce_steps else ()

    def _hold(self, state: State, seen: Observation, verdict: Verdict) -> tuple[State, tuple[Move, ...]]:
        if state.phase == "open":
            return state, ()
        opened = replace(state, phase="open", count=0)
        return opened, self._step_told(state.kind, opened, seen, verdict)

    def _clear(self, state: State, seen: Observation, verdict: Verdict) -> tuple[State, tuple[Move, ...]]:
        count = state.count + 1
        if count >= self.rule.clear_after and seen.event_us >= state.opened_us + self._keep_us:
            calm, move = self._resolved(state, seen, self.measured(seen, verdict))
            return calm, (move,)
        recovering = replace(state, phase="recovering", count=count)
        told = () if state.phase == "recovering" else self._step_told("recovering", recovering, seen, verdict)
        return recovering, told

    def _step_told(
        self, name: Kind | str, state: State, seen: Observation, verdict: Verdict
    ) -> tuple[Move, ...]:
        return (self._move(name, state, seen, verdict),) if self.rule.announce_steps else ()

    def _move(
        self, name: str, state: State, seen: Observation, verdict: Verdict, reason: str | None = None
    ) -> Move:
        measured = self.measured(seen, verdict)
        return Move(name, seen.event_us, state.since_us, seen, measured, None, reason)  # type: ignore[arg-type]

    def measured(self, seen: Observation, verdict: Verdict) -> dict[str, float]:
        """Return what each condition measured, by the name it has in alerts; what is not known is left out."""
        measured = {}
        for condition, value in zip(self.conditions, verdict.values, strict=True):
            told = seen.values.get(condition.metric) if condition.operator == "crosses" else value
            if told is not None and told == told:
                measured[measured_name(condition)] = told
        return measured

    def _resolved(
        self, state: State, seen: Observation, measured: dict[str, float], reason: str | None = None
    ) -> tuple[State, Move]:
        lasted_us = seen.event_us - state.opened_us
        move = Move("resolved", seen.event_us, state.since_us, seen, measured, lasted_us, reason)
        cool_us = seen.event_us + self._cool_us if self._cool_us else state.cool_until_us
        return replace(self._calm(state), cool_until_us=cool_us), move

    def _calm(self, state: State) -> State:
        return State(cool_until_us=state.cool_until_us)

    def _ended(self, state: State, seen: Observation, event_us: int, reason: str) -> tuple[Move, ...]:
        if not state.is_open and not (state.phase == "pending" and self.rule.announce_steps):
            return ()
        lasted_us = max(0, event_us - state.opened_us) if state.is_open else None
        at = replace(seen, event_us=event_us, values={})
        return (Move("ended", event_us, state.since_us, at, {}, lasted_us, reason),)


def measured_name(condition: Condition) -> str:
    """Return the name in alerts of what a condition measures."""
    return f"{condition.metric}_change" if condition.operator == "changes_by" else condition.metric


def _us(seconds: float) -> int:
    return round(seconds * SECOND)
