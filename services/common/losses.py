"""What a reader loses: messages that the broker deleted before they were read, each counted once."""

from collections.abc import Awaitable, Callable, Collection, Mapping

import structlog
from aiokafka import TopicPartition

Outrun = Callable[[str, int, int], None]
"""Says that of a topic and partition so many messages were lost, as ``Pulse.outrun`` does."""
Asked = Callable[[Collection[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]
"""Asks the broker for an offset of partitions, as a consumer's ``beginning_offsets`` does."""

log = structlog.get_logger()


class Losses:
    """The account of one reader. A message counts once, however often the reader begins again before it."""

    def __init__(self, outrun: Outrun) -> None:
        self._outrun = outrun
        self._counted: dict[TopicPartition, int] = {}
        """The offset before which everything that was lost has been counted."""

    def resume(self, place: TopicPartition, following: int, earliest: int, latest: int) -> int:
        """Return where a reader goes on whose next message is `following`: there, or at `earliest` if that is gone.

        Offsets beyond the end are those of an earlier topic of this name: what became of it nobody can count.
        """
        if following > latest:
            self._counted.pop(place, None)
            log.error(
                "the topic was made anew: what it held before cannot be read any more",
                topic=place.topic,
                partition=place.partition,
                expected=following,
                earliest=earliest,
                latest=latest,
            )
            return earliest
        self._count(place, following, earliest)
        return max(following, earliest)

    async def passed(self, place: TopicPartition, following: int, reached: int, earliest: Asked) -> None:
        """Count what the broker deleted of the messages between the `following` one and the one that was `reached`.

        It is asked only if there is a hole: transactions and compaction leave some in which nothing was lost.
        """
        if reached > following:
            self._count(place, following, min(reached, (await earliest([place]))[place]))

    def _count(self, place: TopicPartition, following: int, end: int) -> None:
        lost = end - max(following, self._counted.get(place, 0))
        if lost > 0:
            self._counted[place] = end
            self._outrun(place.topic, place.partition, lost)
