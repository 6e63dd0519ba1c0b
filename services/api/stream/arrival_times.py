"""Arrival times of messages at the broker, on the reader's own monotonic clock. No I/O."""

import math
from collections import deque
from collections.abc import Callable, Mapping

Place = tuple[str, int]
"""A topic and a partition."""

# Answers in memory, one a second: a message before all of them is too old to prove that a service is alive.
_QUESTIONS_KEPT = 10


class ArrivalTimes:
    """Bounds, from the ends of partitions that the reader asks for again and again.

    What lies beyond an end came after the question was asked, and who has read up to all ends has read everything that
    came before it. So nobody's clock but the reader's own has a say, and no step of a wall clock.
    """

    def __init__(self) -> None:
        self._questions: deque[tuple[float, dict[Place, int]]] = deque(maxlen=_QUESTIONS_KEPT)

    def asked(self, at_s: float, ends: Mapping[Place, int]) -> None:
        """Note the answer to a question for `ends` that was asked at `at_s`."""
        self._questions.append((at_s, dict(ends)))

    def since_s(self, place: Place, offset: int) -> float:
        """Return a second after which the message came; minus infinity if that cannot be told."""
        return self._latest(lambda ends: ends.get(place, math.inf) <= offset)

    def heard_s(self, following: Mapping[Place, int]) -> float:
        """Return the second up to which a reader has read everything, whose next messages are at `following`."""
        return self._latest(lambda ends: all(following.get(place, 0) >= end for place, end in ends.items()))

    def _latest(self, holds: Callable[[Mapping[Place, int]], bool]) -> float:
        return next((at_s for at_s, ends in reversed(self._questions) if holds(ends)), -math.inf)
