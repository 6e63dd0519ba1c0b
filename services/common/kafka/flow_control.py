"""Flow control: keeps producers no further ahead of the slowest reader than the broker keeps messages."""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.common.settings import KafkaSettings
from services.contracts.topics import ALL

# The rest is for what others write, and for the one batch that is written before readers have been asked.
_SHARE = 0.75
# Assumed size of a message of an earlier run: their number is known, not their size.
_EARLIER_BYTES = 16_384
_LOOK_S = 0.05
_SAID_S = 10.0
_GROUPS = {topic.name: topic.groups for topic in ALL if topic.groups}

Committed = Callable[[str, Sequence[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]
"""Return how far a group has acknowledged partitions; -1 for one that it has not begun."""

log = structlog.get_logger()


class _Window:
    """Messages of one partition that not every group has acknowledged: our batches, and those before them."""

    def __init__(self, begun_at: int) -> None:
        self._begun_at = self._end = begun_at
        self._batches: deque[tuple[int, int]] = deque()
        self._our_bytes = 0
        self._earlier_bytes = math.inf

    def add(self, base_offset: int, messages: int, size: int) -> None:
        # A batch that came twice is confirmed without its offset.
        self._end = max(self._end, base_offset) + messages
        self._batches.append((self._end, size))
        self._our_bytes += size

    def acknowledge(self, offset: int) -> None:
        while self._batches and self._batches[0][0] <= offset:
            self._our_bytes -= self._batches.popleft()[1]
        self._earlier_bytes = max(0, self._begun_at - offset) * _EARLIER_BYTES

    def has_room(self, size: int, limit: float) -> bool:
        """Tell whether `size` more bytes fit; a batch larger than the limit goes alone."""
        held = self._our_bytes + self._earlier_bytes
        return held == 0 or held + size <= limit


class FlowControl:
    """Says when there is room on a partition, by the offsets that the topic's groups have committed.

    The first batch of a partition is never held back: where it comes to lie says what an earlier run left there.
    """

    def __init__(self, committed: Committed, keeps_bytes: int) -> None:
        """`keeps_bytes` is how much the broker keeps of a partition before it drops the oldest."""
        self._committed = committed
        self._limit = keeps_bytes * _SHARE
        self._windows: dict[TopicPartition, _Window] = {}
        self._looking: asyncio.Task[None] | None = None
        self._trouble: str | None = None
        self.waiting: set[TopicPartition] = set()
        """Partitions that have no room at the moment."""

    def wrote(self, place: TopicPartition, base_offset: int, messages: int, size: int) -> None:
        """Note a batch that the broker has taken."""
        if place.topic in _GROUPS:
            if place not in self._windows:
                self._windows[place] = _Window(base_offset)
            self._windows[place].add(base_offset, messages, size)

    async def room(self, place: TopicPartition, size: int) -> None:
        """Return once a batch of `size` bytes fits; while room is known, the broker is not asked."""
        window = self._windows.get(place)
        if window is None or window.has_room(size, self._limit):
            return
        loop = asyncio.get_running_loop()
        said_s = loop.time()
        try:
            while True:
                await self._look()
                if window.has_room(size, self._limit):
                    return
                self.waiting.add(place)
                if loop.time() - said_s > _SAID_S:
                    said_s = loop.time()
                    log.warning(
                        "waiting for readers: the broker would delete messages that they have not read",
                        topic=place.topic,
                        partition=place.partition,
                        groups=",".join(_GROUPS[place.topic]),
                        broker=self._trouble or "answers",
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
        # Those that are begun meanwhile are for the next time: of them only some groups would be asked.
        windows, read = dict(self._windows), dict[TopicPartition, int]()
        try:
            for group in sorted({group for place in windows for group in _GROUPS[place.topic]}):
                places = [place for place in windows if group in _GROUPS[place.topic]]
                found = await self._committed(group, places)
                for place in places:
                    read[place] = min(read.get(place, found[place]), found[place])
        except KafkaError as error:
            self._trouble = f"does not say how far readers are: {error!r}"
            return
        self._trouble = None
        for place, offset in read.items():
            windows[place].acknowledge(max(0, offset))


def asking(admin: AIOKafkaAdminClient) -> Committed:
    """Return how a broker is asked what a group has committed."""

    async def committed(group: str, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        found = await admin.list_consumer_group_offsets(group, partitions=list(places))
        return {place: found[place].offset if place in found else -1 for place in places}

    return committed


def needed(settings: KafkaSettings) -> bool:
    """Return whether the broker keeps so little that producers must wait for readers."""
    return settings.broker_keeps_bytes > 0
