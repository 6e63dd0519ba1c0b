"""Track of one rule on one subject: its state, how it came to it, and what was told of the last seconds."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from services.contracts.rules import Rule
from services.rules.machine import FRESH, Machine
from services.rules.observation import Observation
from services.rules.state import Move, Past, State

Recent = Sequence[tuple[Observation, int]]
"""Observations that may still be corrected, each with the time of the last usable one before it."""
Key = tuple[int, str]


class SavedTrack(Struct, frozen=True, array_like=True):
    """What is stored of a track; a restored one goes on as if nothing had been.

    `rule` is that of one that has begun something: it is ended in its words if the rule has changed meanwhile.
    """

    version: str
    rule: Rule | None
    state: State
    changes: list[tuple[int, State]]
    told: list[tuple[int, Move]]
    gone: dict[str, int]
    start_us: int


class Retracted(Struct, frozen=True):
    """A move that was told and that late trades have taken the cause from."""

    move: Move


Told = Move | Retracted


class Track:
    """One rule on one subject. ``watch`` numbers the watch that is set; one with another number is an old one."""

    __slots__ = ("_changes", "_gone", "_told", "machine", "start_us", "state", "version", "watch")

    def __init__(self, machine: Machine, version: str, start_us: int = 0) -> None:
        """Observations up to `start_us` were those of an earlier version of the rule."""
        self.machine = machine
        self.version = version
        self.start_us = start_us
        self.state: State = FRESH
        self.watch = 0
        self._changes: list[tuple[int, State]] = []
        self._told: list[tuple[int, Move]] = []
        """Moves, each behind the time of the observation that caused it."""
        self._gone: dict[Key, int] = {}

    def step(self, seen: Observation, past: Past) -> list[Move]:
        """Go on to an observation and return what is told of it."""
        moves = [self._distinct(move) for move in self._run(seen, past)]
        self._told += [(seen.event_us, move) for move in moves]
        return moves

    def has_changed_since(self, event_us: int) -> bool:
        """Tell whether it was in another state at some time from `event_us` on."""
        return bool(self._changes) and self._changes[-1][0] >= event_us

    def again(self, event_us: int, recent: Recent, first_us: int) -> list[Told]:
        """Go through the observations from `event_us` on again, one of which was corrected; return what differs."""
        event_us = max(event_us, self.start_us + 1)
        before = {_identity(move): move for move in self._rewind(event_us)}
        told: list[tuple[int, Move, bool]] = []
        for seen, usable_us in recent:
            if seen.event_us >= event_us:
                for move in self._run(seen, Past(first_us, usable_us)):
                    same = before.pop(_identity(move), None)
                    told.append((seen.event_us, move if same is None else same, same is None))
        for move in before.values():
            key = (move.event_us, move.state)
            self._gone[key] = self._gone.get(key, 0) + 1
        new: list[Told] = []
        for cause_us, move, is_new in told:
            named = self._distinct(move) if is_new else move
            self._told.append((cause_us, named))
            if is_new:
                new.append(named)
        return [*map(Retracted, before.values()), *new]

    def forget(self, before_us: int) -> None:
        """Forget what led to states before a time: no correction comes from there."""
        if self._changes and self._changes[0][0] < before_us:
            self._changes = [change for change in self._changes if change[0] >= before_us]
        if self._told and self._told[0][0] < before_us:
            self._told = [told for told in self._told if told[0] >= before_us]
        if self._gone:
            self._gone = {key: count for key, count in self._gone.items() if key[0] >= before_us}
        if self.start_us < before_us:
            self.start_us = 0

    def saved(self) -> SavedTrack | None:
        """Return what is to be stored, None of one that a new track equals."""
        if self.state == FRESH and not (self._changes or self._told or self._gone or self.start_us):
            return None
        gone = {f"{event_us} {state}": count for (event_us, state), count in self._gone.items()}
        rule = None if self.state.phase in ("normal", "ended") else self.machine.rule
        return SavedTrack(self.version, rule, self.state, self._changes, self._told, gone, self.start_us)

    def restore(self, saved: SavedTrack) -> None:
        """Take over what was stored."""
        self.state, self.start_us = saved.state, saved.start_us
        self._changes, self._told = [*saved.changes], [*saved.told]
        for key, count in saved.gone.items():
            event_us, _, state = key.partition(" ")
            self._gone[int(event_us), state] = count

    def _run(self, seen: Observation, past: Past) -> tuple[Move, ...]:
        state, moves = self.machine.step(self.state, seen, past)
        if state is not self.state:
            self._changes.append((seen.event_us, self.state))
            self.state = state
        return moves

    def _rewind(self, event_us: int) -> list[Move]:
        """Go back to the state before `event_us`; return what was told from there on, and forget it."""
        told = [move for cause_us, move in self._told if cause_us >= event_us]
        if told:
            del self._told[-len(told) :]
        while self._changes and self._changes[-1][0] >= event_us:
            self.state = self._changes.pop()[1]
        return told

    def _distinct(self, move: Move) -> Move:
        """Return a move with a suffix that no retracted one of its name has."""
        count = self._gone.get((move.event_us, move.state))
        return replace(move, suffix=f":{count}") if count else move


def _identity(move: Move) -> tuple[int, str, int]:
    return move.event_us, move.state, move.incident_us
