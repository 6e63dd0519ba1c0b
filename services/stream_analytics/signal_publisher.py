"""Signal publisher: signals and alerts of the pairs, at a limited rate."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping, Sequence
from typing import Any

import structlog

from services.common import clock
from services.common.cancellation import pause
from services.common.codec import encode
from services.contracts import topics
from services.contracts.messages import Alert, LegTrade
from services.stream_analytics.conflation import Conflation
from services.stream_analytics.corrections import Outcome
from services.stream_analytics.live_budget import LiveBudget
from services.stream_analytics.pair_partition import PairPartition

# Messages that have waited in their topic for longer are not live.
BEHIND_S = 0.5
# Most live signals a second of a worker: with many pairs, each pair has fewer.
_MOST_LIVE_S = 2_000
# Trades come in batches, twenty milliseconds apart while there are many: what the next one brings is newer.
_GRACE_S = 0.025
# From one round of what was held back to the next at least.
_ROUND_S = 0.005

log = structlog.get_logger()


class SignalPublisher:
    """Publish closes and crossings at once, and the moment of each pair at most once per interval.

    While the past is worked through nobody needs to know what it was between two closes. And what happens between
    closes may only take a share of the worker's time: what does not fit waits, the pair that has waited longest
    comes first, with its latest prices.
    """

    def __init__(
        self,
        send: Callable[..., Awaitable[Any]],
        partitions: Mapping[int, PairPartition],
        counters: MutableMapping[str, int],
        interval_s: float,
        has_room: Callable[[], bool] = lambda: True,
        budget: LiveBudget | None = None,
        note: Callable[[Alert], Awaitable[None]] | None = None,
    ) -> None:
        """`send` is a publisher's ``send``, `partitions` are those that are here now.

        `has_room` tells whether the topic of signals takes more without pushing out what was not read. `note` is
        told of each alert before it is published.
        """
        self._send = send
        self._partitions = partitions
        self._counters = counters
        self._interval_s = interval_s
        self._every_trade = interval_s == 0
        self._has_room = has_room
        self._budget = budget or LiveBudget()
        self._note = note
        self._conflation: Conflation[tuple[int, str]] = Conflation(interval_s, _GRACE_S)
        self._held = asyncio.Event()
        self._behind_until_s = 0.0

    @property
    def is_behind(self) -> bool:
        """Tell whether recent messages were old."""
        return self._behind_until_s > asyncio.get_running_loop().time()

    @property
    def _is_pressed(self) -> bool:
        """Tell whether there is no time, or no room, for what happens between closes."""
        return not self._every_trade and (self._budget.is_spent or not self._has_room())

    def pace(self, pairs: int) -> None:
        """Divide the worker's publishing rate among `pairs` pairs."""
        if not self._every_trade:
            self._conflation.interval_s = max(self._interval_s, pairs / _MOST_LIVE_S)

    def has(self, number: int) -> bool:
        """Tell whether a partition is here."""
        return number in self._partitions

    async def take(
        self, number: int, partition: PairPartition, trades: Sequence[LegTrade], age_s: float
    ) -> list[Outcome]:
        """Pass trades to a partition, publish what follows, and return it; `age_s` is their waiting time."""
        pressed = age_s > BEHIND_S or self._is_pressed
        outcomes, touched = partition.take(trades, self._every_trade, pressed)
        await self._publish_all(number, outcomes, touched, age_s)
        return outcomes

    async def publish(self, number: int, outcomes: Sequence[Outcome], joined: Collection[str]) -> None:
        """Publish what pairs of a partition say that are filled, and the moment of those that have `joined` it."""
        await self._publish_all(number, outcomes, joined, 0.0)

    async def peek(self, number: int, trades: Sequence[LegTrade], age_s: float) -> None:
        """Show trades to a partition, if it is here, before it takes them, and publish what follows."""
        if (partition := self._partitions.get(number)) is not None:
            with self._budget.spending():
                outcomes, touched = partition.peek(trades, self._every_trade, self._is_pressed)
            await self._publish_all(number, outcomes, touched, age_s)

    async def run(self) -> None:
        """Publish held-back signals when they are due, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._held.wait()
            if (due_s := self._conflation.due_s) is None:
                self._held.clear()
                continue
            await pause(max(_ROUND_S, due_s - loop.time(), self._behind_until_s - loop.time()))
            while not self.is_behind:
                if self._is_pressed:
                    self._counters["live_thinned"] += self._conflation.is_due(loop.time())
                    break
                if (key := self._conflation.next_due(loop.time())) is None:
                    break
                await self._publish_now(*key)

    async def _publish_all(
        self, number: int, outcomes: Sequence[Outcome], touched: Collection[str], age_s: float
    ) -> None:
        """Publish `outcomes` of a partition, and of the `touched` pairs the moment, now or when it is due."""
        now_s = asyncio.get_running_loop().time()
        if age_s > BEHIND_S:
            self._behind_until_s = now_s + BEHIND_S
        for outcome in outcomes:
            if not outcome.signal.closed:
                self._conflation.spoke((number, outcome.signal.pair), now_s)
            await self._publish(outcome)
        held = self._behind_until_s > now_s or self._is_pressed
        for name in touched:
            if held:
                self._conflation.hold((number, name), now_s)
            elif self._conflation.offer((number, name), now_s):
                await self._publish_now(number, name)
        if self._conflation.due_s is not None:
            self._held.set()

    async def _publish_now(self, number: int, name: str) -> None:
        with self._budget.spending():
            partition = self._partitions.get(number)
            tracker = None if partition is None else partition.trackers.get(name)
            signal = None if tracker is None else tracker.now()
            if signal is not None:
                await self._publish(Outcome(signal))

    async def _publish(self, outcome: Outcome) -> None:
        signal, alerts = outcome
        key = signal.pair.encode()
        self._counters["signals" if signal.closed else "live_signals"] += 1
        await self._send(topics.SIGNALS.name, key=key, value=encode(signal), can_wait=not signal.closed)
        self._counters["corrections"] += signal.revision > 0
        self._counters["stale"] += signal.closed and signal.quality == "stale"
        for alert in alerts:
            if self._note is not None:
                await self._note(alert)
            self._counters["alerts"] += 1
            log.info("alert", message=alert.message, state=alert.state, at=clock.to_iso(alert.event_us))
            await self._send(topics.ALERTS.name, key=key, value=encode(alert), at_once=True)
