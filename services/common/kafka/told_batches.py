"""Told batches: what producers have said of partitions, so that the broker need not be asked for it."""

from dataclasses import dataclass, field

from aiokafka import TopicPartition

from services.common.kafka.words import span

# Of a partition. A reader that is so far behind asks the broker.
_MOST_BYTES = 1 << 20


@dataclass
class _Kept:
    batches: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    """By first offset, with the one after the last."""
    bytes: int = 0
    is_fresh: bool = False


class ToldBatches:
    """Batches by partition and first offset, until their reader is past them."""

    def __init__(self) -> None:
        self._places: dict[TopicPartition, _Kept] = {}

    def put(self, place: TopicPartition, batch: bytes) -> None:
        """Keep a batch, and forget the others if they are too many."""
        kept = self._places.setdefault(place, _Kept())
        if kept.bytes > _MOST_BYTES:
            kept.batches.clear()
            kept.bytes = 0
        first, following = span(batch)
        if first not in kept.batches:
            kept.batches[first] = following, batch
            kept.bytes += len(batch)
            kept.is_fresh = True

    def asked(self, place: TopicPartition) -> None:
        """Note that the broker is asked for what is missing before the batches of a partition."""
        if place in self._places:
            self._places[place].is_fresh = False

    def has_news(self, place: TopicPartition, offset: int) -> bool:
        """Forget what is before `offset`, and tell whether what is left goes on there, or something is missing.

        What is missing is news until the broker is asked.
        """
        kept = self._places.get(place)
        if kept is None or not kept.batches:
            return False
        for first in [first for first, (following, _) in kept.batches.items() if following <= offset]:
            kept.bytes -= len(kept.batches.pop(first)[1])
        return offset in kept.batches or (kept.is_fresh and bool(kept.batches))

    def after(self, place: TopicPartition, offset: int) -> tuple[bytes, int]:
        """Return the batches that follow one another from `offset` on, and where they end."""
        batches, found = self._places.get(place, _Kept()).batches, []
        while (one := batches.get(offset)) is not None:
            offset, batch = one
            found.append(batch)
        return b"".join(found), offset
