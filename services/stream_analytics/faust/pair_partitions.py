"""Pair partitions assigned to this worker: state is stored before its inputs are acknowledged."""

import asyncio
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog
from faust.types import TP

from services.common import clock
from services.common.cancellation import pause
from services.common.kafka.pair_configs import PairConfigs
from services.common.kafka.publisher import Publisher
from services.contracts import topics
from services.stream_analytics.faust.changelog import Changelog
from services.stream_analytics.faust.read_positions import ReadPositions, owner
from services.stream_analytics.pair_partition import PairPartition
from services.stream_analytics.pair_storage import stored_position
from services.stream_analytics.partition_assignment import partition_of
from services.stream_analytics.settings import StreamSettings

_SAVED_SHARE = 0.2

log = structlog.get_logger()


class PairPartitions:
    """Makes, saves and forgets partitions. While ``busy`` is held one takes trades, or is being saved."""

    def __init__(
        self,
        table: Any,
        pairs: PairConfigs,
        settings: StreamSettings,
        counters: MutableMapping[str, int],
        has_history: bool = False,
    ) -> None:
        """`table` is Faust's, of the windows; where somebody `has_history` new pairs are filled."""
        self._has_history = has_history
        self._table = table
        self._pairs = pairs
        self._settings = settings
        self._counters = counters
        self._here: dict[int, PairPartition] = {}
        self._changelogs: dict[int, Changelog] = {}
        self._versions: dict[int, int] = {}
        self._late = 0
        self.read = ReadPositions(table.data)
        self.busy = asyncio.Lock()

    @property
    def here(self) -> Mapping[int, PairPartition]:
        """The partitions by number."""
        return self._here

    def get(self, number: int, publisher: Publisher) -> PairPartition:
        """Return a partition with its pairs as they are configured now; the pairs must be loaded."""
        settings = self._settings
        if (partition := self._here.get(number)) is None:
            changelog = self._changelogs[number] = Changelog(
                self._table,
                number,
                publisher.send,
                settings.broker_keeps_bytes,
                lambda key: owner(key, settings.partitions) == number,
            )
            partition = self._here[number] = PairPartition(
                changelog,
                round(settings.allowed_lateness_s * clock.SECOND),
                round(settings.correction_horizon_s * clock.SECOND),
                self._has_history,
            )
        if self._versions.get(number) != self._pairs.version:
            configs = {
                name: config
                for name, config in self._pairs.by_name.items()
                if partition_of(name, settings.partitions) == number
            }
            partition.configure(configs)
            for config in configs.values():
                if config.warning:
                    log.warning(
                        "a stored pair continues, though its settings have a fault",
                        pair=config.pair,
                        warning=config.warning,
                    )
            self._versions[number] = self._pairs.version
        return partition

    async def positions(self) -> Mapping[TP, int]:
        """Return the read positions of the stored states, and those of the topics that feed them.

        What a group has committed is of the last who committed, and states are of the last who wrote: a worker that
        was paused writes old ones when it wakes. So it is the states that say it.
        """
        await self._pairs.loaded.wait()
        found = dict(self.read.stored())
        for name, config in self._pairs.by_name.items():
            position = None if config.paused else stored_position(config, self._table.data)
            if position is not None:
                place = TP(topics.LEG_TRADES.name, partition_of(name, self._settings.partitions))
                found[place] = min(position, found.get(place, position))
        return found

    def count(self) -> None:
        """Count what no event counts."""
        tapes = [tape for partition in self._here.values() for tape in partition.tapes.values()]
        self._counters["late"] = self._late + sum(tape.late for tape in tapes)
        self._counters["pairs"] = sum(
            len(partition.trackers) + len(partition.fillings) for partition in self._here.values()
        )

    async def flush(self, number: int, is_ours: Callable[[], bool]) -> None:
        """Send what was written of the states of a partition."""
        await self._changelogs[number].flush(is_ours)

    def forget(self) -> None:
        """Drop the states in memory: after a rebalance, state comes from the table and events come again."""
        for partition in self._here.values():
            self._late += sum(tape.late for tape in partition.tapes.values())
        self._here.clear()
        self._changelogs.clear()
        self._versions.clear()

    async def save(
        self,
        publisher: Publisher,
        may_write: Callable[[int], bool],
        has_read_all: Callable[[int], bool],
        took: Callable[[float], None],
    ) -> None:
        """Store the windows and acknowledge their inputs, a share of the pairs at a time, until cancelled."""
        while True:
            await pause(self._settings.save_interval_s * _SAVED_SHARE)
            for number in list(self._here):
                if number not in self._here or not may_write(number):
                    continue
                # A pair that was removed may have been the last one for which anything comes.
                partition, began_s = self.get(number, publisher), time.perf_counter()

                def is_ours(number: int = number, partition: PairPartition = partition) -> bool:
                    return self._here.get(number) is partition and may_write(number)

                async with self.busy:
                    partition.save(_SAVED_SHARE)
                # A state that is there without the signals it implies would pass over them after a crash.
                await publisher.flush(topics.SIGNALS.name, topics.ALERTS.name, topics.DEAD_LETTERS.name)
                if is_ours():
                    await self._changelogs[number].flush(is_ours)
                    await publisher.flush(topics.WINDOWS.name)
                # Meanwhile it may have gone to another worker.
                if is_ours():
                    partition.acknowledge()
                    if not publisher.has_room(topics.LEG_TRADES.name, number) and has_read_all(number):
                        self._release(partition)
                took(time.perf_counter() - began_s)

    def _release(self, partition: PairPartition) -> None:
        """Release trades that wait for a silent leg: all is read, and the broker takes no more before that."""
        if released := partition.release():
            self._counters["released"] += released
            log.warning(
                "trades are acknowledged before they are stored: a leg is silent, and the broker keeps no more",
                bundles=released,
            )
