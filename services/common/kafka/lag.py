"""Lag of a reader of topics, in messages and in seconds. No I/O."""

from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, NamedTuple, TypeVar

P = TypeVar("P", bound=Hashable)

# A look a second: of a reader that stands still for longer the first hour is remembered.
_LOOKS_KEPT = 3_600


class Lag(NamedTuple):
    """Lag: unread messages, and the seconds that the oldest of them has waited; None while unknown."""

    messages: int | None = None
    seconds: float | None = None


class ReadingLag(Generic[P]):
    """Measures by looking at the ends of the partitions about once a second.

    What is unread nobody knows the time of. It has waited since the first look at which it was there, and if
    the message before it had waited longer when it was read, then so long.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        """`seconds` is a monotonic clock."""
        self._seconds = seconds
        self._ends: dict[P, deque[tuple[int, float]]] = {}
        self._waited_s: dict[P, float] = {}

    def took(self, partition: P, waited_s: float) -> None:
        """Note how long a message had waited when it was read."""
        self._waited_s[partition] = max(0.0, waited_s)

    def measure(self, following: Mapping[P, int], ends: Mapping[P, int]) -> Lag:
        """Return the lag of a reader that reads `following` next, when the partitions end before `ends`."""
        messages, seconds, now_s = 0, 0.0, self._seconds()
        for partition, end in ends.items():
            unread = end - following.get(partition, end)
            looks = self._ends.setdefault(partition, deque())
            if looks and looks[-1][0] > end:  # the topic was made anew
                looks.clear()
            while looks and looks[0][0] <= end - unread:
                looks.popleft()
            if unread <= 0:
                continue
            if not looks or (looks[-1][0] < end and len(looks) < _LOOKS_KEPT):
                looks.append((end, now_s))
            messages += unread
            seconds = max(seconds, now_s - looks[0][1], self._waited_s.get(partition, 0.0))
        return Lag(messages, seconds)
