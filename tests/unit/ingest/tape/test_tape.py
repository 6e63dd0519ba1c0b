"""Tape, case by case; test_tape_properties.py has the general laws."""

from collections.abc import Iterable

import pytest

from services.common.clock import HOUR, MINUTE, SECOND
from services.contracts.messages import TapeEvent, Tick
from services.ingest.tape import tape as tape_module
from services.ingest.tape.chain import IdSpan
from services.ingest.tape.ledger import OpenGap
from services.ingest.tape.tape import Tape
from tests.unit.ingest.tape.trades import START_US, SYMBOL, gap_events, ids, trade, trades

AT_US = START_US + MINUTE


def started(*trade_ids: int | range) -> Tape:
    tape = Tape({SYMBOL: "binance"})
    take(tape, *trade_ids)
    return tape


def take(tape: Tape, *trade_ids: int | range) -> list[Tick | TapeEvent]:
    return [item for tick in trades(*trade_ids) for item in tape.take(tick)]


def repair(tape: Tape, page: Iterable[Tick], at_us: int = AT_US) -> list[Tick | TapeEvent]:
    gap = tape.oldest_gaps()[0]
    first_id = tape.first_missing(gap)
    assert first_id is not None
    return tape.repair(gap, first_id, list(page), at_us)


def coverage(tape: Tape, at_us: int = AT_US) -> tuple[float | None, float | None, int | None]:
    (event,) = tape.coverage_events(at_us)
    return event.coverage_1h, event.coverage_24h, event.missing


def test_the_first_trade_starts_the_tape_wherever_it_is() -> None:
    assert take(Tape({}), 5_000_000) == [trade(5_000_000)]


def test_a_trade_goes_through_once() -> None:
    tape = started(range(1, 5))
    assert take(tape, range(1, 6)) == [trade(5)]
    assert tape.counts["duplicates"] == 4


def test_a_jump_is_a_gap_between_the_times_of_its_neighbours() -> None:
    tape = started(1)
    event, tick = take(tape, 6)
    assert isinstance(event, TapeEvent)
    assert tick == trade(6)
    assert gap_events([event]) == [("gap_found", 2, 5, 4)]
    assert (event.start_us, event.end_us) == (trade(1).event_us, trade(6).event_us)
    assert event.at_us == trade(6).received_us


def test_late_trades_fill_a_gap_from_any_side() -> None:
    tape = started(1, 6)
    assert take(tape, 4, 2, 5) == trades(4, 2, 5)
    tick, event = take(tape, 3)
    assert tick == trade(3)
    assert gap_events([event]) == [("gap_repaired", 2, 5, 0)]
    assert tape.oldest_gaps() == []


def test_a_page_may_be_short_disordered_doubled_and_of_other_ids() -> None:
    tape = started(range(1, 4), 9, 10)
    page = trades(7, 9, 5, 2, 5, 30, 7) + trades(6, symbol="ETHUSDT")
    assert ids(repair(tape, page)) == [5, 7]
    items = repair(tape, trades(4, 6, 8))
    assert ids(items) == [4, 6, 8]
    assert gap_events(items) == [("gap_repaired", 4, 8, 0)]
    assert all(item.repaired for item in items if isinstance(item, Tick))
    assert ids(take(tape, 8, 11)) == [11]


def test_one_page_repairs_every_gap_it_reaches() -> None:
    tape = started(1, 3, 5, 7)
    items = repair(tape, trades(range(2, 8)))
    assert ids(items) == [2, 4, 6]
    assert len(gap_events(items)) == 3


def test_ids_that_two_pages_deny_were_never_issued() -> None:
    tape = started(1, 5)
    page = trades(5, 6)
    assert repair(tape, page) == []
    assert coverage(tape) == (2 / 5, 2 / 5, 3)
    assert gap_events(repair(tape, page)) == [("gap_refuted", 2, 4, 0)]
    assert coverage(tape) == (1.0, 1.0, 0)


def test_a_part_that_was_never_issued_is_said_on_its_own() -> None:
    tape = started(1, 9)
    assert ids(repair(tape, trades(2, 3, 7, 8, 9))) == [2, 3, 7, 8]
    repair(tape, trades(7, 8, 9))
    assert gap_events(repair(tape, trades(7, 8, 9))) == [("gap_refuted", 4, 6, 0), ("gap_repaired", 2, 8, 0)]
    assert tape.counts["refuted"] == 3


def test_a_hole_inside_a_page_denies_nothing() -> None:
    tape = started(1, 9)
    assert ids(repair(tape, trades(2, 9))) == [2]
    assert ids(repair(tape, trades(3, 9))) == [3]
    assert ids(repair(tape, trades(4, 5, 6, 9))) == [4, 5, 6]


