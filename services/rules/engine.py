"""Engine of rules: all subjects of one kind, or of a partition, their rules, and what becomes of observations."""

import hashlib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from services.contracts.metrics import SubjectKind
from services.contracts.pairs import Pair
from services.contracts.rules import Rule
from services.rules.machine import Machine
from services.rules.observation import Observation
from services.rules.subject import SavedSubject, Subject
from services.rules.track import Told, Track

Name = tuple[SubjectKind, str]
# Removed observations are thrown away some at a time.
_SPARE_US = 5_000_000


class Outcome(NamedTuple):
    """What is told of a rule and subject; the rule is the one that told it, also of one that is no more."""

    rule: Rule
    subject: str
    told: Told


@lru_cache(maxsize=1 << 16)
def is_in_scope(scope: tuple[str, ...], subject: str) -> bool:
    """Tell whether a subject is one of a scope's names and patterns."""
    return any(fnmatchcase(subject, pattern) for pattern in scope)


def is_followed(rule: Rule, kind: SubjectKind, subject: str) -> bool:
    """Tell whether a rule is at work on a subject; a radar's pair is that of a scope either way round."""
    if rule.subject_kind != kind:
        return False
    return is_in_scope(rule.scope, subject) or (
        kind == "radar" and is_in_scope(rule.scope, str(Pair.parse(subject).swapped))
    )


def version_of(rule: Rule) -> str:
    """Return what differs if rules measure or decide otherwise; their texts and labels are no difference."""
    said = replace(
        rule, name=rule.id, message="", labels={}, valid_s=0.0, renotify_s=0.0, escalate_after_s=0.0
    )
    return hashlib.blake2s(msgspec.json.encode(said), digest_size=6).hexdigest()


