"""Rank of a value among the recent ones."""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable

_LEAST = 60


class RollingRank:
    """Rank among the last `window` values: the number of smaller ones.

    Values are kept as floats of 32 bits: a rank needs no more, and they are many.
    """

    __slots__ = ("_asked", "_at", "_ring", "_sorted", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self._ring = array("f")
        self._sorted = array("f")
        self._at = 0
        self._asked = array("f", (0.0,))

    def copy(self) -> "RollingRank":
        """Return one that goes its own way from here."""
        other = RollingRank(self.window)
        other._ring, other._sorted, other._at = self._ring[:], self._sorted[:], self._at
        return other

    def update(self, value: float) -> None:
        """Add a value; the oldest leaves when the window is full."""
        ring, ranked, at = self._ring, self._sorted, self._at
        if len(ring) < self.window:
            ring.append(value)
            value = ring[-1]
        else:
            oldest = ring[at]
            del ranked[bisect_left(ranked, oldest)]
            ring[at] = value
            value = ring[at]
            self._at = at + 1 if at + 1 < self.window else 0
        insort(ranked, value)

    def extend(self, values: Iterable[float]) -> None:
        """Add values, oldest first."""
        for value in values:
            self.update(value)

    def get(self, value: float) -> float | None:
        """Return the share, 0 to 1, of the values that were smaller, and not as large; None of fewer than 60."""
        if (count := len(self._sorted)) < _LEAST:
            return None
        # Rounded as the others are: of prices that move by ticks a third of the values may be one.
        self._asked[0] = value
        return bisect_left(self._sorted, self._asked[0]) / count
