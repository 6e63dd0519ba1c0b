"""Keep producers behind a broker's memory: no further ahead of the slowest reader than the broker keeps."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.common.settings import KafkaSettings
from services.common.topics import ALL

# The rest is for batches on their way, and for what others write.
_SHARE = 0.75
_LOOK_S = 0.05
_SAID_S = 10.0
_GROUPS = {topic.name: topic.groups for topic in ALL if topic.groups}

Committed = Callable[[str, Sequence[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]
"""Return how far a group has acknowledged partitions; -1 for one that it has not begun."""

log = structlog.get_logger()


class _Window:
    """What was written to one partition and is not acknowledged by every group yet."""

    def __init__(self, begun_at: int) -> None:
        self.bytes = 0
        self._begun_at = begun_at
        self._batches: deque[tuple[int, int]] = deque()
        self._before_bytes = 0.0
        self._written = (0, 0)

    def add(self, base_offset: int, messages: int, size: int) -> None:
        self._batches.append((base_offset + messages, size))
        self.bytes += size
        count, total = self._written
        self._written = count + messages, total + size

    def acknowledge(self, offset: int) -> None:
        while self._batches and self._batches[0][0] <= offset:
            self.bytes -= self._batches.popleft()[1]
        # What was there before us we know the number of, and take its size to be that of ours.
        count, total = self._written
        self._before_bytes = max(0, self._begun_at - offset) * (total / count if count else 0.0)

    @property
    def held_bytes(self) -> float:
        return self.bytes + self._before_bytes


class FlowControl:
    """Says when there is room on a partition, by the offsets that the topic's groups have committed."""

    def __init__(self, committed: Committed, keeps_bytes: int) -> None:
        """`keeps_bytes` is how much the broker keeps of a partition before it drops the oldest."""
        self._committed = committed
        self._limit = keeps_bytes * _SHARE
        self._windows: dict[TopicPartition, _Window] = {}
        self._looking: asyncio.Task[None] | None = None
        self.waiting: set[TopicPartition] = set()
        """Partitions that have no room at the moment."""

    def wrote(self, place: TopicPartition, base_offset: int, messages: int, size: int) -> None:
        """Note a batch that the broker has taken."""
        if place.topic in _GROUPS:
            if place not in self._windows:
                self._windows[place] = _Window(base_offset)
            self._windows[place].add(base_offset, messages, size)

    async def room(self, place: TopicPartition) -> None:
        """Return once the partition has room for another batch; while it is known to have, nobody is asked."""
        window = self._windows.get(place)
        if window is None or window.held_bytes < self._limit:
            return
        loop = asyncio.get_running_loop()
        said_s = loop.time()
        self.waiting.add(place)
        try:
            while True:
                await self._look()
                if window.held_bytes < self._limit:
                    return
                if loop.time() - said_s > _SAID_S:
                    said_s = loop.time()
                    log.warning(
                        "waiting for readers, the broker would drop what they have not read",
                        topic=place.topic,
                        partition=place.partition,
                        groups=",".join(_GROUPS[place.topic]),
                    )
                await asyncio.sleep(_LOOK_S)
        finally:
            self.waiting.discard(place)

    async def _look(self) -> None:
        """Ask once for everybody who wants to know now."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._ask())
        await asyncio.shield(self._looking)

    async def _ask(self) -> None:
        read: dict[TopicPartition, int] = {}
        for group in sorted({group for place in self._windows for group in _GROUPS[place.topic]}):
            places = [place for place in self._windows if group in _GROUPS[place.topic]]
            try:
                found = await self._committed(group, places)
            except KafkaError as error:
                log.warning("the broker does not say how far readers are", error=str(error) or repr(error))
                return
            for place in places:
                read[place] = min(read.get(place, found[place]), found[place])
        for place, offset in read.items():
            self._windows[place].acknowledge(max(0, offset))


def asking(admin: AIOKafkaAdminClient) -> Committed:
    """Return how a broker is asked what a group has committed."""

    async def committed(group: str, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        found = await admin.list_consumer_group_offsets(group, partitions=list(places))
        return {place: found[place].offset if place in found else -1 for place in places}

    return committed


def needed(settings: KafkaSettings) -> bool:
    """Return whether the broker keeps so little that producers must wait for readers."""
    return settings.broker_keeps_bytes > 0
