"""Gap repair: requests, their times, and what follows from the answers."""

import asyncio
import random
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.clock import HOUR, SECOND
from services.common.errors import BadMessageError, FatalError, TransientError
from services.contracts.messages import TapeEvent, Tick
from services.ingest.tape.repair import Repairer
from services.ingest.tape.tape import Tape
from services.ingest.venues.rest import GoneError, VenueBusyError
from tests.unit.ingest.tape.trades import (
    START_US,
    SYMBOL,
    Answer,
    Patience,
    StubVenue,
    gap_events,
    ids,
    trade,
    trades,
)


def tape_of(*ticks: Tick) -> Tape:
    tape = Tape({})
    for tick in ticks:
        tape.take(tick)
    return tape


def repair(tape: Tape, venue: StubVenue, clock: Patience | None = None) -> list[Tick | TapeEvent]:
    """Return what is published until no gap is worth asking for any more."""
    clock = clock or Patience()

    async def run() -> list[Tick | TapeEvent]:
        published: list[Tick | TapeEvent] = []
        async with aclosing(Repairer(tape, venue.venue(), clock.now_us, clock.sleep).batches()) as batches:
            async for items in batches:
                published += items
                if not tape.oldest_gaps():
                    break
        return published

    return asyncio.run(run())


def test_a_gap_is_asked_for_page_by_page() -> None:
    venue = StubVenue(trades(range(1, 12)), page=4)
    published = repair(tape_of(*trades(1, 11)), venue)
    assert ids(published) == [*range(2, 11)]
    assert all(item.repaired for item in published if isinstance(item, Tick))
    assert gap_events(published) == [("gap_repaired", 2, 10, 0)]
    assert venue.asked == [(SYMBOL, 2), (SYMBOL, 6), (SYMBOL, 10)]


def test_the_oldest_gap_comes_first_and_every_symbol_has_its_turn() -> None:
    known = [tick for symbol in "AB" for tick in trades(range(1, 20), symbol=symbol)]
    tape = tape_of(
        *trades(1, 8, 10, symbol="A"), trade(1, START_US, "B"), trade(9, symbol="B"), trade(12, symbol="B")
    )
    venue = StubVenue(known, page=3)
    repair(tape, venue)
    assert venue.asked == [
        *[("B", 2), ("A", 2), ("B", 5), ("A", 5)],
        *[("B", 8), ("A", 9), ("B", 11)],
    ]


def test_a_trade_that_was_only_late_is_not_asked_for() -> None:
    tape, venue = tape_of(*trades(1, 4)), StubVenue(trades(range(1, 5)))
    clock = Patience(trade(4).received_us)

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        for tick in trades(2, 3):
            tape.take(tick)

    async def run() -> None:
        await anext(Repairer(tape, venue.venue(), clock.now_us, sleep).batches())

    with pytest.raises(AssertionError, match="end of waiting"):
        asyncio.run(run())
    assert venue.asked == []


@pytest.mark.parametrize("error", [TransientError("away"), BadMessageError("garbage")])
def test_a_symbol_that_gets_no_answer_waits_longer_and_longer_and_the_others_do_not(error: Exception) -> None:
    failures = 5

    def answer(symbol: str, first_id: int) -> Answer | None:
        return error if symbol == "A" and asked_for("A") <= failures else None

    def asked_for(symbol: str) -> int:
        return sum(one == symbol for one, _ in venue.asked)

    known = [tick for symbol in "AB" for tick in trades(range(1, 50), symbol=symbol)]
    venue = StubVenue(known, page=5, answer=answer)
    tape, clock = tape_of(*trades(1, 30, symbol="A"), *trades(1, 30, symbol="B")), Patience()
    began = clock.now
    published = repair(tape, venue, clock)
    assert [event[0] for event in gap_events(published)] == ["gap_repaired"] * 2
    assert {symbol for symbol, _ in venue.asked[:9]} == {"A", "B"}
    assert asked_for("B") == 6
    assert 15 * SECOND < clock.now - began < 35 * SECOND  # half of 1 + 2 + 4 + 8 + 16 s, or all of it


def test_a_busy_venue_is_left_alone_as_long_as_it_asks() -> None:
    times: list[int] = []

    def answer(symbol: str, first_id: int) -> Answer | None:
        times.append(clock.now)
        return VenueBusyError("429", 37.0) if len(times) == 1 else None

    known = [tick for symbol in "AB" for tick in trades(range(1, 9), symbol=symbol)]
    tape, clock = tape_of(*trades(1, 3, symbol="A"), *trades(1, 3, symbol="B")), Patience()
    repair(tape, StubVenue(known, answer=answer), clock)
    assert times[1] - times[0] >= 37 * SECOND


