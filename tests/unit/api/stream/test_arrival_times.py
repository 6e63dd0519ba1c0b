"""Arrival times of messages, from the end offsets of partitions."""

import math

from hypothesis import given
from hypothesis import strategies as st

from services.api.stream.arrival_times import ArrivalTimes, Place

A, B = ("heartbeats", 0), ("heartbeats", 1)
# Seconds until the next message comes, and until the next question is asked.
STEPS = st.lists(st.tuples(st.floats(0.01, 3), st.sampled_from(["message", "question"])), max_size=60)


def test_nothing_is_told_before_anybody_has_asked() -> None:
    arrivals = ArrivalTimes()
    assert (arrivals.since_s(A, 5), arrivals.heard_s({A: 5})) == (-math.inf, -math.inf)


def test_what_lies_beyond_an_end_came_after_the_question() -> None:
    arrivals = ArrivalTimes()
    arrivals.asked(1.0, {A: 10, B: 0})
    arrivals.asked(2.0, {A: 12, B: 0})
    assert [arrivals.since_s(A, offset) for offset in (9, 10, 11, 12)] == [-math.inf, 1.0, 1.0, 2.0]
    assert arrivals.since_s(("heartbeats", 2), 0) == -math.inf


def test_who_has_read_up_to_all_ends_has_heard_all_until_the_question() -> None:
    arrivals = ArrivalTimes()
    arrivals.asked(1.0, {A: 10, B: 4})
    arrivals.asked(2.0, {A: 12, B: 4})
    assert [arrivals.heard_s(at) for at in ({A: 9, B: 4}, {A: 11, B: 4}, {A: 12, B: 4}, {A: 12})] == [
        -math.inf,
        1.0,
        2.0,
        -math.inf,
    ]


def test_a_topic_made_anew_is_told_of_from_the_next_question_on() -> None:
    arrivals = ArrivalTimes()
    arrivals.asked(1.0, {A: 1000})
    arrivals.asked(2.0, {A: 3})
    assert (arrivals.since_s(A, 2), arrivals.since_s(A, 3), arrivals.heard_s({A: 3})) == (-math.inf, 2.0, 2.0)


@given(steps=STEPS, read=st.integers(0, 60))
def test_no_message_is_said_to_have_come_later_than_it_did_or_to_be_heard_before_it_was(
    steps: list[tuple[float, str]], read: int
) -> None:
    arrivals, now_s = ArrivalTimes(), 0.0
    came: list[float] = []
    for wait_s, what in steps:
        now_s += wait_s
        if what == "message":
            came.append(now_s)
        else:
            ends: dict[Place, int] = {A: len(came)}
            arrivals.asked(now_s, ends)
    assert all(arrivals.since_s(A, offset) <= at_s for offset, at_s in enumerate(came))
    assert all(at_s >= arrivals.heard_s({A: read}) for at_s in came[read:])
