"""Lag in seconds, against a tape with known message times."""

from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.lag import Lag, ReadingLag

STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=60)


@given(STEPS)
def test_the_oldest_unread_message_is_dated_to_a_look(steps: list[tuple[int, int]]) -> None:
    """Each step is a second, in which so many messages are written and so many are read."""
    now_s, written, read = 0.0, list[float](), 0
    lag = ReadingLag[str](lambda: now_s)
    for comes, goes in steps:
        now_s += 1
        written += [now_s - 0.5] * comes
        for _ in range(min(goes, len(written) - read)):
            lag.took("p", now_s - written[read])
            read += 1
        found = lag.measure({"p": read}, {"p": len(written)})
        assert found.messages == len(written) - read
        oldest_s = now_s - written[read] if read < len(written) else 0.0
        assert found.seconds is not None
        assert abs(found.seconds - oldest_s) <= max(0.5, now_s - written[read - 1] - oldest_s if read else 0)


def test_a_backlog_from_before_the_start_is_as_old_as_what_was_read_of_it() -> None:
    lag = ReadingLag[str](lambda: 100.0)
    assert lag.measure({"p": 0}, {"p": 50}) == Lag(50, 0.0)
    lag.took("p", 3_600.0)
    assert lag.measure({"p": 1}, {"p": 50}) == Lag(49, 3_600.0)
    lag.took("p", -1.0)  # another machine's clock
    assert lag.measure({"p": 49}, {"p": 50}) == Lag(1, 0.0)
    assert lag.measure({"p": 50}, {"p": 50}) == Lag(0, 0.0)


def test_after_a_silence_only_the_new_message_counts() -> None:
    now_s = 0.0
    lag = ReadingLag[str](lambda: now_s)
    lag.took("p", 0.01)
    assert lag.measure({"p": 5}, {"p": 5}) == Lag(0, 0.0)
    now_s = 600.0
    assert lag.measure({"p": 5}, {"p": 6}) == Lag(1, 0.01)
    now_s = 601.0
    assert lag.measure({"p": 5}, {"p": 9}) == Lag(4, 1.0)
    now_s = 603.0
    assert lag.measure({"p": 6}, {"p": 9}) == Lag(3, 2.0)


def test_the_partition_that_is_furthest_behind_counts_and_a_new_topic_begins_anew() -> None:
    now_s = 0.0
    lag = ReadingLag[str](lambda: now_s)
    lag.measure({"p": 5, "q": 5}, {"p": 6, "q": 5, "unplaced": 7})
    now_s = 2.0
    assert lag.measure({"p": 5, "q": 5}, {"p": 6, "q": 8, "unplaced": 7}) == Lag(4, 2.0)
    now_s = 3.0
    assert lag.measure({"p": 0}, {"p": 1}) == Lag(1, 0.0)
