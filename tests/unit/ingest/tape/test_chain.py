"""Chain of ids: missing spans, and the place of each trade."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import HOUR, SECOND
from services.ingest.tape.chain import Chain, IdSpan, Taken
from tests.unit.ingest.tape.trades import START_US, trade, trades


def chain_of(*trade_ids: int | range) -> Chain:
    ticks = trades(*trade_ids)
    chain = Chain(ticks[0].trade_id, ticks[0].event_us)
    for tick in ticks:
        chain.take(tick)
    return chain


def missing(chain: Chain) -> list[tuple[int, int]]:
    return [(span.first_id, span.last_id) for span in chain.missing]


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (11, Taken.NEXT),
        (13, Taken.AHEAD),
        (10, Taken.DUPLICATE),
        (6, Taken.LATE),
        (1, Taken.DUPLICATE),
        (10 + 2_000_000_000, Taken.RENUMBERED),
    ],
)
def test_a_trade_is_judged_by_its_id(taken: int, expected: Taken) -> None:
    chain = chain_of(2, 3, 4, 8, 9, 10)  # 5 to 7 are missing
    assert chain.take(trade(taken, START_US + 11 * SECOND)) is expected


def test_a_span_is_missing_between_the_times_of_its_neighbours() -> None:
    assert chain_of(1, 5).missing == [IdSpan(2, 4, START_US + SECOND, START_US + 5 * SECOND)]


def test_a_late_trade_splits_what_is_missing_at_its_own_time() -> None:
    chain = chain_of(1, 9)
    assert chain.take(trade(4)) is Taken.LATE
    assert chain.take(trade(4)) is Taken.DUPLICATE
    middle = START_US + 4 * SECOND
    assert chain.missing == [
        IdSpan(2, 3, START_US + SECOND, middle),
        IdSpan(5, 8, middle, START_US + 9 * SECOND),
    ]


def test_an_old_id_far_below_is_a_duplicate_unless_it_is_newer_than_the_last_trade() -> None:
    chain = chain_of(range(5_000, 5_003))
    assert chain.take(trade(1)) is Taken.DUPLICATE
    assert chain.take(trade(1, START_US + HOUR)) is Taken.DUPLICATE  # trade 5002 is later still
    assert chain.take(trade(1, START_US + 5_003 * SECOND)) is Taken.RENUMBERED
    assert chain.next_id == 5_003


def test_parts_of_what_is_missing_are_found_and_discarded() -> None:
    chain = chain_of(1, 5, 8, 20)
    assert missing(chain) == [(2, 4), (6, 7), (9, 19)]
    assert [(span.first_id, span.last_id) for span in chain.missing_in(3, 10)] == [(3, 4), (6, 7), (9, 10)]
    assert chain.first_missing(5, 7) == 6
    assert chain.first_missing(3, 4) == 3
    assert chain.first_missing(20, 90) is None
    assert chain.first_missing(5, 5) is None
    assert sum(span.ids for span in chain.discard(3, 10)) == 6
    assert missing(chain) == [(2, 2), (11, 19)]
    assert chain.discard(30, 20) == []


@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(-100, 10**6), st.integers(-200, 10**6 + 200))
def test_missing_ids_are_spread_evenly_between_the_neighbours(
    start_us: int, ids: int, length_us: int, us: int
) -> None:
    span = IdSpan(1, ids, start_us, start_us + length_us)
    low, high = min(span.start_us, span.end_us), max(span.start_us, span.end_us)
    times = [low + Fraction((high - low) * place, ids + 1) for place in range(1, ids + 1)]
    assert span.since(us) == sum(time >= us for time in times)
