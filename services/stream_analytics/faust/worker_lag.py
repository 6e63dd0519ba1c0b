"""Lag of the worker, its progress, and the duration of its recovery."""

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP

from services.common.cancellation import pause
from services.common.errors import FatalError
from services.common.kafka.consumer_watchdog import ConsumerWatchdog
from services.common.kafka.lag import Lag, ReadingLag
from services.common.supervision import Supervisor
from services.contracts.topics import LEG_TRADES, TICKS, TIME_MARKS

_READ = frozenset(topic.name for topic in (TICKS, TIME_MARKS, LEG_TRADES))
_ANSWER_S = 3.0


class Progress:
    """Ask the broker for the end offsets: a consumer that does not fetch does not know them."""

    def __init__(
        self, app: Any, patience_s: float, blocked: Callable[[], Collection[str]] = frozenset
    ) -> None:
        """`app` is Faust's; a worker that reads nothing for `patience_s` while messages come is stuck.

        Of the topics that are `blocked` it is right to read nothing.
        """
        self._blocked = blocked
        self.lag = Lag()
        """Lag of the assigned partitions."""
        self.answers = True
        """True if the broker answered the last request."""
        self._app = app
        self._reading = ReadingLag[Any](time.monotonic)
        self._watchdog: ConsumerWatchdog[str] = ConsumerWatchdog(patience_s)

    def took(self, partition: Any, waited_s: float) -> None:
        """Note how long a message had waited when it was read."""
        self._reading.took(partition, waited_s)

    async def measure(self) -> None:
        """Measure; FatalError if messages come and none is read."""
        consumer = self._app.consumer
        assigned = {partition for partition in consumer.assignment() if partition.topic in _READ}
        # While partitions change hands, and state comes back, it is right to read nothing.
        if not assigned or self._app.rebalancing or self._app.tables.recovery.in_recovery:
            self.lag = Lag()
            self._watchdog.measure(0, {}, {})
            return
        try:
            async with asyncio.timeout(_ANSWER_S):
                ends = await consumer.ends(assigned)
                # Marks of transactions are passed, and never read.
                passed = {partition: await consumer.position(partition) or 0 for partition in assigned}
                # Open transactions cannot be read yet; all that is passed could.
                unread = [partition for partition in assigned if passed[partition] < ends[partition]]
                readable = {**ends, **(await consumer.highwaters(*unread) if unread else {})}
        except (TimeoutError, KafkaError):
            self.lag, self.answers = Lag(), False
            return
        self.answers = True
        read = {partition: max(offset, self._next(partition)) for partition, offset in passed.items()}
        self.lag = self._reading.measure(read, ends)
        blocked = self._blocked()
        names = {
            partition: f"{partition.topic}/{partition.partition}"
            for partition in assigned
            if partition.topic not in blocked
        }
        complaint = self._watchdog.measure(
            asyncio.get_running_loop().time(),
            {name: read[partition] for partition, name in names.items()},
            {name: readable[partition] for partition, name in names.items()},
        )
        if complaint is not None:
            raise FatalError(complaint)

    def has_read_all(self, number: int) -> bool:
        """Tell whether nothing of a partition of trades waits, by what the consumer has seen, without asking."""
        partition = TP(LEG_TRADES.name, number)
        end = self._app.consumer.highwater(partition)
        return end is not None and self._next(partition) >= end

    def _next(self, partition: Any) -> int:
        read = self._app.consumer._read_offset[partition]
        return 0 if read is None else read + 1


class Recovery:
    """Time from an assignment of partitions to the moment their state is back, and see that it comes back.

    Faust waits for the last offset of a changelog. Where that is of a tombstone that was compacted away, or of
    the mark of a transaction, it would wait for ever.
    """

    def __init__(self, app: Any) -> None:
        """`app` is Faust's."""
        self.took_s: float | None = None
        """Duration of the last assignment's recovery (s); None before the first is done."""
        self._app = app
        self._began_s = 0.0
        self._looking: asyncio.Task[None] | None = None
        app.on_partitions_assigned.connect(self._begin, weak=False)
        app.on_rebalance_complete.connect(self._end, weak=False)

    async def _begin(self, *_: Any, **__: Any) -> None:
        self._began_s = time.monotonic()
        self._stop_looking()
        tasks = Supervisor()
        tasks.keep("the watch over the recovery", self._look)
        self._looking = asyncio.create_task(tasks.run())

    async def _end(self, *_: Any, **__: Any) -> None:
        self._stop_looking()
        self.took_s = time.monotonic() - self._began_s

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()

    async def _look(self) -> None:
        """Count as read what has been passed and does not come, until cancelled."""
        recovery, known = self._app.tables.recovery, dict[Any, int]()
        while True:
            await pause(1.0)
            remaining = dict(recovery.active_remaining()) if recovery.in_recovery else {}
            for partition, missing in remaining.items():
                if 0 < missing == known.get(partition) and await self._is_passed(partition):
                    recovery.active_offsets[partition] = recovery.active_highwaters[partition]
            known = remaining

    async def _is_passed(self, partition: Any) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_S):
                position = await self._app.consumer.position(partition)
        except (TimeoutError, KafkaError):
            return False
        highwater = self._app.tables.recovery.active_highwaters[partition]
        return position > highwater and bool(self._app.tables.changelog_queue.empty())
