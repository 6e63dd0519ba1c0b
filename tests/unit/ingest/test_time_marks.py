import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.common.clock import SECOND
from services.contracts.messages import TapeEvent, Tick, TimeMark
from services.ingest.time_marks import TimeMarks
from tests import builders

STALE = TapeEvent(kind="stream_stale", venue="test", symbol="A", at_us=0)


def tick(symbol: str, second: float, trade_id: int, repaired: bool = False, late_s: float = 0.0) -> Tick:
    at_us = round(second * SECOND)
    return builders.tick(
        venue="test",
        symbol=symbol,
        trade_id=trade_id,
        event_us=at_us,
        received_us=at_us + round(late_s * SECOND),
        repaired=repaired,
    )


def mark(symbol: str, second: float, trade_id: int, is_doubtful: bool = False) -> TimeMark:
    event_us = round(second * SECOND)
    return TimeMark(symbol=symbol, event_us=event_us, trade_id=trade_id, is_doubtful=is_doubtful)


def told(following: TimeMarks, *ticks: Tick) -> list[TimeMark]:
    return [mark for one in ticks for mark in following.trade(one, one.received_us - one.event_us)[1]]


def known(
    every_s: float = 1.0,
    count: int = 20,
    late_s: float = 0.0,
    awaited_s: float = 30.0,
    in_order: bool = False,
) -> TimeMarks:
    """Return marks that know A as a symbol that trades every so many seconds, until second 0.5."""
    following = TimeMarks(round(awaited_s * SECOND), in_order)
    for number in range(count):
        assert (
            told(following, tick("A", 0.5 - (count - 1 - number) * every_s + 1000, number, late_s=late_s))
            == []
        )
    return following


def quiet(following: TimeMarks, seconds: int) -> list[tuple[float, bool]]:
    """Return what is said of A, how far and whether in doubt, while B alone trades from second 0 on."""
    ticks = (tick("B", 1000.6 + second, second) for second in range(seconds))
    found = [one for one in told(following, *ticks) if one.symbol == "A"]
    return [(one.event_us / SECOND - 1000, one.is_doubtful) for one in found]


def test_a_silence_that_is_usual_is_said_three_seconds_behind_the_others() -> None:
    assert quiet(known(every_s=5.0), 12) == [(second, False) for second in range(1, 6)]


def test_a_silence_that_is_unusual_is_waited_for_and_then_in_doubt_until_it_ends() -> None:
    following = known(every_s=2.0, awaited_s=10.0)
    said = quiet(following, 14)
    assert said == [(1.0, False), (2.0, False), (7.0, True), (8.0, True), (9.0, True), (10.0, True)]
    late, _ = following.trade(tick("A", 1006, 20), 0)
    assert late.marks == (1002 * SECOND, 1010 * SECOND)
    after, _ = following.trade(tick("A", 1013, 21), 0)
    assert after.marks == ()


def test_a_leg_that_was_delivered_late_is_not_spoken_for_by_others() -> None:
    assert quiet(known(every_s=5.0, late_s=2.1), 12) == []
    assert quiet(known(every_s=5.0, late_s=2.0), 12) != []


def test_of_a_symbol_that_was_hardly_seen_nothing_is_known() -> None:
    assert quiet(known(every_s=5.0, count=9), 12) == []


def test_a_mark_price_of_the_same_connection_vouches_for_a_silence() -> None:
    following = known(every_s=1.0)
    said = []
    for second in range(12):
        following.vouch("A", (1000 + second) * SECOND, 100_000)
        following.vouch("B", (1000 + second) * SECOND, 100_000)
        found = told(following, tick("B", 1000.6 + second, second))
        said += [one.event_us // SECOND - 1000 for one in found if one.symbol == "A"]
    assert said == list(range(1, 9))


@pytest.mark.parametrize("late_s", [2.1, 60.0])
def test_a_mark_price_that_was_late_vouches_for_nothing(late_s: float) -> None:
    following = known(every_s=1.0)
    following.vouch("A", 1100 * SECOND, round(late_s * SECOND))
    assert quiet(following, 12) == [(1.0, False)]


def test_a_feed_in_order_is_believed() -> None:
    assert quiet(known(every_s=1.0, count=1, in_order=True), 6) == [(1.0, False), (2.0, False)]


def test_a_stream_in_doubt_is_waited_for_until_it_trades_again() -> None:
    following = known(every_s=5.0, awaited_s=10.0)
    following.event(STALE)
    following.event(structs.replace(STALE, kind="coverage", symbol="B"))
    assert quiet(following, 11) == [(7.0, True)]
    assert told(following, tick("A", 1011, 30)) == []
    assert [one.is_doubtful for one in told(following, tick("B", 1015.6, 30))] == [False]


def test_what_was_repaired_says_nothing_of_the_present_and_keeps_its_place() -> None:
    following = known(every_s=5.0)
    assert quiet(following, 6) == [(1.0, False), (2.0, False)]
    assert told(following, tick("B", 1099, 90, repaired=True)) == []
    repaired, found = following.trade(tick("A", 1001.5, 30, repaired=True), 0)
    assert (repaired.marks, found) == ((1002 * SECOND,), ())
    assert told(following, tick("B", 1006.6, 7)) == [mark("A", 1003, 30)]


def test_a_symbol_that_trades_needs_no_mark() -> None:
    assert told(TimeMarks(), *(tick(symbol, second, second) for second in range(9) for symbol in "AB")) == []


def test_the_end_ends_the_last_second_of_every_tape() -> None:
    following = TimeMarks()
    assert told(following, tick("A", 0.5, 1), tick("B", 2.5, 1), tick("C", 2.5, 1)) == []
    following.event(structs.replace(STALE, symbol="C"))
    assert list(following.end()) == [mark("A", 3, 1), mark("B", 3, 1), mark("C", 3, 1, is_doubtful=True)]
    assert list(TimeMarks().end()) == []


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.floats(0, 60)), max_size=60))
def test_a_mark_never_says_what_a_trade_less_than_three_seconds_late_refutes(
    trades: list[tuple[str, float]],
) -> None:
    following, said = TimeMarks(in_order=True), dict.fromkeys("ABC", 0)
    latest = 0.0
    for number, (symbol, second) in enumerate(trades):
        second = max(second, latest - 2.9)
        latest = max(latest, second)
        one = tick(symbol, second, number)
        assert one.event_us >= said[symbol]
        for found in told(following, one):
            said[found.symbol] = found.event_us


@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 40), st.booleans()), max_size=120))
def test_the_marks_of_the_next_trade_are_those_that_were_said(trades: list[tuple[str, int, bool]]) -> None:
    """Their ends grow, and the last one is the end of the last mark."""
    following, last = TimeMarks(5 * SECOND), dict.fromkeys("AB", 0)
    for number, (symbol, second, is_repaired) in enumerate(trades):
        one, found = following.trade(tick(symbol, second, number, is_repaired), 0)
        assert list(one.marks) == sorted(one.marks)
        assert (one.marks or (0,))[-1] == last[symbol]
        last[symbol] = 0
        last.update({mark.symbol: mark.event_us for mark in found})
