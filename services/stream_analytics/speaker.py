"""What is published of the pairs, and how often."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import structlog

from services.common import clock, topics
from services.common.cancellation import pause
from services.common.messages import encode
from services.stream_analytics.conflation import Conflation
from services.stream_analytics.partition import Partition
from services.stream_analytics.tracker import Outcome

# What has waited in its topic for longer than this is not the present.
BEHIND_S = 0.5

log = structlog.get_logger()


class Speaker:
    """Publish closes and crossings at once, and the moment of each pair at most once per interval.

    While the past is worked through nobody needs to know what it was between two closes.
    """

    def __init__(
        self,
        send: Callable[..., Awaitable[Any]],
        partitions: Mapping[int, Partition],
        counters: MutableMapping[str, int],
        interval_s: float,
    ) -> None:
        """`send` is the ``send`` of Faust's producer, `partitions` are those that are here now."""
        self._send = send
        self._partitions = partitions
        self._counters = counters
        self._interval_s = interval_s
        self._conflation: Conflation[tuple[int, str]] = Conflation(interval_s)
        self._behind_until_s = 0.0

    @property
    def is_behind(self) -> bool:
        """Tell whether what was read lately was old."""
        return self._behind_until_s > asyncio.get_running_loop().time()

    async def say(self, number: int, outcomes: list[Outcome], touched: set[str], age_s: float) -> None:
        """Publish `outcomes` of a partition, and of the `touched` pairs the moment, now or when it is due.

        `age_s` is how long what they follow from has waited.
        """
        now_s = asyncio.get_running_loop().time()
        if age_s > BEHIND_S:
            self._behind_until_s = now_s + BEHIND_S
        for outcome in outcomes:
            if not outcome.signal.closed:
                self._conflation.spoke((number, outcome.signal.pair), now_s)
            await self._publish(outcome)
        for name in touched:
            if self._behind_until_s > now_s:
                self._conflation.hold((number, name), now_s)
            elif self._conflation.offer((number, name), now_s):
                await self._publish_now(number, name)

    async def run(self) -> None:
        """Publish what was held back when it is due, until cancelled."""
        while True:
            await pause(max(0.005, self._interval_s / 5))
            if not self.is_behind:
                for number, name in self._conflation.due(asyncio.get_running_loop().time()):
                    await self._publish_now(number, name)

    async def _publish_now(self, number: int, name: str) -> None:
        partition = self._partitions.get(number)
        tracker = None if partition is None else partition.trackers.get(name)
        if tracker is not None and (signal := tracker.now()) is not None:
            await self._publish(Outcome(signal))

    async def _publish(self, outcome: Outcome) -> None:
        signal, alert = outcome
        key = signal.pair.encode()
        self._counters["signals" if signal.closed else "live_signals"] += 1
        await self._send(topics.SIGNALS.name, key, encode(signal), None, None, None)
        if alert is not None:
            self._counters["alerts"] += 1
            log.info("alert", message=alert.message, state=alert.state, at=clock.to_iso(alert.event_us))
            await self._send(topics.ALERTS.name, key, encode(alert), None, None, None)
