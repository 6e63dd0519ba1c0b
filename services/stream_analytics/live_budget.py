"""Budget of a worker's time for signals between closes: the rest is for closes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SHARE = 0.3
BURST_S = 0.05


class LiveBudget:
    """Fills with time as it passes, a `share` of it, up to `burst_s`, and is spent by work.

    Work that took longer than all of it, as when the broker was away meanwhile, counts as so much.
    """

    def __init__(
        self, share: float = SHARE, burst_s: float = BURST_S, seconds: Callable[[], float] = time.perf_counter
    ) -> None:
        """`seconds` is a monotonic clock."""
        self._share = share
        self._burst_s = burst_s
        self._seconds = seconds
        self._left_s = burst_s
        self._filled_s = seconds()

    @property
    def is_spent(self) -> bool:
        """Tell whether there is no time for such work now."""
        now_s = self._seconds()
        self._left_s = min(self._burst_s, self._left_s + self._share * (now_s - self._filled_s))
        self._filled_s = now_s
        return self._left_s <= 0

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Spend the time that the block takes."""
        began_s = self._seconds()
        try:
            yield
        finally:
            self._left_s = max(-self._burst_s, self._left_s - (self._seconds() - began_s))
