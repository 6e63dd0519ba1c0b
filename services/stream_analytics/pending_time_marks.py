"""Pending time marks: they wait for the trades they follow, which come on another topic."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple


class PendingTimeMark(NamedTuple):
    """Time mark: no trade from before `event_us` follows the trade `trade_id`, or the wait for one is over."""

    event_us: int
    trade_id: int
    is_doubtful: bool


class PendingTimeMarks:
    """The marks of one symbol in their order."""

    def __init__(self) -> None:
        self._marks: deque[PendingTimeMark] = deque()

    def __bool__(self) -> bool:
        return bool(self._marks)

    @property
    def span_us(self) -> int:
        """Return the distance of the last mark from the first, by event time."""
        return self._marks[-1].event_us - self._marks[0].event_us if self._marks else 0

    def put(self, mark: PendingTimeMark) -> None:
        """Take one more."""
        self._marks.append(mark)

    def heard(self, has: Callable[[int], bool]) -> list[PendingTimeMark]:
        """Take out the marks whose trade has come, as `has` tells of an id, with all before them."""
        count = max((number for number, mark in enumerate(self._marks, 1) if has(mark.trade_id)), default=0)
        return [self._marks.popleft() for _ in range(count)]

    def drop(self, before_us: int) -> None:
        """Drop those that say nothing of the time after `before_us`."""
        while self._marks and self._marks[0].event_us <= before_us:
            self._marks.popleft()
