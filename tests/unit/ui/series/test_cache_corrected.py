"""Corrections of buffered points by the stream: none is lost, whatever the API has stored by then."""

from typing import Any

from msgspec.structs import replace

from services.common.clock import SECOND
from services.common.errors import TransientError
from services.contracts.messages import Signal
from services.ui.series.buffer import SeriesBuffer
from services.ui.state.event_log import EventLog
from tests.unit.ui.conftest import START_S, Make
from tests.unit.ui.stub_store import Clock, Store, play, read


def revisions(track: SeriesBuffer[Signal]) -> list[int]:
    return [one.revision for one in track.points]


async def look(track: SeriesBuffer[Signal], clock: Clock, corrections: EventLog[Signal], *news: Any) -> None:
    await read(track, clock, *news)
    track.correct(corrections)


def correct(corrections: EventLog[Signal], signal: Signal) -> Signal:
    corrected = replace(signal, revision=signal.revision + 1, late=1)
    corrections.add(corrected)
    return corrected


def test_a_correction_replaces_its_point_without_a_reading_and_is_noted(signal: Make) -> None:
    async def run() -> None:
        store, clock = Store([signal(START_S + n) for n in range(5)]), Clock()
        track: SeriesBuffer[Signal] = SeriesBuffer(store.newest, 50, 0.5, clock)
        corrections: EventLog[Signal] = EventLog()
        await look(track, clock, corrections)
        newest = signal(START_S + 5)
        correct(corrections, store.points[1])
        correct(corrections, signal(START_S - 10))  # longer ago than the buffer goes back
        await look(track, clock, corrections, newest)
        assert revisions(track) == [0, 1, 0, 0, 0, 0]
        assert track.corrected.after(0) == [(START_S + 1) * SECOND]
        assert (store.asked, track.revision) == ([50], 0)
        await look(track, clock, corrections, newest)
        assert track.corrected.count == 1

    play(run())


def test_what_is_read_of_the_time_before_a_correction_does_not_undo_it(signal: Make) -> None:
    async def run() -> None:
        store, clock = Store([signal(START_S + n) for n in range(5)]), Clock()
        track: SeriesBuffer[Signal] = SeriesBuffer(store.newest, 50, 0.5, clock, again_every_s=1)
        corrections: EventLog[Signal] = EventLog()
        correct(corrections, store.points[2])
        await look(track, clock, corrections)
        assert revisions(track) == [0, 0, 1, 0, 0]
        correct(corrections, store.points[3])
        track.correct(corrections)
        for _ in range(3):
            await look(track, clock, corrections)
        assert revisions(track) == [0, 0, 1, 1, 0]
        assert (store.asked, track.revision, track.corrected.count) == ([50, 5, 5, 5], 0, 2)
        store.points[0] = replace(store.points[0], revision=2)
        await look(track, clock, corrections)
        assert (revisions(track), track.revision) == ([2, 0, 1, 1, 0], 1)

    play(run())


def test_where_corrections_may_have_been_missed_all_is_read_again_until_there_is_an_answer(
    signal: Make,
) -> None:
    async def run() -> None:
        store, clock = Store([signal(START_S + n) for n in range(5)]), Clock()
        track: SeriesBuffer[Signal] = SeriesBuffer(store.newest, 50, 0.5, clock)
        corrections: EventLog[Signal] = EventLog()
        await look(track, clock, corrections)
        store.points[1] = replace(store.points[1], revision=1)
        corrections.lose()
        track.correct(corrections)
        store.error = TransientError("away")
        await look(track, clock, corrections, store.points[-1])
        assert revisions(track) == [0, 0, 0, 0, 0]
        store.error = None
        await look(track, clock, corrections, store.points[-1])
        assert revisions(track) == [0, 1, 0, 0, 0]
        await look(track, clock, corrections, store.points[-1])
        assert store.asked == [50, 7, 7]

    play(run())


def test_a_thinned_track_is_read_again_from_where_it_was_corrected(signal: Make) -> None:
    async def run() -> None:
        store, clock = Store([signal(START_S + 20 * n) for n in range(9)]), Clock()
        track: SeriesBuffer[Signal] = SeriesBuffer(store.newest, 50, 0.5, clock, is_thinned=True)
        corrections: EventLog[Signal] = EventLog()
        await look(track, clock, corrections)
        extreme = correct(corrections, signal(START_S + 90, zscore=9.0))
        track.correct(corrections)
        store.points.insert(5, extreme)
        for _ in range(3):
            await look(track, clock, corrections)
        assert track.points == store.points
        assert store.asked == [50, 6, 2, 2]

    play(run())
