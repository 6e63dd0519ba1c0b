"""Subject of rules: the observations that may still be corrected, and the tracks of its rules."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from services.contracts.conditions import Condition
from services.rules.memory import Memories, Memory
from services.rules.observation import Observation
from services.rules.state import Past
from services.rules.track import SavedTrack, Told, Track
from services.rules.watches import Watches

_NEVER = 1 << 62


class SavedSubject(Struct, frozen=True, array_like=True):
    """What is stored of a subject."""

    first_us: int
    usable_us: int
    recent: list[tuple[Observation, int]]
    memories: dict[str, Memory]
    tracks: dict[str, SavedTrack]


class Subject:
    """One pair, symbol or service, observation by observation; tracks by the id of their rule."""

    def __init__(self, first_us: int) -> None:
        self.first_us = first_us
        self.usable_us = first_us
        self.last: Observation | None = None
        self.tracks: dict[str, Track] = {}
        self._recent: list[tuple[Observation, int]] = []
        """Observations as they came, each with the time of the last usable one before it."""
        self._seen: list[Observation] = []
        """The same with what memories say of them."""
        self._memories = Memories()
        self._before: Mapping[str, Memory] = {}
        """Memories before the first of them, and after the last."""
        self._after: Mapping[str, Memory] = {}
        self._active: dict[str, Track] = {}
        self._watches = Watches()
        self._silence_us = self._expires_us = _NEVER

    @property
    def last_us(self) -> int:
        """Return the time of the last observation."""
        return self.first_us - 1 if self.last is None else self.last.event_us

    def add(self, *tracks: Track) -> None:
        """Begin to follow rules."""
        for track in tracks:
            rule_id = track.machine.rule.id
            self.tracks[rule_id] = self._active[rule_id] = track
            self._time(track)
        if self._memories.need(self._conditions()):
            self._remember()

    def remove(self, rule_id: str) -> Track:
        """Follow a rule no more."""
        track = self.tracks.pop(rule_id)
        self._active.pop(rule_id, None)
        track.watch = 0
        self._silence_us = self._expires_us = _NEVER
        for other in self.tracks.values():
            self._time(other)
        self._memories.need(self._conditions())
        return track

    def observe(self, seen: Observation) -> list[tuple[Track, Told]]:
        """Take the next observation and return what is told of it."""
        past = Past(self.first_us, self.usable_us)
        self._recent.append((seen, self.usable_us))
        seen, self._after = self._memories.after(seen, self._after)
        self._seen.append(seen)
        told: list[tuple[Track, Told]] = []
        for track in self._due(seen):
            told += [(track, move) for move in track.step(seen, past)]
            self._wait(track, seen)
        self.last = seen
        if seen.usable:
            self.usable_us = seen.event_us
        return told

    def correct(self, seen: Observation) -> list[tuple[Track, Told]] | None:
        """Put an observation in the place of the one of its time; None if that is not kept, or no older."""
        place = next(
            (place for place, (one, _) in enumerate(self._recent) if one.event_us == seen.event_us), None
        )
        if place is None or self._recent[place][0].revision >= seen.revision:
            return None
        was, usable_us = self._recent[place]
        self._recent[place] = (seen, usable_us)
        self._seen[place] = seen
        is_other = was.usable != seen.usable
        if is_other:
            self._follow_usable(place)
        if self._memories.conditions:
            self._remember()
        touched = {id(track): track for track in self._watches.reached(self._seen[place])}
        touched |= {id(track): track for track in self._active.values()}
        for track in self.tracks.values():
            is_timed = is_other and track.machine.no_data_us is not None
            # What it says of one second memory says of later ones.
            is_timed = is_timed or not self._memories.conditions.keys().isdisjoint(track.machine.metrics)
            if is_timed or track.has_changed_since(seen.event_us):
                touched[id(track)] = track
        told: list[tuple[Track, Told]] = []
        for track in sorted(touched.values(), key=_name):
            told += [(track, one) for one in track.again(seen.event_us, self._past(), self.first_us)]
            self._wait(track, self._seen[-1])
        self.last = self._seen[-1]
        return told

    def forget(self, before_us: int) -> None:
        """Forget observations from before a time, but for the last one."""
        keep = next(
            (place for place, (one, _) in enumerate(self._recent) if one.event_us >= before_us),
            len(self._recent) - 1,
        )
        if keep > 0:
            for seen, _ in self._recent[:keep]:
                _, self._before = self._memories.after(seen, self._before)
            del self._recent[:keep], self._seen[:keep]

    def saved(self, before_us: int) -> SavedSubject:
        """Return what is to be stored, without what is from before a time."""
        self.forget(before_us)
        tracks = {}
        for rule_id, track in self.tracks.items():
            track.forget(before_us)
            if (one := track.saved()) is not None:
                tracks[rule_id] = one
        memories = {name: one for name, one in self._before.items() if name in self._memories.conditions}
        return SavedSubject(self.first_us, self.usable_us, [*self._recent], memories, tracks)

    def restore(self, saved: SavedSubject) -> None:
        """Take over what was stored; tracks are added by whoever knows the rules."""
        self.first_us, self.usable_us = saved.first_us, saved.usable_us
        self._recent, self._before = [*saved.recent], saved.memories
        self._remember()
        self.last = self._seen[-1] if self._seen else None

    def _conditions(self) -> Iterable[Condition]:
        return (one for track in self.tracks.values() for one in track.machine.conditions)

    def _remember(self) -> None:
        """Go through what may be corrected again, from the memories before it."""
        self._seen, self._after = [], self._before
        for seen, _ in self._recent:
            full, self._after = self._memories.after(seen, self._after)
            self._seen.append(full)
        self.last = self._seen[-1] if self._seen else None

    def _past(self) -> list[tuple[Observation, int]]:
        return [(seen, usable_us) for seen, (_, usable_us) in zip(self._seen, self._recent, strict=True)]

    def _due(self, seen: Observation) -> Iterable[Track]:
        """Return the tracks that an observation can change, in the order of their rules."""
        due = {id(track): track for track in self._active.values()}
        if seen.usable:
            due |= {id(track): track for track in self._watches.take(seen)}
        if seen.event_us >= min(self.usable_us + self._silence_us, self._expires_us):
            for track in self.tracks.values():
                no_data_us, expires_us = track.machine.no_data_us, track.machine.rule.expires_us
                if no_data_us is not None or (expires_us is not None and seen.event_us >= expires_us):
                    due[id(track)] = track
        return sorted(due.values(), key=_name)

    def _wait(self, track: Track, seen: Observation) -> None:
        """Look at a track again when something can change it."""
        rule_id = track.machine.rule.id
        if (spans := track.machine.watch(track.state, seen)) is None:
            self._active[rule_id] = track
            track.watch = 0
        else:
            self._active.pop(rule_id, None)
            self._watches.set(track, spans)

    def _time(self, track: Track) -> None:
        if (no_data_us := track.machine.no_data_us) is not None:
            self._silence_us = min(self._silence_us, no_data_us)
        if (expires_us := track.machine.rule.expires_us) is not None:
            self._expires_us = min(self._expires_us, expires_us)

    def _follow_usable(self, place: int) -> None:
        """Say of each observation behind `place` again when the last usable one before it was."""
        seen, usable_us = self._recent[place]
        for later in range(place + 1, len(self._recent)):
            usable_us = seen.event_us if seen.usable else usable_us
            seen = self._recent[later][0]
            self._recent[later] = (seen, usable_us)
        self.usable_us = seen.event_us if seen.usable else usable_us


def _name(track: Track) -> str:
    return track.machine.rule.id
