"""Pace of replayed or synthetic time, at a chosen speed."""

import asyncio
import math
from collections.abc import Awaitable, Callable

from services.common import clock

# Calls without a wait before other tasks (the heartbeat among them) get their turn.
_TURN = 256
_LEAST_SLEEP_S = 0.005


class Pace:
    """Maps the time of a tape to the wall clock; `speed` is tape seconds per second, infinity never waits."""

    def __init__(
        self,
        speed: float,
        now_us: Callable[[], int] = clock.now_us,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.now_us = now_us
        self._speed = speed
        self._sleep = sleep
        self._offset: tuple[int, int] | None = None
        self._calls = 0

    @property
    def is_real(self) -> bool:
        """Tell whether the tape's time passes as fast as the wall clock's."""
        return self._speed == 1

    def present_us(self) -> int:
        """Return where the tape should be by now: where it began before the first wait and if it never waits."""
        if self._offset is None:
            return self.now_us()
        start_us, wall_us = self._offset
        return (
            start_us if math.isinf(self._speed) else start_us + round((self.now_us() - wall_us) * self._speed)
        )

    async def until(self, tape_us: int) -> None:
        """Return when the tape has come to `tape_us`; the first call says where the tape is now."""
        if self._offset is None:
            self._offset = tape_us, self.now_us()
        start_us, wall_us = self._offset
        wait_us = wall_us + (tape_us - start_us) / self._speed - self.now_us()
        if wait_us > 0:
            # While trades come in quick succession those of a moment come together.
            await self._sleep(max(wait_us / clock.SECOND, _LEAST_SLEEP_S))
            return
        self._calls += 1
        if self._calls % _TURN == 0:
            await self._sleep(0)
