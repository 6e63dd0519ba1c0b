import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.stream_analytics.alignment import Alignment, Leg, Sample, Trade

STALE_AFTER = 3 * SECOND
Tape = list[tuple[Leg, Trade]]
times = st.integers(0, 40 * SECOND)
legs: dict[str, st.SearchStrategy[list[int]]] = {
    "ys": st.lists(times, min_size=1, max_size=60).map(sorted),
    "xs": st.lists(times, min_size=1, max_size=60).map(sorted),
}


def run(tape: Tape, until: int = 60 * SECOND) -> list[Sample]:
    alignment = Alignment(STALE_AFTER)
    samples = [sample for leg, trade in tape for sample in alignment.add(leg, trade)]
    assert alignment.late == 0
    return samples + alignment.advance(until)


def trades(leg: Leg, at: list[int]) -> Tape:
    return [(leg, Trade(us, 1.0 + number)) for number, us in enumerate(at)]


def interleave(ys: Tape, xs: Tape, seed: int) -> Tape:
    """Mix two legs in any order that keeps each leg's own, as partitions do."""
    ys, xs, mixed = list(ys), list(xs), []
    choose = random.Random(seed)
    while ys or xs:
        mixed.append((ys if not xs or (ys and choose.random() < 0.5) else xs).pop(0))
    return mixed


@given(**legs, seeds=st.tuples(st.integers(), st.integers()))
def test_samples_do_not_depend_on_how_the_legs_interleave(
    ys: list[int], xs: list[int], seeds: tuple[int, int]
) -> None:
    first, second = (run(interleave(trades("y", ys), trades("x", xs), seed)) for seed in seeds)
    assert first == second


@given(**legs)
def test_a_sample_is_the_last_trade_of_each_leg_before_its_end(ys: list[int], xs: list[int]) -> None:
    samples = run(interleave(trades("y", ys), trades("x", xs), 0))
    assert [sample.end_us for sample in samples] == sorted({sample.end_us for sample in samples})
    for sample in samples:
        for leg, at in (("y", ys), ("x", xs)):
            trade = sample.y if leg == "y" else sample.x
            number = max(number for number, us in enumerate(at) if us < sample.end_us)
            assert trade == Trade(at[number], 1.0 + number)
            assert (leg in sample.stale) == (sample.end_us - at[number] > STALE_AFTER)


@given(**legs)
def test_every_second_in_which_both_legs_are_fresh_is_closed(ys: list[int], xs: list[int]) -> None:
    closed = {
        sample.end_us for sample in run(interleave(trades("y", ys), trades("x", xs), 0)) if not sample.stale
    }
    expected = {
        end
        for end in range(SECOND, 60 * SECOND, SECOND)
        if all(any(end - STALE_AFTER <= us < end for us in at) for at in (ys, xs))
    }
    assert closed == expected


def test_a_second_waits_for_the_slower_leg() -> None:
    alignment = Alignment(STALE_AFTER)
    assert alignment.add("y", Trade(100_000, 1.0)) == []
    assert alignment.add("y", Trade(1_500_000, 2.0)) == []
    assert alignment.add("x", Trade(900_000, 7.0)) == []
    (sample,) = alignment.add("x", Trade(1_000_000, 8.0))
    assert sample == Sample(SECOND, Trade(100_000, 1.0), Trade(900_000, 7.0), ())


def test_a_trade_of_a_closed_second_is_late_and_changes_nothing() -> None:
    alignment = Alignment(STALE_AFTER)
    alignment.add("y", Trade(0, 1.0))
    alignment.add("x", Trade(0, 1.0))
    alignment.advance(2 * SECOND)
    assert alignment.add("y", Trade(SECOND, 9.0)) == []
    assert alignment.late == 1
    (sample, *_) = alignment.advance(3 * SECOND)
    assert sample.y.price == 1.0


def test_a_quiet_leg_is_stale_while_the_other_trades_and_silence_of_both_is_passed_over() -> None:
    alignment = Alignment(STALE_AFTER)
    alignment.add("x", Trade(0, 1.0))
    for second in range(8):
        alignment.add("y", Trade(second * SECOND, 1.0))
    samples = alignment.advance(3600 * SECOND)
    assert [sample.stale for sample in samples[:4]] == [(), (), (), ("x",)]
    assert len(samples) == 11  # until y itself is stale, which is said once
    assert samples[-1].stale == ("y", "x")
    alignment.add("y", Trade(7200 * SECOND, 2.0))
    assert [sample.end_us for sample in alignment.advance(7201 * SECOND)] == [7201 * SECOND]


def test_a_restored_alignment_ignores_what_was_closed_and_goes_on() -> None:
    tape = interleave(
        trades("y", list(range(0, 20 * SECOND, 300_000))),
        trades("x", list(range(0, 20 * SECOND, 700_000))),
        1,
    )
    whole = run(tape)
    cut = whole[9]
    resumed = Alignment(STALE_AFTER)
    resumed.restore(cut.end_us, cut.y, cut.x)
    again = [sample for leg, trade in tape for sample in resumed.add(leg, trade)] + resumed.advance(
        60 * SECOND
    )
    assert again == whole[10:]


@pytest.mark.parametrize("until", [0, 999_999])
def test_an_open_second_stays_open(until: int) -> None:
    alignment = Alignment(STALE_AFTER)
    alignment.add("y", Trade(0, 1.0))
    alignment.add("x", Trade(0, 1.0))
    assert alignment.advance(until) == []


def test_of_trades_of_one_instant_the_highest_id_is_the_last_whichever_comes_first() -> None:
    for order in ((7, 8), (8, 7)):
        alignment = Alignment(STALE_AFTER)
        alignment.add("x", Trade(0, 1.0))
        for trade_id in order:
            alignment.add("y", Trade(500_000, float(trade_id), trade_id))
        (sample, *_) = alignment.advance(SECOND)
        assert sample.y.price == 8.0
