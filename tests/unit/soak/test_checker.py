"""Checker of the soak run: it reports each kind of fault, and nothing else."""

from collections.abc import Callable

import pytest
from msgspec import structs

from services.contracts.messages import TapeEvent, TapeEventKind, Tick
from tests.fake_venue.market import Market
from tests.soak.checker import Checker

SYMBOL = "BTCUSDT"
MARKET = Market({SYMBOL: 10.0}, start_ms=1_750_000_000_000, first_id=100)
LAST = 119
HOLE = range(110, 112)
LOST = [105, 106]


def tick(trade_id: int, *, repaired: bool = False, **fields: float) -> Tick:
    return structs.replace(
        MARKET.trade(SYMBOL, trade_id).tick(), received_us=9, repaired=repaired or trade_id in LOST, **fields
    )


def event(kind: TapeEventKind, first_id: int, last_id: int, at_us: int) -> TapeEvent:
    return TapeEvent(
        kind=kind, venue="binance", symbol=SYMBOL, at_us=at_us, first_id=first_id, last_id=last_id
    )


def good() -> Checker:
    checker = Checker(MARKET)
    for trade_id in range(MARKET.first_id, LAST + 1):
        if trade_id not in HOLE:
            checker.tick(tick(trade_id))
    checker.event(event("gap_found", LOST[0], LOST[-1], 1))
    checker.event(event("gap_repaired", LOST[0], LOST[-1], 2))
    checker.event(event("gap_found", HOLE.start, HOLE.stop - 1, 1))
    checker.event(event("gap_refuted", HOLE.start, HOLE.stop - 1, 2))
    whole = TapeEvent(
        kind="coverage", venue="binance", symbol=SYMBOL, at_us=3, missing=0, coverage_1h=1.0, coverage_24h=1.0
    )
    checker.event(whole)
    return checker


def complaints(checker: Checker, starts: list[range] | None = None, last: int = LAST) -> list[str]:
    return checker.complaints({SYMBOL: last}, {SYMBOL: [HOLE]}, {SYMBOL: LOST}, starts or [])


def test_a_complete_tape_is_no_reason_to_complain_and_copies_are_counted() -> None:
    checker = good()
    checker.tick(tick(103))
    assert complaints(checker) == []
    assert (checker.repeats, checker.count, checker.ticks) == (1, 18, 19)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda checker: checker.tick(tick(104, price=1.0)), "not the venue's"),
        (lambda checker: checker.tick(tick(50)), "not the venue's"),
        (lambda checker: checker.tick(tick(110)), "never issued"),
        (lambda checker: checker.tick(tick(103, repaired=True)), "repaired outside a gap"),
        (lambda checker: checker.event(event("gap_refuted", 113, 113, 5)), "refuted ids came"),
        (lambda checker: checker.event(event("gap_found", 117, 117, 5)), "still open"),
        (lambda checker: checker.event(event("gap_unrepaired", 105, 106, 5)), "still open"),
        (lambda checker: checker.gaps.clear(), "without a gap in the ledger"),
        (lambda checker: checker.coverage.clear(), "coverage is not complete"),
    ],
)
def test_what_is_wrong_is_said(spoil: Callable[[Checker], None], complaint: str) -> None:
    checker = good()
    spoil(checker)
    assert any(complaint in said for said in complaints(checker)), complaints(checker)


def test_what_is_missing_is_named() -> None:
    assert complaints(good(), last=LAST + 2) == [f"{SYMBOL}: 2 trades are missing: 120, 121"]


def test_before_ingest_is_live_the_ledger_need_not_know() -> None:
    checker = good()
    checker.gaps.clear()
    for trade_id in LOST:
        checker.seen[SYMBOL].repaired.discard(trade_id)
    everything = range(MARKET.start_ms, MARKET.time_ms(SYMBOL, LAST))
    assert complaints(checker, [everything]) == []
