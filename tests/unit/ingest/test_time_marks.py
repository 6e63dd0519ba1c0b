from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.common.clock import SECOND
from services.common.messages import TapeEvent, Tick, TimeMark
from services.ingest.time_marks import TimeMarks


def tick(symbol: str, second: float, trade_id: int, repaired: bool = False) -> Tick:
    at_us = round(second * SECOND)
    return Tick(
        venue="test",
        symbol=symbol,
        trade_id=trade_id,
        event_us=at_us,
        received_us=at_us,
        price=1.0,
        size=1.0,
        buyer_is_maker=False,
        repaired=repaired,
    )


def marks(*ticks: Tick) -> list[TimeMark]:
    following = TimeMarks()
    return [mark for one in ticks for mark in following.trade(one)]


def mark(symbol: str, second: int, trade_id: int) -> TimeMark:
    return TimeMark(symbol=symbol, event_us=second * SECOND, trade_id=trade_id)


def test_a_quiet_symbol_is_known_three_seconds_behind_the_others() -> None:
    found = marks(tick("A", 0.5, 7), *(tick("B", second, second) for second in range(6)))
    assert found == [mark("A", 1, 7), mark("A", 2, 7)]


def test_a_symbol_that_trades_needs_no_mark() -> None:
    assert marks(*(tick(symbol, second, second) for second in range(9) for symbol in "AB")) == []


def test_nothing_is_said_of_a_stream_in_doubt_until_it_trades_again() -> None:
    following = TimeMarks()
    stale = TapeEvent(kind="stream_stale", venue="test", symbol="A", at_us=0)
    list(following.trade(tick("A", 0, 1)))
    following.event(stale)
    following.event(structs.replace(stale, kind="coverage", symbol="B"))
    assert [mark for second in range(20) for mark in following.trade(tick("B", second, second))] == []
    assert list(following.end()) == [mark("B", 20, 19)]
    list(following.trade(tick("A", 5, 2, repaired=True)))
    assert list(following.trade(tick("B", 20, 20))) == []
    list(following.trade(tick("A", 20.5, 3)))
    assert list(following.trade(tick("B", 25, 21))) == [mark("A", 22, 3)]


def test_what_was_repaired_says_nothing_of_the_present() -> None:
    assert marks(tick("A", 0, 1), tick("B", 0, 1), tick("B", 99, 2, repaired=True)) == []


def test_the_end_ends_the_last_second_of_every_tape() -> None:
    following = TimeMarks()
    for one in (tick("A", 0.5, 1), tick("B", 2.5, 1)):
        assert list(following.trade(one)) == []
    assert list(following.end()) == [mark("A", 3, 1), mark("B", 3, 1)]
    assert list(TimeMarks().end()) == []


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.floats(0, 60)), max_size=60))
def test_a_mark_never_says_what_a_trade_less_than_three_seconds_late_refutes(
    trades: list[tuple[str, float]],
) -> None:
    following, known = TimeMarks(), dict.fromkeys("ABC", 0)
    latest = 0.0
    for number, (symbol, second) in enumerate(trades):
        second = max(second, latest - 2.9)
        latest = max(latest, second)
        one = tick(symbol, second, number)
        assert one.event_us >= known[symbol]
        for found in following.trade(one):
            known[found.symbol] = found.event_us
