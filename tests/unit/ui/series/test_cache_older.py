"""Older points of a series: as many as are asked for, until there are none."""

import asyncio
from typing import Any

from services.common.errors import TransientError
from services.ui.api.types import Bar
from services.ui.series.buffer import SeriesBuffer
from tests.unit.ui.conftest import START_S, Make
from tests.unit.ui.stub_store import Clock, Store, play, read, seconds


async def ensure_length(track: SeriesBuffer[Any], clock: Clock, count: int) -> None:
    clock.s += 1
    track.ensure_length(count)
    await track.settled()


def test_a_track_reaches_back_until_there_is_nothing_older(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(100)]), Clock()
        track: SeriesBuffer[Bar] = SeriesBuffer(store.newest, 20, 0.5, clock, store.older)
        await ensure_length(track, clock, 50)
        assert store.asked == []  # nothing to reach back from
        await read(track, clock)
        await ensure_length(track, clock, 50)
        assert seconds(track) == list(range(50, 100))
        # New points push none of them out.
        store.points.append(bar(START_S + 100))
        await read(track, clock)
        assert (seconds(track), track.is_whole) == (list(range(51, 101)), False)
        await ensure_length(track, clock, 200)
        assert (seconds(track), track.is_whole) == (list(range(101)), True)
        await ensure_length(track, clock, 300)
        assert store.asked == [20, -30, 2, -150]
        assert track.generation == 1

    play(run())


def test_a_short_history_is_known_to_be_whole(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar()]), Clock()
        track: SeriesBuffer[Bar] = SeriesBuffer(store.newest, 20, 0.5, clock, store.older)
        await read(track, clock)
        await ensure_length(track, clock, 50)
        assert track.is_whole
        assert store.asked == [20]

    play(run())


def test_what_could_not_be_reached_is_asked_again_and_not_at_once(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(100)]), Clock()
        track: SeriesBuffer[Bar] = SeriesBuffer(store.newest, 20, 0.5, clock, store.older)
        await read(track, clock)
        store.error = TransientError("away")
        await ensure_length(track, clock, 50)
        track.ensure_length(50)
        assert not track.is_reading_older
        assert (track.older_error, len(track.points)) == ("away", 20)
        store.error = None
        await ensure_length(track, clock, 50)
        assert (track.older_error, len(track.points)) == (None, 50)

    play(run())


def test_older_points_of_another_tape_are_not_taken(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(100)]), Clock()
        answering = asyncio.Event()

        async def late(count: int, before_us: int) -> list[Any]:
            await answering.wait()
            return await store.older(count, before_us)

        track: SeriesBuffer[Bar] = SeriesBuffer(store.newest, 20, 0.5, clock, late)
        await read(track, clock)
        clock.s += 1
        track.ensure_length(50)
        await asyncio.sleep(0)
        track.points, track.generation = [bar(START_S + 9000)], 2
        answering.set()
        await track.settled()
        assert seconds(track) == [9000]

    play(run())
