"""Event log, in order of arrival, for readers at their own pace."""

from collections import deque
from itertools import islice
from typing import Generic, TypeVar

KEPT = 1_000

T = TypeVar("T")


class EventLog(Generic[T]):
    """Log of the last entries; ``count`` is how many there were, and a reader notes the count it has read to."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: deque[T] = deque(maxlen=KEPT)

    def add(self, entry: T) -> None:
        """Add the newest."""
        self.count += 1
        self._kept.append(entry)

    def lose(self) -> None:
        """Note that there may have been some that never came, and keep none of those before."""
        self.count += 1
        self._kept.clear()

    def kept(self) -> list[T]:
        """Return all entries in memory, oldest first."""
        return list(self._kept)

    def after(self, count: int) -> list[T] | None:
        """Return those that came after the first `count`, None if some of them are not known."""
        missing = self.count - count
        if not 0 <= missing <= len(self._kept):
            return None
        return list(islice(self._kept, len(self._kept) - missing, None))
