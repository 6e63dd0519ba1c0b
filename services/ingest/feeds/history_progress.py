"""Progress of a feed that plays the past first: by event time, against the present."""

from collections.abc import Callable

from services.common.clock import SECOND
from services.contracts.messages import Filling


class HistoryProgress:
    """The time from where the feed begins to now, which is later each time that somebody asks."""

    def __init__(self, start_us: int, present_us: Callable[[], int]) -> None:
        """`start_us` is where the feed begins, `present_us` says where it should be."""
        self._start_us = start_us
        self._present_us = present_us
        self._told_us = start_us

    def is_over(self, event_us: int) -> bool:
        """Return whether the feed has come to the present."""
        return event_us >= self._present_us()

    def filling(self) -> Filling:
        """Return how much of the past has been played so far."""
        total_us = max(0, self._present_us() - self._start_us)
        # A venue's clock may be ahead of ours.
        return Filling(min(self._told_us - self._start_us, total_us) / SECOND, total_us / SECOND)

    def reached(self, event_us: int) -> Filling | None:
        """Take a trade's time and return how much has been played, None if that was said less than a second before.

        Those seconds are of the tape; a trade that is out of order changes nothing.
        """
        if event_us < self._told_us + SECOND:
            return None
        self._told_us = event_us
        return self.filling()
