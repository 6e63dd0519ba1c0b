import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.stream_analytics.alignment import EVER
from services.stream_analytics.symbol_tape import SymbolTape
from services.stream_analytics.trades import TapeTrade


def test_a_trade_of_a_final_second_is_late_and_changes_nothing() -> None:
    tape = SymbolTape()
    tape.add(TapeTrade(SECOND, 1.0, 1))
    tape.add(TapeTrade(2 * SECOND, 2.0, 3))
    assert not tape.add(TapeTrade(SECOND + 1, 9.0, 2))
    assert tape.late == 1
    assert tape.seconds[SECOND].price == 1.0
    assert tape.newest == TapeTrade(2 * SECOND, 2.0, 3)


@pytest.mark.parametrize("order", [(7, 8), (8, 7)])
def test_of_trades_of_one_instant_the_highest_id_is_the_last_whichever_comes_first(
    order: tuple[int, int],
) -> None:
    tape = SymbolTape()
    assert [tape.add(TapeTrade(500_000, float(trade_id), trade_id)) for trade_id in order] == [
        True,
        order == (7, 8),
    ]
    assert tape.seconds[0].price == 8.0
    assert tape.newest is not None
    assert tape.newest.price == 8.0


def test_a_mark_waits_for_the_trade_it_follows() -> None:
    """Marks come on a topic of their own and may overtake the trades."""
    tape = SymbolTape()
    tape.add(TapeTrade(0, 1.0, 1))
    tape.mark(5 * SECOND, 2)
    assert tape.closed_us == 0
    tape.add(TapeTrade(SECOND, 1.0, 2))
    assert tape.closed_us == 5 * SECOND
    tape.add(TapeTrade(4 * SECOND, 1.0, 3))
    assert tape.late == 1


def test_a_mark_of_the_past_changes_nothing() -> None:
    tape = SymbolTape()
    tape.add(TapeTrade(9 * SECOND, 1.0, 2))
    tape.mark(5 * SECOND, 1)
    assert (tape.known_us, tape.final_us) == (9 * SECOND, 9 * SECOND)


def test_after_a_restart_the_first_trade_may_show_a_gap() -> None:
    tape = SymbolTape()
    tape.restore(TapeTrade(0, 1.0, 4))
    tape.add(TapeTrade(3 * SECOND, 1.0, 5))
    assert not tape.holes
    tape = SymbolTape()
    tape.restore(TapeTrade(0, 1.0, 3))
    tape.add(TapeTrade(3 * SECOND, 1.0, 5))
    assert [second for second in range(5) if tape.hole_at(second * SECOND, EVER)] == [1, 2, 3]


@given(st.lists(st.integers(0, 30 * SECOND), max_size=80), st.integers(0, 30))
def test_what_is_forgotten_is_what_lies_before(at: list[int], second: int) -> None:
    whole, cut = SymbolTape(), SymbolTape()
    for number, us in enumerate(at):
        whole.add(TapeTrade(us, 1.0, number))
        cut.add(TapeTrade(us, 1.0, number))
    cut.forget(second * SECOND)
    assert cut.seconds == {start: trade for start, trade in whole.seconds.items() if start >= second * SECOND}
    assert cut.next_second(0) == min(cut.seconds, default=None)


def test_a_gap_after_a_loss_is_one_of_the_loss_and_the_next_one_is_not() -> None:
    tape = SymbolTape()
    for trade_id, second, lost in ((1, 0, False), (5, 2, True), (6, 3, False), (9, 5, False)):
        if lost:
            tape.lose()
        tape.add(TapeTrade(second * SECOND, 1.0, trade_id))
    assert [hole.kind for hole in tape.holes] == ["lost", "missing"]


def test_a_loss_of_other_symbols_trades_is_no_gap() -> None:
    tape = SymbolTape()
    tape.add(TapeTrade(0, 1.0, 1))
    tape.lose()
    tape.add(TapeTrade(2 * SECOND, 1.0, 2))
    tape.add(TapeTrade(5 * SECOND, 1.0, 4))
    assert [hole.kind for hole in tape.holes] == ["missing"]


@pytest.mark.parametrize("apart_us", [SECOND // 100, 2 * SECOND])
def test_a_symbol_that_is_spread_over_partitions_costs_no_seconds(apart_us: int) -> None:
    """A producer of its own leaves a gap at each trade of one partition, and fills them from the next one."""
    trades = [TapeTrade(number * apart_us, 1.0, number + 1) for number in range(10_000)]
    tape = SymbolTape(0, trades[-1].event_us)
    before_s = time.process_time()
    for partition in range(4):
        for trade in trades[partition::4]:
            tape.add(trade)
    assert time.process_time() - before_s < 1.5
    assert not any(tape.hole_at(trade.event_us, EVER) for trade in trades[:: 10_000 // 100])
    assert tape.late < len(trades)
