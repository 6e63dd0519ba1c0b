"""Clock of a venue: corrects a wrong local clock by the venue's times."""

import time
from collections.abc import Callable
from typing import NoReturn

import structlog

from services.common import clock
from services.common.cancellation import pause
from services.common.clock import SECOND
from services.common.errors import BadMessageError, TransientError
from services.ingest.venues.venue import Venue

# An answer takes time, too: up to here the local clock is as good as what the venue says.
_NEAR_US = SECOND // 2
# A slower answer says too little.
_SLOW_S = 2.0
_EVERY_S = 60.0

log = structlog.get_logger()


def _steady_s() -> float:
    """Return a clock that is never set, and that runs while the machine sleeps where the system has one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class VenueClock:
    """The local clock, put right by what a venue has answered when it was asked for the time.

    Between two answers a steady clock goes on from the last one, so a local clock that is set meanwhile harms nobody.
    """

    def __init__(
        self, now_us: Callable[[], int] = lambda: clock.now_us(), steady_s: Callable[[], float] = _steady_s
    ) -> None:
        """`now_us` is the local clock."""
        self._now_us = now_us
        self._steady_s = steady_s
        self._told: tuple[int, float] | None = None

    async def ask(self, venue: Venue) -> None:
        """Ask a venue for its time; without an answer the last known difference stays."""
        asked_s = self._steady_s()
        try:
            venue_us = await venue.time_us()
        except (TransientError, BadMessageError) as error:
            log.warning("the venue did not answer with its time", venue=venue.name, reason=str(error))
            return
        answered_s = self._steady_s()
        if answered_s - asked_s <= _SLOW_S:
            self._told = venue_us, (asked_s + answered_s) / 2

    async def follow(self, venue: Venue) -> NoReturn:
        """Ask a venue again and again, until cancelled."""
        while True:
            await pause(_EVERY_S)
            await self.ask(venue)

    @property
    def behind_us(self) -> int:
        """Return how far the local clock is behind the venue's, negative if ahead; 0 unless that is known."""
        if self._told is None:
            return 0
        venue_us, at_s = self._told
        behind_us = venue_us + round((self._steady_s() - at_s) * SECOND) - self._now_us()
        return behind_us if abs(behind_us) > _NEAR_US else 0

    def now_us(self) -> int:
        """Return the time."""
        return self._now_us() + self.behind_us
