"""Instances of one service: which processes are alive, silent, or gone. No I/O."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from services.common.heartbeat import INTERVAL_S
from services.contracts.messages import Heartbeat

SILENT_AFTER_S = 5.0
# An instance that died is listed this long, and longer only if its service has no other.
DEAD_KEPT_S = 600.0
# More processes of one service are counted, and not listed.
INSTANCES_KEPT = 32
# A heartbeat came up to a second after it is known that it had not come.
_ALIVE_S = SILENT_AFTER_S + INTERVAL_S

Life = Literal["alive", "silent", "catching up"]


class Received(NamedTuple):
    """Arrival of a heartbeat at the broker, on the reader's monotonic clock: after `since_s`, not after
    `read_s`.

    `stamp_s` is what the broker's own clock said, None if the broker did not look.
    """

    since_s: float
    read_s: float
    stamp_s: float | None = None


class Listening(NamedTuple):
    """State of the reader since `began_s`: it has read all that came before `heard_s`, and the last stamp."""

    now_s: float
    began_s: float
    heard_s: float
    last: Received | None = None

    @property
    def has_listened(self) -> bool:
        """Return whether who lives has been heard of by now."""
        return self.is_listening and self.heard_s - self.began_s >= SILENT_AFTER_S

    @property
    def is_listening(self) -> bool:
        """Return whether what came is read soon; of who was silent before we went deaf we know nothing any more."""
        return self.now_s - self.heard_s < SILENT_AFTER_S


@dataclass(eq=False)
class Instance:
    """One process: its last heartbeat, when that came, and when the first did."""

    beat: Heartbeat
    came: Received
    first: Received
    has_replaced: bool = False
    """True if another instance has gone and this one took its place."""

    def life(self, ears: Listening) -> Life:
        """Return whether the process is alive; while heartbeats may be unread, it counts as ``catching up``."""
        if ears.now_s - self.came.since_s < _ALIVE_S:
            return "alive"
        is_silent = ears.is_listening and ears.heard_s - self.came.read_s >= SILENT_AFTER_S
        return "silent" if is_silent else "catching up"

    def age_s(self, ears: Listening) -> float | None:
        """Return the age of the last heartbeat, None if it came before the reader began and has no stamp."""
        since_read_s = max(0.0, ears.now_s - self.came.read_s)
        if self.came.since_s > -math.inf:
            return since_read_s
        if self.came.stamp_s is None or ears.last is None or ears.last.stamp_s is None:
            return None
        return max(since_read_s, ears.now_s - ears.last.read_s + ears.last.stamp_s - self.came.stamp_s)

    def could_replace(self, dead: "Instance") -> bool:
        """Return whether it may have begun when `dead` had ended."""
        if dead.came.since_s == -math.inf and None not in (self.first.stamp_s, dead.came.stamp_s):
            assert self.first.stamp_s is not None
            assert dead.came.stamp_s is not None
            return self.first.stamp_s > dead.came.stamp_s
        return self.first.read_s > dead.came.since_s


class Instances:
    """Instances of a service, by the names in their heartbeats."""

    def __init__(self) -> None:
        self._known: dict[str | None, Instance] = {}
        self.ended: Instance | None = None
        """The last one that ended as it was asked to."""

    def __iter__(self) -> Iterator[Instance]:
        """Yield them by name."""
        return iter(sorted(self._known.values(), key=lambda one: one.beat.instance or ""))

    @property
    def newest(self) -> Instance | None:
        """Return the one that was heard last."""
        return max(self._known.values(), key=lambda one: one.came.read_s, default=self.ended)

    def put(self, beat: Heartbeat, came: Received, is_own: bool = False) -> bool:
        """Take a heartbeat; tell whether one of the instances is left out, as there are too many: never one's own."""
        known = self._known.get(beat.instance)
        if known is not None:
            known.beat = beat
            known.came = came._replace(since_s=max(came.since_s, known.came.since_s))
            return False
        is_full = len(self._known) >= INSTANCES_KEPT
        if is_full:
            oldest = min(self._known, key=lambda name: self._known[name].came.read_s)
            if not is_own and came.read_s - self._known[oldest].came.since_s < _ALIVE_S:
                return True
            del self._known[oldest]
        self._known[beat.instance] = Instance(beat, came, came)
        return is_full

    def forget_gone(self, ears: Listening) -> None:
        """Forget those that ended as they were asked to, were replaced, or died long ago, but not the last of all."""
        staying = [one for one in self if one.beat.state != "stopping"]
        for one in [*self]:
            if one.beat.state == "stopping" and (staying or one.life(ears) == "silent"):
                self.ended = self._known.pop(one.beat.instance)
        dead = [one for one in self if one.life(ears) == "silent"]
        others = [one for one in self if one not in dead and not one.has_replaced]
        others.sort(key=lambda one: one.first.read_s)
        for one in sorted(dead, key=lambda one: one.came.read_s):
            successor = next((other for other in others if other.could_replace(one)), None)
            if successor is not None:
                others.remove(successor)
                successor.has_replaced = True
            age_s = one.age_s(ears)
            is_old = age_s is None or age_s >= DEAD_KEPT_S
            if successor is not None or (is_old and len(self._known) > 1):
                del self._known[one.beat.instance]
