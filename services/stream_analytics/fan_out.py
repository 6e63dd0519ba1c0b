"""Bring trades to the partitions of their pairs: many trades in one message, soon but not one by one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from services.common.cancellation import checkpoint
from services.common.messages import LegTrade, LegTrades, encode
from services.stream_analytics.partition import Acknowledged

# A message stays far below what brokers take, and the reader's turn short.
_MOST_TRADES = 1_000
_BEHIND_WAIT_S = 0.1

Send = Callable[[int, bytes], Awaitable["asyncio.Future[None]"]]


class FanOut:
    """Collect trades for `wait_s`, then send each partition those that its pairs need, in order.

    While what is read is old anyway, larger messages cost less: then it waits for many, or `_BEHIND_WAIT_S`.
    What brought trades is acknowledged, in order, once the broker has them.
    """

    def __init__(self, send: Send, wait_s: float) -> None:
        """`send` takes a partition and a message, and returns what tells when the broker has it."""
        self._send = send
        self._wait_s = wait_s
        self._waiting: dict[int, list[LegTrade]] = {}
        self._count = 0
        self._events: list[Acknowledged] = []
        self._sent: deque[tuple[list[asyncio.Future[None]], list[Acknowledged]]] = deque()
        self._filled = asyncio.Event()
        self._present = asyncio.Event()
        self._sending = asyncio.Lock()
        self.routes: Mapping[str, tuple[int, ...]] = {}

    @property
    def is_filling(self) -> bool:
        """Tell whether something has been collected and not sent."""
        return self._count > 0

    @property
    def in_flight(self) -> int:
        """How many times something was sent that the broker does not have yet."""
        return len(self._sent)

    async def put(
        self, event: Acknowledged | None, trades: Sequence[LegTrade], is_behind: bool = False
    ) -> None:
        """Take what `event` brought; waits only while too much is waiting. `is_behind` says that it is old."""
        routes, waiting = self.routes, self._waiting
        for trade in trades:
            for partition in routes.get(trade.symbol, ()):
                if (collected := waiting.get(partition)) is None:
                    collected = waiting[partition] = []
                collected.append(trade)
        if event is not None:
            self._events.append(event)
        self._count += len(trades)
        if self._count >= _MOST_TRADES:
            await self.flush()
        else:
            if not is_behind:
                self._present.set()
            self._filled.set()

    def forget(self) -> None:
        """Drop what is not acknowledged: it will come again, here or at another worker."""
        self._waiting.clear()
        self._events.clear()
        self._sent.clear()
        self._count = 0

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
            self._waiting, self._events, self._count = {}, [], 0
            self._filled.clear()
            self._present.clear()
            flights = [
                await self._send(partition, encode(LegTrades(trades=tuple(trades))))
                for partition, trades in waiting.items()
            ]
            self._sent.append((flights, events))
            for flight in flights:
                flight.add_done_callback(self._settle)
            self._settle()

    def _settle(self, *_: object) -> None:
        while self._sent and all(flight.done() for flight in self._sent[0][0]):
            for event in self._sent.popleft()[1]:
                event.ack()
