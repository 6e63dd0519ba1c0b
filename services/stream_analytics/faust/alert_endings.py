"""Endings of alerts: one that fires ends when its pair is removed, paused, or measured another way."""

from collections.abc import Callable, Collection, MutableMapping

import msgspec
import structlog

from services.common import clock
from services.common.cancellation import pause
from services.common.codec import encode
from services.common.kafka.pair_configs import PairConfigs
from services.common.kafka.publisher import Publisher
from services.contracts.messages import Alert
from services.contracts.topics import ALERTS, WINDOWS
from services.stream_analytics.alert_record import AlertRecord
from services.stream_analytics.faust.pair_partitions import PairPartitions
from services.stream_analytics.pair_storage import name_of
from services.stream_analytics.partition_assignment import partition_of
from services.stream_analytics.state_storage import pair_of

_LOOK_S = 0.1
_SUFFIX = b"/firing"

log = structlog.get_logger()


class AlertEndings:
    """Keeps beside the states which alerts fire, and publishes that they end.

    A record is sent before the transition that it holds, so a pair that is removed while no worker runs ends its alert
    too. That an alert ends is stored first and published then: after a crash it comes again as it was.
    """

    def __init__(
        self,
        table: MutableMapping[bytes, bytes],
        partitions: PairPartitions,
        pairs: PairConfigs,
        count: int,
        owned: Callable[[], Collection[int] | None],
        counters: MutableMapping[str, int],
    ) -> None:
        """`table` holds what the topic of the states does, which has `count` partitions.

        `owned` are those that this worker may write, None while they change hands.
        """
        self._table = table
        self._partitions = partitions
        self._pairs = pairs
        self._count = count
        self._owned = owned
        self._counters = counters
        self._closed_us: dict[int, int] = {}
        self._seen: tuple[int, frozenset[int]] | None = None
        self.publisher: Publisher | None = None

    async def note(self, alert: Alert) -> None:
        """Store a transition that is about to be published."""
        assert alert.pair is not None, "the rule of every pair is of one"
        number = partition_of(alert.pair, self._count)
        partition = self._partitions.here.get(number)
        known = partition and (partition.trackers.get(alert.pair) or partition.fillings.get(alert.pair))
        if not known:
            return
        measured, record = name_of(known.config), self._record(alert.pair)
        if record is not None and record.measured != measured:
            await self._end(number, alert.pair, record, "is measured another way")
            record = None
        await self._store(number, alert.pair, (record or AlertRecord(measured)).noted(alert))

    async def run(self) -> None:
        """End whatever has to end, until cancelled."""
        await self._pairs.loaded.wait()
        while True:
            await pause(_LOOK_S)
            if (owned := self._owned()) is None:
                self._seen = None
                continue
            async with self._partitions.busy:
                for number, partition in self._partitions.here.items():
                    closed_us = (tape.closed_us for tape in partition.tapes.values())
                    self._closed_us[number] = max(closed_us, default=self._closed_us.get(number, 0))
                now = self._pairs.version, frozenset(owned)
                if now != self._seen:
                    await self._look(owned)
                    self._seen = now

    async def _look(self, owned: Collection[int]) -> None:
        """End the alerts of pairs that are not measured as they were when these fired."""
        assert self.publisher is not None
        for number in owned:
            if number in self._partitions.here:
                # From here on such a pair says nothing any more.
                self._partitions.get(number, self.publisher)
        for key in [key for key in self._table if key.endswith(_SUFFIX)]:
            pair = pair_of(key)
            number, record = partition_of(pair, self._count), self._record(pair)
            if record is None or number not in owned:
                continue
            if (config := self._pairs.by_name.get(pair)) is None:
                await self._end(number, pair, record, "was removed")
            elif config.paused:
                await self._end(number, pair, record, "is paused")
            elif name_of(config) != record.measured:
                await self._end(number, pair, record, "is measured another way")

    async def _end(self, number: int, pair: str, record: AlertRecord, why: str) -> None:
        assert self.publisher is not None
        record = record.end(self._closed_us.get(number, 0), why)
        if (alert := record.ended) is not None:
            await self._store(number, pair, record)
            await self.publisher.flush(WINDOWS.name)
            self._counters["alerts"] += 1
            log.info("alert", message=alert.message, state=alert.state, at=clock.to_iso(alert.event_us))
            await self.publisher.send(ALERTS.name, key=pair.encode(), value=encode(alert), at_once=True)
            await self.publisher.flush(ALERTS.name)
        await self._store(number, pair, None)

    def _record(self, pair: str) -> AlertRecord | None:
        raw = self._table.get(_key(pair))
        return None if raw is None else msgspec.msgpack.decode(raw, type=AlertRecord)

    async def _store(self, number: int, pair: str, record: AlertRecord | None) -> None:
        assert self.publisher is not None
        key, value = _key(pair), None if record is None else msgspec.msgpack.encode(record)
        if value is None:
            self._table.pop(key, None)
        else:
            self._table[key] = value
        await self.publisher.send(WINDOWS.name, key=key, value=value, partition=number)


def _key(pair: str) -> bytes:
    return pair.encode() + _SUFFIX
