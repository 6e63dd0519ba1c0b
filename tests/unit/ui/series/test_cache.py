"""Series cache: read rarely, never with a gap."""

from collections.abc import Callable
from typing import cast

import pytest

from services.common.errors import TransientError
from services.contracts.messages import Signal
from services.ui.api.client import ApiClient, ApiRefusedError
from services.ui.api.poll_cache import UNUSED_S
from services.ui.api.types import Bar
from services.ui.series.buffer import SeriesBuffer
from services.ui.series.cache import HOURS_EVERY_S, SeriesCache
from services.ui.state.event_log import EventLog
from tests.unit.ui.conftest import PAIR, START_S, Make
from tests.unit.ui.stub_store import Clock, Store, play, read, seconds


def test_the_first_reading_is_whole_and_the_next_are_small(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(100)]), Clock()
        track: SeriesBuffer[Bar] = SeriesBuffer(store.newest, 50, 0.5, clock)
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
        track: SeriesBuffer[Bar] = SeriesBuffer(store.newest, 50, 0.5, clock)
        for _ in range(10):
            track.refresh_if_due()
        await track.settled()
        clock.s += 0.4
        track.refresh_if_due()
        await track.settled()
        assert len(store.asked) == 1

    play(run())


def test_a_hole_is_filled_from_the_store(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(10)]), Clock()
        track: SeriesBuffer[Bar] = SeriesBuffer(store.newest, 50, 0.5, clock)
        await read(track, clock)
        store.points += [bar(START_S + n) for n in range(10, 20)]
        await read(track, clock)
        assert seconds(track) == list(range(20))
        assert track.generation == 1

    play(run())


@pytest.mark.parametrize(
    "change",
    [
        lambda bar, points: [*points[:5], bar(START_S + 5, close=3333.0), *points[6:]],
        lambda bar, points: points[:5] + points[6:],
    ],
)
def test_what_changes_among_the_older_bars_is_seen_when_they_are_read_again(
    bar: Make, change: Callable[[Make, list[Bar]], list[Bar]]
) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(10)]), Clock()
        track: SeriesBuffer[Bar] = SeriesBuffer(store.newest, 50, 0.5, clock, again_every_s=3)
        await read(track, clock)
        store.points = change(bar, store.points)
        await read(track, clock)
        assert (track.revision, store.points == track.points) == (0, False)
        await read(track, clock)
        assert (track.revision, track.generation, store.points == track.points) == (1, 1, True)
        store.points.append(bar(START_S + 10))
        for _ in range(3):
            await read(track, clock)
        assert (track.revision, store.points == track.points) == (1, True)
        assert store.asked == [50, 2, 10, 2, 2, len(track.points)]

    play(run())


def test_another_tape_begins_another_generation(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(10)]), Clock()
        track: SeriesBuffer[Bar] = SeriesBuffer(store.newest, 50, 0.5, clock)
        await read(track, clock)
        store.points = [bar(START_S - 5000 + n) for n in range(10)]
        await read(track, clock)
        assert seconds(track)[0] == -5000
        assert track.generation == 2

    play(run())


def test_the_same_tape_from_its_start_takes_later_bars_away(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar(START_S + n) for n in range(60)]), Clock()
        track: SeriesBuffer[Bar] = SeriesBuffer(store.newest, 50, 0.5, clock)
        await read(track, clock)
        store.points = [bar(START_S + n, close=1.0) for n in range(30)]
        await read(track, clock)
        assert (seconds(track)[-1], track.points[-1].close) == (29, 1.0)

    play(run())


def test_a_stream_that_begins_again_takes_later_signals_away(signal: Make) -> None:
    async def run() -> None:
        store, clock = Store([signal(START_S + n) for n in range(10)]), Clock()
        track: SeriesBuffer[Signal] = SeriesBuffer(store.newest, 50, 0.5, clock)
        await read(track, clock)
        await read(track, clock, signal(START_S + 10))
        store.points = store.points[:5]
        again = signal(START_S + 5, zscore=0.5)
        await read(track, clock, again)
        await read(track, clock, again)
        assert (seconds(track), track.points[-1]) == (list(range(6)), again)

    play(run())


def test_a_signal_that_follows_needs_no_reading(signal: Make) -> None:
    async def run() -> None:
        store, clock = Store([signal(START_S + n) for n in range(10)]), Clock()
        track: SeriesBuffer[Signal] = SeriesBuffer(store.newest, 50, 0.5, clock)
        await read(track, clock)
        await read(track, clock, signal(START_S + 10))
        await read(track, clock, signal(START_S + 10))
        assert len(store.asked) == 1
        assert seconds(track) == list(range(11))

    play(run())


def test_seconds_that_close_at_once_need_no_reading(signal: Make) -> None:
    async def run() -> None:
        store, clock = Store([signal(START_S + n) for n in range(10)]), Clock()
        track: SeriesBuffer[Signal] = SeriesBuffer(store.newest, 50, 0.5, clock)
        await read(track, clock)
        await read(track, clock, *(signal(START_S + n) for n in range(7, 14)))
        assert seconds(track) == list(range(14))
        assert len(store.asked) == 1

    play(run())


def test_a_signal_that_jumps_waits_for_what_is_between(signal: Make) -> None:
    async def run() -> None:
        store, clock = Store([signal(START_S + n) for n in range(10)]), Clock()
        track: SeriesBuffer[Signal] = SeriesBuffer(store.newest, 50, 0.5, clock)
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
        track: SeriesBuffer[Signal] = SeriesBuffer(store.newest, 50, 0.5, clock)
        await read(track, clock)
        await read(track, clock, signal(START_S + 10))
        await read(track, clock)
        assert seconds(track) == list(range(11))

    play(run())


def test_an_error_is_kept_until_the_next_answer(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar()]), Clock()
        track: SeriesBuffer[Bar] = SeriesBuffer(store.newest, 50, 0.5, clock)
        store.error = TransientError("away")
        await read(track, clock)
        assert (track.error, track.loaded) == ("away", False)
        store.error = None
        await read(track, clock)
        assert (track.error, track.loaded) == (None, True)

    play(run())


def test_a_refusal_is_told_apart_from_a_silence(bar: Make) -> None:
    async def run() -> None:
        store, clock = Store([bar()]), Clock()
        track: SeriesBuffer[Bar] = SeriesBuffer(store.newest, 50, 0.5, clock)
        store.error = ApiRefusedError("status 404: no such symbol", "no such symbol")
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
        tracks = SeriesCache(cast("ApiClient", api), clock)
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
        tracks = SeriesCache(cast("ApiClient", Api()), clock)
        bars = tracks.bars("ETHUSDT", "1m")
        assert tracks.bars("ETHUSDT", "1m") is bars
        assert tracks.bars("ETHUSDT", "5m") is not bars
        signals = tracks.signals(PAIR, (), EventLog())
        clock.s += UNUSED_S + 1
        assert tracks.bars("ETHUSDT", "1m") is not bars
        assert tracks.signals(PAIR, (), EventLog()) is not signals

    play(run())