def test_only_ids_that_both_pages_deny_were_never_issued() -> None:
    tape = started(1, 5, 9)
    late = tape.oldest_gaps()[0]
    assert tape.repair(late, 6, trades(9), AT_US) == []
    assert gap_events(repair(tape, trades(9))) == [("gap_refuted", 6, 8, 0)]
    assert coverage(tape)[2] == 3


def test_a_gap_that_has_been_closed_meanwhile_is_not_given_up() -> None:
    tape = started(1, 3)
    (gap,) = tape.oldest_gaps()
    take(tape, 2)
    assert tape.give_up(gap, "too old", AT_US) == []


def test_a_gap_that_is_given_up_is_not_asked_for_but_may_still_be_filled() -> None:
    tape = started(1, 4)
    (gap,) = tape.oldest_gaps()
    assert gap_events(tape.give_up(gap, "too old", AT_US)) == [("gap_unrepaired", 2, 3, 2)]
    assert tape.give_up(gap, "too old", AT_US) == []
    assert tape.oldest_gaps() == []
    assert coverage(tape) == (0.5, 0.5, 2)
    assert gap_events(take(tape, 3, 2)) == [("gap_repaired", 2, 3, 0)]
    assert tape.give_up(gap, "too old", AT_US) == []


def test_gaps_come_oldest_first_over_the_symbols() -> None:
    tape = Tape({})
    for tick in (*trades(1, 3, 5, symbol="A"), trade(1, START_US, "B"), trade(3, symbol="B")):
        tape.take(tick)
    assert [(gap.symbol, gap.first_id) for gap in tape.oldest_gaps()] == [("B", 2), ("A", 2)]


def test_a_part_that_is_skipped_is_not_asked_for() -> None:
    tape = started(1, 9)
    (gap,) = tape.oldest_gaps()
    tape.skip(gap, 5, "gone")
    assert tape.first_missing(gap) == 5
    repair(tape, trades(range(5, 9)))
    assert tape.first_missing(gap) is None
    assert coverage(tape)[2] == 3


def test_a_venue_that_numbers_anew_is_followed_and_said() -> None:
    tape = started(5_000_000, 5_000_003)
    after = trade(5_000_003).event_us
    items = tape.take(trade(1, after + 1))
    assert gap_events(items) == [
        ("gap_unrepaired", 5_000_001, 5_000_002, 2),
        ("gap_unrepaired", 5_000_004, 5_000_004, 1),
    ]
    assert ids(items) == [1]
    assert all("new numbering" in str(item.reason) for item in items if isinstance(item, TapeEvent))
    assert ids(tape.take(trade(2, after + 2))) == [2]
    assert tape.oldest_gaps() == []
    assert coverage(tape, after)[:2] == (4 / 6, 4 / 6)


@pytest.mark.parametrize("wrong_id", [10**18, 3])
def test_one_wrong_id_does_not_end_a_numbering(wrong_id: int) -> None:
    tape = started(range(5_000, 5_003))
    after = trade(5_002).event_us
    tape.take(trade(wrong_id, after + 1))
    items = tape.take(trade(5_004, after + 2))
    assert gap_events(items)[-2:] == [("gap_refuted", 5_003, 5_003, 0), ("gap_found", 5_003, 5_003, 1)]
    assert ids(items) == [5_004]
    assert ids(tape.take(trade(5_001))) == []
    assert ids(tape.take(trade(5_003))) == [5_003]


def test_what_is_late_of_an_earlier_numbering_is_dropped() -> None:
    tape = started(range(5_000, 5_003))
    tape.take(trade(3, trade(5_002).event_us + 1))
    assert take(tape, 5_001, 5_002) == []
    assert ids(tape.take(trade(4, trade(5_003).event_us))) == [4]


def test_the_ledger_is_bounded_and_says_what_it_lets_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape_module, "MAX_SPANS", 3)
    tape = started(1, 3, 5, 7)
    before = coverage(tape)
    assert gap_events(take(tape, 9)) == [("gap_found", 8, 8, 1), ("gap_unrepaired", 2, 2, 1)]
    assert before[:2] == (4 / 7, 4 / 7)
    assert coverage(tape)[:2] == (5 / 9, 5 / 9)
    assert [gap.first_id for gap in tape.oldest_gaps()] == [4]
    assert take(tape, 2) == []


def test_a_late_trade_that_splits_a_gap_keeps_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape_module, "MAX_SPANS", 2)
    tape = started(1, 3, 7)
    assert gap_events(take(tape, 5)) == [("gap_unrepaired", 2, 2, 1)]


