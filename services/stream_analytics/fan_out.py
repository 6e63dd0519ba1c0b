"""Fan-out of trades to the partitions of their pairs: many trades in one message, after a short wait."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from services.common.cancellation import checkpoint
from services.common.codec import encode
from services.contracts.messages import LegTrade, LegTrades
from services.stream_analytics.pair_partition import Acknowledge

# A message stays far below what brokers take, and the reader's turn short.
_MOST_TRADES = 1_000
# Linger time of trades that are not urgent: old ones, and those that only add to an open second.
_PATIENT_S = 0.1
# Time within which one fetch's records of several partitions arrive.
_TOGETHER_S = 0.002

Send = Callable[[int, bytes], Awaitable["asyncio.Future[None]"]]


class FanOut:
    """Collect trades, and send each partition those that its pairs need, in order, at most once in `wait_s`.

    What nobody waits for is collected for `_PATIENT_S`, as larger messages cost less: what is old anyway, and what
    closes no second. What brought trades is acknowledged, in order, once the broker has them.
    """

    def __init__(self, send: Send, wait_s: float) -> None:
        """`send` takes a partition and a message, and returns what tells when the broker has it."""
        self._send = send
        self._wait_s = wait_s
        self._flushed_s = 0.0
        self._waiting: dict[int, list[LegTrade]] = {}
        self._count = 0
        self._events: list[Acknowledge] = []
        self._sent: deque[tuple[list[asyncio.Future[None]], list[Acknowledge]]] = deque()
        self._filled = asyncio.Event()
        self._urgent = asyncio.Event()
        self._sending = asyncio.Lock()
        self.routes: Mapping[str, tuple[int, ...]] = {}

    @property
    def in_flight(self) -> int:
        """Number of messages sent that the broker has not acknowledged yet."""
        return len(self._sent)

    async def put(
        self, event: Acknowledge | None, trades: Sequence[LegTrade], is_urgent: bool = True
    ) -> None:
        """Take the trades of `event`; waits only while too much is queued, or until urgent trades are sent."""
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
            if is_urgent:
                self._urgent.set()
            self._filled.set()

    def forget(self) -> None:
        """Drop unacknowledged trades: they will come again, here or at another worker."""
        self._waiting.clear()
        self._events.clear()
        self._sent.clear()
        self._count = 0

    async def run(self) -> None:
        """Send what has been collected until cancelled."""
        while True:
            await self._filled.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENT_S):
                    await self._urgent.wait()
                    due_s = self._flushed_s + self._wait_s - asyncio.get_running_loop().time()
                    await asyncio.sleep(max(_TOGETHER_S, due_s))
            checkpoint()
            await self.flush()

    async def flush(self) -> None:
        """Send what has been collected."""
        async with self._sending:
            waiting, events = self._waiting, self._events
            self._waiting, self._events, self._count = {}, [], 0
            self._filled.clear()
            self._urgent.clear()
            self._flushed_s = asyncio.get_running_loop().time()
            flights = [
                await self._send(partition, encode(LegTrades(trades=tuple(trades))))
                for partition, trades in waiting.items()
            ]
            self._sent.append((flights, events))
            for flight in flights:
                flight.add_done_callback(self._settle)
            self._settle()

    def _settle(self, *_: object) -> None:
        while self._sent and all(map(_has_arrived, self._sent[0][0])):
            for event in self._sent.popleft()[1]:
                event.ack()


def _has_arrived(flight: "asyncio.Future[None]") -> bool:
    return flight.done() and not flight.cancelled() and flight.exception() is None