class Engine:
    """Rules at work. The same observations give the same outcomes, however often it is saved and restored between."""

    def __init__(self, horizon_us: int) -> None:
        """Corrections of observations older than `horizon_us` are not taken: they are counted in ``too_late``."""
        self._horizon_us = horizon_us
        self._machines: dict[str, tuple[Machine, str]] = {}
        self._subjects: dict[Name, Subject] = {}
        self._started: dict[tuple[str, SubjectKind, str], int] = {}
        self.changed: set[Name] = set()
        """Subjects that have changed since they were saved."""
        self.too_late = 0

    @property
    def subjects(self) -> Iterable[Name]:
        """Return the subjects that rules follow."""
        return self._subjects.keys()

    def configure(self, rules: Mapping[str, Rule]) -> list[Outcome]:
        """Follow exactly these rules from now on; what is open of the others ends."""
        wanted = {name: rule for name, rule in rules.items() if not rule.paused}
        outcomes: list[Outcome] = []
        for rule_id, (machine, version) in list(self._machines.items()):
            rule = wanted.get(rule_id)
            if rule == machine.rule:
                continue
            is_same = rule is not None and version_of(rule) == version
            if rule is None or not is_same:
                del self._machines[rule_id]
                reason = "the rule was changed" if rule else _gone(rules.get(rule_id))
                outcomes += self._drop(rule_id, reason)
        self._follow(wanted)
        self._started.clear()
        for name in [name for name, subject in self._subjects.items() if not subject.tracks]:
            del self._subjects[name]
            self.changed.add(name)
        return outcomes

    def observe(self, kind: SubjectKind, subject_name: str, seen: Observation) -> list[Outcome]:
        """Take an observation of a subject, new or corrected, and return what rules say of it.

        What came before is passed over, unless the time begins anew: from before the first one all is told again.
        """
        name = (kind, subject_name)
        subject = self._subjects.get(name)
        if subject is None or (seen.event_us <= subject.first_us and not seen.revision):
            subject = self._new(name, seen.event_us)
            if subject is None:
                return []
        if seen.event_us > subject.last_us:
            told = subject.observe(seen)
            if seen.event_us % _SPARE_US == 0:
                subject.forget(seen.event_us - self._horizon_us)
        elif not seen.revision:
            return []
        elif (again := subject.correct(seen)) is not None:
            told = again
        else:
            self.too_late += 1
            return []
        self.changed.add(name)
        return [Outcome(track.machine.rule, subject_name, one) for track, one in told]

    def remove(self, kind: SubjectKind, subject_name: str, reason: str) -> list[Outcome]:
        """Forget a subject that is no more; what is open of it ends."""
        subject = self._subjects.pop((kind, subject_name), None)
        if subject is None:
            return []
        self.changed.add((kind, subject_name))
        return [
            outcome
            for rule_id in list(subject.tracks)
            for outcome in _end(subject_name, subject, subject.remove(rule_id), reason)
        ]

    def saved(self, name: Name) -> SavedSubject | None:
        """Return what is to be stored of a subject, None if there is nothing any more."""
        subject = self._subjects.get(name)
        return None if subject is None else subject.saved(subject.last_us - self._horizon_us)

    def restore(self, name: Name, saved: SavedSubject) -> list[Outcome]:
        """Take over what was stored of a subject; what is open of rules that have changed since ends."""
        subject = Subject(saved.first_us)
        subject.restore(saved)
        outcomes: list[Outcome] = []
        stored = dict(saved.tracks)
        tracks = self._tracks(name)
        subject.add(*tracks.values())
        for rule_id, track in tracks.items():
            if (one := stored.get(rule_id)) is None:
                continue
            if one.version == track.version:
                track.restore(stored.pop(rule_id))
            else:
                track.start_us = subject.last_us
        for one in stored.values():
            if one.rule is not None:
                ended = Track(Machine(one.rule), one.version)
                ended.restore(one)
                outcomes += _end(name[1], subject, ended, "the rule was changed or removed")
        if subject.tracks:
            self._subjects[name] = subject
        self.changed.add(name)
        return outcomes

    def _follow(self, rules: Mapping[str, Rule]) -> None:
        """Follow rules that are new, or whose texts have changed."""
        fresh: dict[str, tuple[Machine, str]] = {}
        for rule_id, rule in rules.items():
            if (known := self._machines.get(rule_id)) is None or known[0].rule != rule:
                fresh[rule_id] = Machine(rule), version_of(rule)
        self._machines |= fresh
        for (kind, name), subject in self._subjects.items():
            new = []
            for rule_id, (machine, version) in fresh.items():
                if (track := subject.tracks.get(rule_id)) is not None:
                    track.machine = machine
                elif is_followed(machine.rule, kind, name):
                    new.append(Track(machine, version, self._started.pop((rule_id, kind, name), 0)))
            subject.add(*new)

    def _drop(self, rule_id: str, reason: str) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for (kind, name), subject in self._subjects.items():
            if rule_id in subject.tracks:
                outcomes += _end(name, subject, subject.remove(rule_id), reason)
                # A correction of what the earlier version has seen is nothing to the next one.
                self._started[rule_id, kind, name] = subject.last_us
                self.changed.add((kind, name))
        return outcomes

    def _new(self, name: Name, first_us: int) -> Subject | None:
        tracks = self._tracks(name)
        if not tracks:
            self._subjects.pop(name, None)
            return None
        subject = self._subjects[name] = Subject(first_us)
        subject.add(*tracks.values())
        return subject

    def _tracks(self, name: Name) -> dict[str, Track]:
        kind, subject = name
        return {
            rule_id: Track(machine, version)
            for rule_id, (machine, version) in self._machines.items()
            if is_followed(machine.rule, kind, subject)
        }


def _gone(rule: Rule | None) -> str:
    return "the rule was removed" if rule is None else "the rule was paused"


def _end(name: str, subject: Subject, track: Track, reason: str) -> list[Outcome]:
    if subject.last is None:
        return []
    moves = track.machine.end(track.state, subject.last, reason)
    return [Outcome(track.machine.rule, name, move) for move in moves]
