"""Read positions of ticks and time marks, stored with the states: a group's offsets can be reset."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

import msgspec
from faust.types import TP

from services.contracts.topics import LEG_TRADES, TICKS, TIME_MARKS, WINDOWS
from services.stream_analytics.partition_assignment import partition_of
from services.stream_analytics.state_storage import pair_of

_TOPICS = (TICKS.name, TIME_MARKS.name)
# A pair holds a hyphen, so none is called so.
_NAME = "read"


def owner(key: bytes, partitions: int) -> int:
    """Return the partition that a key of the table of states is of."""
    name = pair_of(key)
    return int(key.rpartition(b"/")[2]) if name == _NAME else partition_of(name, partitions)


def expected_next(tp: TP, stored: int, first: int, committed: int) -> int:
    """Return the next offset of a reader with the position `stored`; a jump beyond it is a loss."""
    if tp.topic == LEG_TRADES.name:
        return max(stored, first)
    # What lies before the topic begins was committed because it had been read.
    return committed if committed <= first else stored


class ReadPositions:
    """For each partition the offsets before which all that was read is on ``leg-trades``.

    They may be a moment old: what is read again is known by its ids. Faust gives all that is of one number to one
    worker, the states as well as what they come from.
    """

    def __init__(self, table: MutableMapping[bytes, bytes]) -> None:
        """`table` holds what the topic of the states does."""
        self._table = table

    def stored(self) -> Mapping[TP, int]:
        """Return the positions that are stored."""
        return {
            TP(topic, int(key.rpartition(b"/")[2])): offset
            for key, raw in self._table.items()
            if pair_of(key) == _NAME
            for topic, offset in msgspec.msgpack.decode(raw, type=dict[str, int]).items()
        }

    async def save(
        self,
        assigned: Iterable[TP],
        committed: Mapping[TP, int | None],
        may_write: Callable[[int], bool],
        send: Callable[..., Awaitable[Any]],
    ) -> None:
        """Store what has been `committed`, as far as it is another; nothing yet is the beginning."""
        stored, found = self.stored(), dict[int, dict[str, int]]()
        for place in assigned:
            if place.topic in _TOPICS:
                offset = committed.get(place) or stored.get(place, 0)
                found.setdefault(place.partition, {})[place.topic] = offset
        for number, offsets in found.items():
            key, value = f"{_NAME}/{number}".encode(), msgspec.msgpack.encode(offsets, order="sorted")
            if self._table.get(key) != value and may_write(number):
                self._table[key] = value
                await send(WINDOWS.name, key=key, value=value, partition=number)
