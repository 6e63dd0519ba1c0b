"""Wake-up signal shared by all sessions: ends a push loop's wait early, for alerts."""

import asyncio
from contextlib import suppress


class WakeUpSignal:
    """Wakes all waiting sessions; ``count`` counts the signals, so that none is missed between two waits."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def fire(self) -> None:
        """Wake all who wait."""
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, seen: int, seconds: float) -> None:
        """Return when there were more signals than `seen`, at the latest after `seconds`."""
        if self.count == seen:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._next.wait()
