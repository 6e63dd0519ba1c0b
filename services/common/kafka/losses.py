"""Losses of a reader: messages that the broker deleted before they were read, each counted once."""

from collections.abc import Awaitable, Callable, Collection, Mapping

import structlog
from aiokafka import TopicPartition

Outrun = Callable[[str, int, int], None]
"""Reports that so many messages of a topic and partition were lost, as ``HeartbeatState.outrun`` does."""
Asked = Callable[[Collection[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]
"""Asks the broker for an offset of partitions, as a consumer's ``beginning_offsets`` does."""

# Losses remembered; a reader that goes back further counts some of them again.
_SPANS_KEPT = 100

log = structlog.get_logger()


class Losses:
    """The account of one reader. A message counts once, however often the reader begins again before it."""

    def __init__(self, outrun: Outrun) -> None:
        self._outrun = outrun
        self._counted: dict[TopicPartition, list[tuple[int, int]]] = {}
        """Offsets that have been counted, each span without its end."""

    def resume(self, place: TopicPartition, following: int, earliest: int, latest: int) -> int:
        """Return the next offset of a reader: `following`, or `earliest` if the messages before that are
        gone.

        Offsets beyond the end are those of an earlier topic of this name: what became of it nobody can count.
        """
        if following > latest:
            self._counted.pop(place, None)
            log.error(
                "the topic was created again: its earlier messages are lost",
                topic=place.topic,
                partition=place.partition,
                expected=following,
                earliest=earliest,
                latest=latest,
            )
            return earliest
        self._count(place, following, earliest)
        return max(following, earliest)

    async def passed(self, place: TopicPartition, following: int, reached: int, earliest: Asked) -> bool:
        """Count what the broker deleted of the messages between the `following` one and the one that was `reached`.

        Tells whether it deleted any that have not been counted yet.

        It is asked only where offsets jump: transactions and compaction leave jumps in which nothing was lost.
        """
        return reached > following and self._count(
            place, following, min(reached, (await earliest([place]))[place])
        )

    def _count(self, place: TopicPartition, following: int, end: int) -> bool:
        counted = self._counted.setdefault(place, [])
        known = sum(max(0, min(end, last) - max(following, first)) for first, last in counted)
        lost = max(0, end - following) - known
        if lost > 0:
            touching = [span for span in counted if span[0] <= end and span[1] >= following]
            others = [span for span in counted if span not in touching]
            spans = [(following, end), *touching]
            merged = min(first for first, _ in spans), max(last for _, last in spans)
            self._counted[place] = [*others, merged][-_SPANS_KEPT:]
            self._outrun(place.topic, place.partition, lost)
        return lost > 0
