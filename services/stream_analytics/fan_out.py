"""Bring trades to the partitions of their pairs: many trades in one message, soon but not one by one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress

from services.common.cancellation import checkpoint
from services.common.messages import LegTrade, LegTrades, encode
from services.stream_analytics.partition import Acknowledged

# A message stays far below what brokers take, and the reader's turn short.
_MOST_TRADES = 500
_BEHIND_WAIT_S = 0.1


class FanOut:
    """Collect trades for `wait_s`, then send each partition those that its pairs need, in order.

    While what is read is old anyway, larger messages cost less: then it waits for many, or `_BEHIND_WAIT_S`.
    What brought them is acknowledged when they have been handed to the producer, which the commit flushes.
    """

    def __init__(self, send: Callable[[int, bytes], Awaitable[object]], wait_s: float) -> None:
        self._send = send
        self._wait_s = wait_s
        self._waiting: dict[int, list[LegTrade]] = {}
        self._events: list[Acknowledged] = []
        self._filled = asyncio.Event()
        self._present = asyncio.Event()
        self._sending = asyncio.Lock()
        self.routes: Mapping[str, tuple[int, ...]] = {}

    @property
    def is_filling(self) -> bool:
        """Tell whether something has been collected and not sent."""
        return bool(self._events)

    async def put(self, event: Acknowledged, trade: LegTrade, is_behind: bool = False) -> None:
        """Take what `event` brought; waits only while too much is waiting. `is_behind` says that it is old."""
        for partition in self.routes.get(trade.symbol, ()):
            self._waiting.setdefault(partition, []).append(trade)
        self._events.append(event)
        if len(self._events) >= _MOST_TRADES:
            await self.flush()
        else:
            if not is_behind:
                self._present.set()
            self._filled.set()

    def forget(self) -> None:
        """Drop what has not been sent: it will come again, here or at another worker."""
        self._waiting.clear()
        self._events.clear()

    async def run(self) -> None:
        """Send what has been collected until cancelled."""
        while True:
            await self._filled.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_BEHIND_WAIT_S):
                    await self._present.wait()
                    await asyncio.sleep(self._wait_s)
            checkpoint()
            await self.flush()

    async def flush(self) -> None:
        """Send what has been collected."""
        async with self._sending:
            waiting, events = self._waiting, self._events
            self._waiting, self._events = {}, []
            self._filled.clear()
            self._present.clear()
            for partition, trades in waiting.items():
                await self._send(partition, encode(LegTrades(trades=tuple(trades))))
        _acknowledge(events)


def _acknowledge(events: Iterable[Acknowledged]) -> None:
    for event in events:
        event.ack()
