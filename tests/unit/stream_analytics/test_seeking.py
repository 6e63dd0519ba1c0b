"""Read positions of a worker, which do not depend on its group's committed offsets."""

import asyncio
from types import SimpleNamespace

import pytest
from faust.types import TP

from services.stream_analytics.faust.options import _no_dead_letter
from tests.unit.stream_analytics.fake_consumer import TICKS, TRADES, consumer


class Group:
    """aiokafka's consumer: what a group has committed, and how far the topic of trades reaches."""

    def __init__(self, committed: int | None, first: int, end: int, place: TP = TRADES) -> None:
        self._committed, self._first, self._end, self._place = committed, first, end, place
        self.position: int | None = committed

    async def seek_to_committed(self) -> dict[TP, int | None]:
        """Seek."""
        return {self._place: self._committed}

    async def seek_to_beginning(self, *_: TP) -> None:
        """Seek."""
        self.position = self._first

    def seek(self, _: TP, offset: int) -> None:
        """Seek."""
        self.position = offset

    async def beginning_offsets(self, places: list[TP]) -> dict[TP, int]:
        """Return the first offset."""
        return dict.fromkeys(places, self._first)

    async def end_offsets(self, places: list[TP]) -> dict[TP, int]:
        """Return the offset of the next message to come."""
        return dict.fromkeys(places, self._end)


def begun(group: Group, stored: dict[TP, int]) -> tuple[int | None, int | None, int | None]:
    """Return where a new reader of a group begins, what it takes for the last that was read, and expects next."""

    async def stored_positions() -> dict[TP, int]:
        return stored

    async def run() -> tuple[int | None, int | None, int | None]:
        one = consumer(None, frozenset, lambda *_: None, _no_dead_letter, stored_positions)
        thread = one._new_consumer_thread()
        thread._consumer = group
        one._thread = SimpleNamespace(seek_to_committed=thread._seek_to_committed)
        await one.perform_seek()
        [place] = await group.seek_to_committed()
        return group.position, one._read_offset[place], one._following.get(place)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("committed", "stored", "position", "expected"),
    [
        (60, 40, 40, 40),
        (100, 40, 40, 40),  # reset to the end
        (100, 4, 10, 4),  # what lies before 10 is gone unread
        (8, 4, 10, 8),  # as is what came after the last that was committed
        (40, 60, 40, 40),  # reset to be read again
        (100, 101, 100, 100),  # of an earlier topic
        (0, 40, 10, None),
        (None, 40, 10, None),  # of an earlier topic, or reset to the beginning
        (60, None, 60, 60),
    ],
)
def test_ticks_are_read_on_where_they_were_read_though_the_group_is_further(
    committed: int | None, stored: int | None, position: int, expected: int | None
) -> None:
    group = Group(committed, first=10, end=100, place=TICKS)
    sought, _, following = begun(group, {} if stored is None else {TICKS: stored})
    assert (sought, following) == (position, expected)


@pytest.mark.parametrize("committed", [None, 0, 20, 50, 100])
@pytest.mark.parametrize(
    ("stored", "position"),
    [
        ({1: 40}, 40),
        ({1: 0}, 10),  # the broker has deleted what came before
        ({1: 100}, 100),
        ({1: 101}, None),  # of an earlier topic
        ({0: 40}, None),  # of another worker
        ({}, None),
    ],
)
def test_reading_goes_on_where_the_states_say_whatever_is_committed(
    committed: int | None, stored: dict[int, int], position: int | None
) -> None:
    placed = {TP(TRADES.topic, number): offset for number, offset in stored.items()}
    sought, known, _ = begun(Group(committed, first=10, end=100), placed)
    assert sought == (position if position is not None else committed or 10)
    assert known == (position if position is not None else committed)
