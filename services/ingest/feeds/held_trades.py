"""Held trades: those of a stream that wait for the history before them."""

import asyncio
from contextlib import suppress

from services.contracts.messages import Tick


class HeldTrades:
    """The live trades of one symbol that is being filled."""

    def __init__(self) -> None:
        self.ticks: list[Tick] = []
        self._first = asyncio.Event()

    def put(self, tick: Tick) -> None:
        """Hold a trade."""
        self.ticks.append(tick)
        self._first.set()

    async def wait(self, at_most_s: float) -> None:
        """Return when there is a trade, or after that time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._first.wait()
