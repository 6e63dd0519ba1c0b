"""Progress through history, against a present that goes on."""

from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.contracts.messages import Filling
from services.ingest.feeds.history_progress import HistoryProgress
from tests.unit.ingest.fake_clock import FakeClock

START = 1_800_000_000 * SECOND


def test_seconds_of_the_tape_are_told_as_they_are_reached() -> None:
    clock = FakeClock(START + 900 * SECOND)
    past = HistoryProgress(START, clock.now_us)
    assert past.filling() == Filling(0, 900)
    assert past.reached(START + SECOND - 1) is None
    assert past.reached(START + SECOND) == Filling(1, 900)
    assert past.reached(START + 2 * SECOND - 1) is None
    clock.now += 30 * SECOND
    assert past.reached(START + 340 * SECOND) == Filling(340, 930)


def test_it_is_over_when_the_feed_is_where_the_present_has_come_to_meanwhile() -> None:
    clock = FakeClock(START + 900 * SECOND)
    past = HistoryProgress(START, clock.now_us)
    clock.now += SECOND
    assert not past.is_over(START + 900 * SECOND)
    assert past.is_over(clock.now)


def test_a_venue_that_is_ahead_of_our_clock_has_played_no_more_than_there_is() -> None:
    clock = FakeClock(START + 10 * SECOND)
    assert HistoryProgress(START, clock.now_us).reached(START + 11 * SECOND) == Filling(10, 10)


@given(st.lists(st.tuples(st.integers(-5, 1_000), st.integers(0, 5)), max_size=60))
def test_what_has_been_played_only_grows_and_is_never_all_before_it_is_over(
    steps: list[tuple[int, int]],
) -> None:
    clock = FakeClock(START + 500 * SECOND)
    past = HistoryProgress(START, clock.now_us)
    before = past.filling()
    for second, later_s in steps:
        clock.now += later_s * SECOND
        event_us = min(START + second * SECOND, clock.now)
        told = past.reached(event_us)
        if told is not None:
            assert before.done_s < told.done_s <= told.total_s
            assert before.total_s <= told.total_s
            assert (told.done_s == told.total_s) == past.is_over(event_us)
            before = told
