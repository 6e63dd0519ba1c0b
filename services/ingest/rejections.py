"""Rejection counts that reveal a venue with a changed frame format. Pure: counts are passed in."""

from collections import deque

# A few damaged frames among few others are no trend.
_LEAST = 10
_SECONDS = 60


class Rejections:
    """The share of the last minute's frames that were rejected, from totals told once a second."""

    def __init__(self, threshold: float) -> None:
        """`threshold` is the share, 0 to 1, from which on it is an alarm."""
        self._threshold = threshold
        self._totals: deque[tuple[int, int]] = deque([(0, 0)], maxlen=_SECONDS + 1)

    def judge(self, taken: int, rejected: int) -> str | None:
        """Return the alarm in words, None if all is well, given how many there have been since the start."""
        self._totals.append((taken, rejected))
        bad = rejected - self._totals[0][1]
        frames = taken - self._totals[0][0] + bad
        if bad < _LEAST or bad < self._threshold * frames:
            return None
        return (
            f"{bad} of the last minute's {frames} frames were rejected ({bad / frames:.0%}): see dead-letters"
        )