def test_what_was_never_issued_is_asked_for_twice_and_not_in_the_same_second() -> None:
    times: list[int] = []

    def answer(symbol: str, first_id: int) -> Answer | None:
        times.append(clock.now)
        return None

    tape, clock = tape_of(*trades(1, 9)), Patience()
    published = repair(tape, StubVenue(trades(1, 5, 9), answer=answer), clock)
    assert ids(published) == [5]
    assert gap_events(published) == [
        ("gap_refuted", 2, 4, 0),
        ("gap_refuted", 6, 8, 0),
        ("gap_repaired", 2, 8, 0),
    ]
    assert times[1] - times[0] >= SECOND


def test_what_the_venue_no_longer_has_is_left_in_the_ledger_with_the_reason() -> None:
    tape = tape_of(*trades(1, 4, 6))
    venue = StubVenue([], answer=lambda *_: GoneError("only 48 h"))
    published = repair(tape, venue)
    assert gap_events(published) == [("gap_unrepaired", 2, 3, 2), ("gap_unrepaired", 5, 5, 1)]
    assert {item.reason for item in published if isinstance(item, TapeEvent)} == {"only 48 h"}
    assert len(venue.asked) == 2
    assert venue.asked_by_time == 0


def test_of_a_gap_that_is_half_gone_the_other_half_is_repaired() -> None:
    hours = {trade_id: trade(trade_id, START_US + trade_id * HOUR) for trade_id in range(1, 101)}

    def answer(symbol: str, first_id: int) -> Answer | None:
        return GoneError("only 48 h") if hours[first_id].event_us < clock.now - 48 * HOUR else None

    clock = Patience(hours[100].event_us + HOUR // 2)
    venue = StubVenue(hours.values(), answer=answer)
    published = repair(tape_of(hours[1], hours[100]), venue, clock)
    assert ids(published) == [*range(53, 100)]
    assert gap_events(published) == [("gap_unrepaired", 2, 99, 51)]
    assert len(venue.asked) == 2


def test_a_venue_that_neither_has_nor_denies_is_not_asked_for_ever() -> None:
    tape, venue = tape_of(*trades(5, 8)), StubVenue([], answer=lambda *_: trades(1, 2))
    (event,) = repair(tape, venue)
    assert isinstance(event, TapeEvent)
    assert event.kind == "gap_unrepaired"
    assert "useless" in str(event.reason)
    assert len(venue.asked) == 10


@pytest.mark.parametrize("failure", [TransientError("500"), BadMessageError("garbage")])
def test_an_answer_ends_a_row_of_failures(failure: Exception) -> None:
    delays, clock = list[int](), Patience()

    def answer(symbol: str, first_id: int) -> Answer | None:
        delays.append(clock.now)
        return None if len(delays) % 9 == 0 else failure

    published = repair(tape_of(*trades(1, 12)), StubVenue(trades(range(1, 13)), page=4, answer=answer), clock)
    assert gap_events(published) == [("gap_repaired", 2, 11, 0)]
    assert 0.5 * SECOND <= delays[10] - delays[9] <= 1.4 * SECOND


def test_another_venues_gaps_are_not_asked_for() -> None:
    tape, venue = tape_of(*trades(1, 3)), StubVenue([])
    venue.name = "okx"
    with pytest.raises(AssertionError, match="end of waiting"):
        repair(tape, venue)
    assert venue.asked == []


def test_the_impossible_is_not_swallowed() -> None:
    with pytest.raises(FatalError):
        repair(tape_of(*trades(1, 3)), StubVenue([], answer=lambda *_: FatalError("no")))


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(2, 39)), st.sets(st.integers(2, 39)), st.integers(0, 10**6))
def test_whatever_goes_wrong_on_the_way_the_tape_ends_up_whole(
    seen: set[int], never_issued: set[int], seed: int
) -> None:
    chance = random.Random(seed)
    known = [tick for tick in trades(range(1, 41)) if tick.trade_id not in never_issued]

    def answer(symbol: str, first_id: int) -> Answer | None:
        page = [tick for tick in known if tick.trade_id >= first_id][: chance.randint(1, 9)]
        strays = chance.sample(known, 2)
        errors: list[Answer | None] = [
            TransientError("500"),
            VenueBusyError("429", 1.5),
            BadMessageError("half"),
        ]
        pages: list[Answer | None] = [
            [],
            page,
            chance.sample(page, len(page)),
            [*strays, *page, *page, *strays],
        ]
        answers = [None, *errors, *pages]
        return chance.choice(answers)

    first_seen = [tick for tick in known if tick.trade_id in seen | {1, 40}]
    published = repair(tape_of(*first_seen), StubVenue(known, answer=answer)) if len(first_seen) < 40 else []
    assert sorted(ids(published)) == [tick.trade_id for tick in known if tick not in first_seen]
