"""Shared chart history: read rarely, never with a hole."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, cast

from services.common.clock import SECOND
from services.common.errors import TransientError
from services.common.messages import Signal
from services.ui.answers import Bar
from services.ui.client import ApiClient, RefusedError
from services.ui.tracks import HOURS_EVERY_S, UNUSED_S, Track, Tracks
from tests.unit.ui.conftest import PAIR, START_S, Make


class Store:
    """What the API has stored, and how often it was read."""

    def __init__(self, points: Sequence[Any]) -> None:
        self.points = list(points)
        self.asked: list[int] = []
        self.error: Exception | None = None

    async def newest(self, count: int) -> list[Any]:
        self.asked.append(count)
        if self.error is not None:
            raise self.error
        return self.points[-count:]

    async def older(self, count: int, before_us: int) -> list[Any]:
        """Note the reading as one of less than nothing."""
        await self.newest(-count)
        return [point for point in self.points if point.start_us < before_us][-count:]


class Clock:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def play(steps: Coroutine[Any, Any, None]) -> None:
    asyncio.run(steps)


async def read(track: Track[Any], clock: Clock, *news: Any) -> None:
    clock.s += 1
    track.poke(news)
    await track.settled()


def seconds(track: Track[Any]) -> list[int]:
    return [
        getattr(point, "event_us", getattr(point, "start_us", 0)) // SECOND - START_S
        for point in track.points
    ]


def test_the_first_reading_is_whole_and_the_next_are_small(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(100)]), Clock()
        track: Track[Bar] = Track(store.newest, 50, 0.5, clock)
        await read(track, clock)
        store.points[-1] = bar(START_S + 99, close=3333.0)
        store.points.append(bar(START_S + 100))
        await read(track, clock)
        assert store.asked == [50, 2]
        assert seconds(track) == list(range(51, 101))
        assert track.points[-2].close == 3333.0
        assert track.generation == 1

    play(run())


def test_readings_are_rare_however_many_tabs_ask(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar()]), Clock()
        track: Track[Bar] = Track(store.newest, 50, 0.5, clock)
        for _ in range(10):
            track.poke()
        await track.settled()
        clock.s += 0.4
        track.poke()
        await track.settled()
        assert len(store.asked) == 1

    play(run())


def test_a_hole_is_filled_from_the_store(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(10)]), Clock()
        track: Track[Bar] = Track(store.newest, 50, 0.5, clock)
        await read(track, clock)
        store.points += [bar(START_S + n) for n in range(10, 20)]
        await read(track, clock)
        assert seconds(track) == list(range(20))
        assert track.generation == 1

    play(run())


def test_another_tape_begins_another_generation(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(10)]), Clock()
        track: Track[Bar] = Track(store.newest, 50, 0.5, clock)
        await read(track, clock)
        store.points = [bar(START_S - 5000 + n) for n in range(10)]
        await read(track, clock)
        assert seconds(track)[0] == -5000
        assert track.generation == 2

    play(run())


def test_a_signal_that_follows_needs_no_reading(signal: Make) -> None:
    async def run() -> None:
        store, clock = Store([signal(START_S + n) for n in range(10)]), Clock()
        track: Track[Signal] = Track(store.newest, 50, 0.5, clock)
        await read(track, clock)
        await read(track, clock, signal(START_S + 10))
        await read(track, clock, signal(START_S + 10))
        assert len(store.asked) == 1
        assert seconds(track) == list(range(11))

    play(run())


def test_seconds_that_close_at_once_need_no_reading(signal: Make) -> None:
    async def run() -> None:
        store, clock = Store([signal(START_S + n) for n in range(10)]), Clock()
        track: Track[Signal] = Track(store.newest, 50, 0.5, clock)
        await read(track, clock)
        await read(track, clock, *(signal(START_S + n) for n in range(7, 14)))
        assert seconds(track) == list(range(14))
        assert len(store.asked) == 1

    play(run())


def test_a_signal_that_jumps_waits_for_what_is_between(signal: Make) -> None:
    async def run() -> None:
        store, clock = Store([signal(START_S + n) for n in range(10)]), Clock()
        track: Track[Signal] = Track(store.newest, 50, 0.5, clock)
        await read(track, clock)
        await read(track, clock, signal(START_S + 14))  # the store lags: 10 to 14 are not there yet
        assert seconds(track)[-1] == 9
        store.points += [signal(START_S + n) for n in range(10, 14)]
        await read(track, clock, signal(START_S + 14))
        assert seconds(track) == list(range(14))
        await read(track, clock, signal(START_S + 14))
        assert seconds(track) == list(range(15))

    play(run())


def test_a_reading_behind_the_stream_takes_nothing_away(signal: Make) -> None:
    async def run() -> None:
        store, clock = Store([signal(START_S + n) for n in range(10)]), Clock()
        track: Track[Signal] = Track(store.newest, 50, 0.5, clock)
        await read(track, clock)
        await read(track, clock, signal(START_S + 10))
        await read(track, clock)
        assert seconds(track) == list(range(11))

    play(run())


def test_an_error_is_kept_until_the_next_answer(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar()]), Clock()
        track: Track[Bar] = Track(store.newest, 50, 0.5, clock)
        store.error = TransientError("away")
        await read(track, clock)
        assert (track.error, track.loaded) == ("away", False)
        store.error = None
        await read(track, clock)
        assert (track.error, track.loaded) == (None, True)

    play(run())


async def reach(track: Track[Any], clock: Clock, count: int) -> None:
    clock.s += 1
    track.reach(count)
    await track.settled()


def test_a_track_reaches_back_until_there_is_nothing_older(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(100)]), Clock()
        track: Track[Bar] = Track(store.newest, 20, 0.5, clock, store.older)
        await reach(track, clock, 50)
        assert store.asked == []  # nothing to reach back from
        await read(track, clock)
        await reach(track, clock, 50)
        assert seconds(track) == list(range(50, 100))
        # New points push none of them out.
        store.points.append(bar(START_S + 100))
        await read(track, clock)
        assert (seconds(track), track.is_whole) == (list(range(51, 101)), False)
        await reach(track, clock, 200)
        assert (seconds(track), track.is_whole) == (list(range(101)), True)
        await reach(track, clock, 300)
        assert store.asked == [20, -30, 2, -150]
        assert track.generation == 1

    play(run())


def test_a_short_history_is_known_to_be_whole(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar()]), Clock()
        track: Track[Bar] = Track(store.newest, 20, 0.5, clock, store.older)
        await read(track, clock)
        await reach(track, clock, 50)
        assert track.is_whole
        assert store.asked == [20]

    play(run())


def test_what_could_not_be_reached_is_asked_again_and_not_at_once(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(100)]), Clock()
        track: Track[Bar] = Track(store.newest, 20, 0.5, clock, store.older)
        await read(track, clock)
        store.error = TransientError("away")
        await reach(track, clock, 50)
        track.reach(50)
        assert not track.is_reading_older
        assert (track.older_error, len(track.points)) == ("away", 20)
        store.error = None
        await reach(track, clock, 50)
        assert (track.older_error, len(track.points)) == (None, 50)

    play(run())


def test_older_points_of_another_tape_are_not_taken(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(100)]), Clock()
        answering = asyncio.Event()

        async def late(count: int, before_us: int) -> list[Any]:
            await answering.wait()
            return await store.older(count, before_us)

        track: Track[Bar] = Track(store.newest, 20, 0.5, clock, late)
        await read(track, clock)
        clock.s += 1
        track.reach(50)
        await asyncio.sleep(0)
        track.points, track.generation = [bar(START_S + 9000)], 2
        answering.set()
        await track.settled()
        assert seconds(track) == [9000]

    play(run())


def test_a_refusal_is_told_apart_from_a_silence(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar()]), Clock()
        track: Track[Bar] = Track(store.newest, 50, 0.5, clock)
        store.error = RefusedError("status 404: no such symbol", "no such symbol")
        await read(track, clock)
        assert (track.error, track.refusal) == ("status 404: no such symbol", "no such symbol")
        store.error = TransientError("away")
        await read(track, clock)
        assert (track.error, track.refusal) == ("away", None)

    play(run())


def test_hours_are_read_a_few_at_a_time_and_once_a_minute(bar: Make) -> None:
    class Api:
        def __init__(self) -> None:
            self.asked: list[str] = []

        async def bars(self, symbol: str, interval: str, limit: int) -> list[Bar]:
            self.asked.append(symbol)
            return [bar()]

    async def run() -> None:
        clock, api = Clock(), Api()
        tracks = Tracks(cast("ApiClient", api), clock)
        for asked in (["A", "B"], ["A", "B", "C"], ["A", "B", "C"]):
            held = tracks.hours("ABC")
            for track in held.values():
                await track.settled()
            clock.s += 1
            assert api.asked == asked
        assert set(held) == set("ABC")
        clock.s += HOURS_EVERY_S
        for _ in range(4):
            for track in tracks.hours("ABC").values():
                await track.settled()
        assert sorted(api.asked) == list("AABBCC")

    play(run())


def test_tracks_are_shared_and_dropped_when_unused(bar: Make, signal: Make) -> None:
    class Api:
        async def bars(self, symbol: str, interval: str, limit: int) -> list[Bar]:
            return [bar()]

        async def signals(self, pair: str, limit: int) -> list[Signal]:
            return [signal()]

    async def run() -> None:
        clock = Clock()
        tracks = Tracks(cast("ApiClient", Api()), clock)
        bars = tracks.bars("ETHUSDT", "1m")
        assert tracks.bars("ETHUSDT", "1m") is bars
        assert tracks.bars("ETHUSDT", "5m") is not bars
        signals = tracks.signals(PAIR, ())
        clock.s += UNUSED_S + 1
        assert tracks.bars("ETHUSDT", "1m") is not bars
        assert tracks.signals(PAIR, ()) is not signals

    play(run())