def test_an_unrepaired_gap_is_forgotten_after_a_day_and_others_are_not() -> None:
    tape = started(1, 3, 5)
    (gap,) = tape.oldest_gaps()
    tape.give_up(gap, "gone", AT_US)
    coverage(tape, AT_US + 23 * HOUR)
    assert coverage(tape, AT_US + 23 * HOUR)[2] == 2
    assert coverage(tape, AT_US + 25 * HOUR) == (None, None, 1)


def test_coverage_is_unknown_before_the_first_trade() -> None:
    assert coverage(Tape({SYMBOL: "binance"})) == (None, None, None)


def gap(first_id: int, last_id: int) -> OpenGap:
    start_us, end_us = trade(first_id - 1).event_us, trade(last_id + 1).event_us
    return OpenGap(SYMBOL, "binance", first_id, last_id, start_us, end_us, start_us, missing=99)


def span(first_id: int, last_id: int) -> IdSpan:
    return IdSpan(first_id, last_id, trade(first_id).event_us, trade(last_id).event_us)


def test_a_tape_goes_on_from_what_is_stored() -> None:
    tape = Tape({SYMBOL: "binance"})
    events = tape.resume(
        SYMBOL,
        [span(30, 40), span(1, 9), span(12, 20)],
        [gap(21, 25), gap(10, 10), gap(41, 42), gap(5, 6)],
        [(11, 11)],
        at_us=AT_US,
    )
    assert gap_events(events) == [("gap_repaired", 5, 6, 0), ("gap_found", 26, 29, 4)]
    assert tape.reached(SYMBOL) == (43, trade(43).event_us)
    assert ids(take(tape, 9, 12, 40, 11, 10, 22, 41, 43)) == [10, 22, 41, 43]
    assert [(one.first_id, one.missing) for one in [*tape.oldest_gaps()]] == [(21, 4)]


def test_rows_of_the_ledger_that_overlap_count_once() -> None:
    tape = Tape({SYMBOL: "binance"})
    events = tape.resume(SYMBOL, [span(1, 9), span(21, 30)], [gap(12, 20), gap(10, 15)], at_us=AT_US)
    assert gap_events(events) == [("gap_repaired", 12, 20, 0), ("gap_found", 16, 20, 5)]
    assert coverage(tape)[2] == 11


def test_spans_that_overlap_leave_nothing_to_be_seen_again() -> None:
    tape = Tape({SYMBOL: "binance"})
    assert tape.resume(SYMBOL, [span(1, 20), span(5, 9)], at_us=AT_US) == []
    assert ids(take(tape, 10, 20, 21)) == [21]


def test_an_empty_store_starts_nothing() -> None:
    tape = Tape({SYMBOL: "binance"})
    assert tape.resume(SYMBOL, [], at_us=AT_US) == []
    assert tape.reached(SYMBOL) is None


def test_a_gap_alone_is_taken_up() -> None:
    tape = Tape({SYMBOL: "binance"})
    assert tape.resume(SYMBOL, [], [gap(5, 7)], at_us=AT_US) == []
    assert tape.reached(SYMBOL) == (8, START_US + 8 * SECOND)
    assert [(one.first_id, one.missing) for one in tape.oldest_gaps()] == [(5, 3)]


def test_a_stored_gap_that_lacks_nothing_is_closed_and_no_other() -> None:
    tape = started(range(1, 10), 12)
    (event,) = tape.settle([gap(3, 5), gap(9, 10), gap(13, 14)], AT_US)
    assert gap_events([event]) == [("gap_repaired", 3, 5, 0)]


def test_a_symbol_that_is_left_is_forgotten_with_its_gaps_and_begins_anew() -> None:
    tape = started(1, 2, 5)
    (gap,) = tape.oldest_gaps()
    (event,) = tape.leave(SYMBOL, AT_US)
    assert (event.kind, event.first_id, event.last_id) == ("gap_unrepaired", 3, 4)
    assert event.reason == "the symbol is not collected any more"
    # What was being asked for when it was left comes to nothing.
    assert tape.first_missing(gap) is None
    assert tape.repair(gap, 3, trades(3, 4), AT_US) == []
    assert tape.give_up(gap, "no answer", AT_US) == []
    assert tape.coverage_events(AT_US) == []
    assert tape.leave(SYMBOL, AT_US) == []
    tape.know(SYMBOL, "binance")
    assert [item for item in take(tape, 9, 10) if isinstance(item, TapeEvent)] == []
    assert coverage(tape)[2] == 0
