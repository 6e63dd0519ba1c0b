import random

from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.stream_analytics.alignment import Alignment, Leg, Sample
from services.stream_analytics.symbol_tape import SymbolTape
from services.stream_analytics.trades import TapeTrade

STALE_AFTER = 3 * SECOND
END = 60 * SECOND
Tape = list[tuple[Leg, TapeTrade]]
times = st.integers(0, 40 * SECOND)
legs: dict[str, st.SearchStrategy[list[int]]] = {
    "ys": st.lists(times, min_size=1, max_size=60).map(sorted),
    "xs": st.lists(times, min_size=1, max_size=60).map(sorted),
}


class Legs:
    """Two tapes and the alignment on them."""

    def __init__(self, lateness_us: int = 0) -> None:
        self.y, self.x = SymbolTape(lateness_us), SymbolTape(lateness_us)
        self.alignment = Alignment(self.y, self.x, STALE_AFTER)

    def add(self, leg: Leg, trade: TapeTrade) -> list[Sample]:
        (self.y if leg == "y" else self.x).add(trade)
        return self.close()

    def close(self) -> list[Sample]:
        """Return the seconds that both tapes have passed."""
        return list(self.alignment.close(min(self.y.closed_us, self.x.closed_us)))

    def advance(self, event_us: int) -> list[Sample]:
        """Say of both tapes that they are known until then."""
        for tape in (self.y, self.x):
            tape.follow_marks((event_us,))
        return self.close()


def run(tape: Tape, until: int = END) -> list[Sample]:
    both = Legs()
    samples = [sample for leg, trade in tape for sample in both.add(leg, trade)]
    return samples + both.advance(until)


def trades(leg: Leg, at: list[int]) -> Tape:
    return [(leg, TapeTrade(us, 1.0 + number, number)) for number, us in enumerate(at)]


def interleave(ys: Tape, xs: Tape, seed: int) -> Tape:
    """Mix two legs in any order that keeps each leg's own, as partitions do."""
    ys, xs, mixed = list(ys), list(xs), []
    choose = random.Random(seed)
    while ys or xs:
        mixed.append((ys if not xs or (ys and choose.random() < 0.5) else xs).pop(0))
    return mixed


@given(
    ys=st.lists(times, min_size=1, max_size=60),
    xs=st.lists(times, min_size=1, max_size=60),
    seeds=st.tuples(st.integers(), st.integers()),
)
def test_samples_do_not_depend_on_how_the_legs_interleave(
    ys: list[int], xs: list[int], seeds: tuple[int, int]
) -> None:
    """Not even where trades come out of order: which are late is decided by their own tape."""
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
            assert trade == TapeTrade(at[number], 1.0 + number, number)
            assert (leg in sample.stale) == (sample.end_us - at[number] > STALE_AFTER)


@given(**legs)
def test_every_second_in_which_both_legs_are_fresh_is_closed(ys: list[int], xs: list[int]) -> None:
    closed = {
        sample.end_us for sample in run(interleave(trades("y", ys), trades("x", xs), 0)) if not sample.stale
    }
    expected = {
        end
        for end in range(SECOND, END, SECOND)
        if all(any(end - STALE_AFTER <= us < end for us in at) for at in (ys, xs))
    }
    assert closed == expected


def test_a_second_waits_for_the_slower_leg() -> None:
    both = Legs()
    assert both.add("y", TapeTrade(100_000, 1.0)) == []
    assert both.add("y", TapeTrade(1_500_000, 2.0)) == []
    assert both.add("x", TapeTrade(900_000, 7.0)) == []
    (sample,) = both.add("x", TapeTrade(1_000_000, 8.0))
    assert sample == Sample(SECOND, TapeTrade(100_000, 1.0), TapeTrade(900_000, 7.0))


def test_a_second_stays_open_for_the_allowed_lateness() -> None:
    both = Legs(lateness_us=500_000)
    both.add("x", TapeTrade(0, 1.0))
    both.add("x", TapeTrade(9 * SECOND, 1.0))
    both.add("y", TapeTrade(0, 1.0))
    assert both.add("y", TapeTrade(SECOND + 499_999, 3.0, 2)) == []
    assert both.add("y", TapeTrade(SECOND - 1, 2.0, 1)) == []
    (sample,) = both.add("y", TapeTrade(SECOND + 500_000, 4.0, 3))
    assert sample.y.price == 2.0
    assert both.y.late == 0


def test_a_quiet_leg_is_stale_while_the_other_trades_and_silence_of_both_is_passed_over() -> None:
    both = Legs()
    both.add("x", TapeTrade(0, 1.0))
    for second in range(8):
        both.add("y", TapeTrade(second * SECOND, 1.0))
    samples = both.advance(3600 * SECOND)
    assert [sample.stale for sample in samples[:4]] == [(), (), (), ("x",)]
    assert len(samples) == 11  # until y itself is stale, which is said once
    assert samples[-1].stale == ("y", "x")
    both.add("y", TapeTrade(7200 * SECOND, 2.0))
    assert [sample.end_us for sample in both.advance(7201 * SECOND)] == [7201 * SECOND]


def test_seconds_at_whose_end_trades_are_missing_are_torn() -> None:
    """The last price before the gap is not the price at the end of these seconds."""
    both = Legs()
    both.add("x", TapeTrade(0, 1.0, 1))
    both.add("y", TapeTrade(0, 1.0, 1))
    both.add("y", TapeTrade(2_500_000, 2.0, 5))
    both.add("y", TapeTrade(2_700_000, 3.0, 9))  # inside one second a gap hides no close
    samples = both.advance(4 * SECOND)
    assert [(sample.end_us, sample.holes) for sample in samples] == [
        (SECOND, (("y", "missing"),)),
        (2 * SECOND, (("y", "missing"),)),
        (3 * SECOND, ()),
        (4 * SECOND, ()),
    ]


def test_a_restored_alignment_ignores_what_was_closed_and_goes_on() -> None:
    tape = interleave(
        trades("y", list(range(0, 20 * SECOND, 300_000))),
        trades("x", list(range(0, 20 * SECOND, 700_000))),
        1,
    )
    whole = run(tape)
    cut = whole[9]
    resumed = Legs()
    resumed.alignment.restore(cut.end_us, cut.y, cut.x)
    again = [sample for leg, trade in tape for sample in resumed.add(leg, trade)] + resumed.advance(END)
    assert again == whole[10:]
