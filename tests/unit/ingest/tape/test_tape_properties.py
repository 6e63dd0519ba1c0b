"""Laws of the tape, for any interleaving of losses, repetitions, disorder and repairs."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.clock import MINUTE, SECOND
from services.contracts.messages import TapeEvent, Tick
from services.ingest.tape.chain import IdSpan
from services.ingest.tape.tape import Tape
from tests.unit.ingest.tape.trades import START_US, SYMBOL, trade

IDS = 40


class Page(NamedTuple):
    """How REST answers: so many trades, some others among them, in some order."""

    length: int
    strays: list[int]
    order: int


class Market(NamedTuple):
    """The venue's trades by id; some ids were never issued."""

    issued: dict[int, Tick]


@st.composite
def markets(draw: st.DrawFn) -> Market:
    issued, event_us = {}, START_US
    steps = st.sampled_from([0, 1, 700_000, 20 * SECOND, 70 * SECOND, 40 * MINUTE])
    for trade_id in range(1_000, 1_000 + IDS):
        event_us += draw(steps)
        if draw(st.integers(0, 5)):
            issued[trade_id] = trade(trade_id, event_us)
    return Market(issued or {1_000: trade(1_000, event_us)})


numbers = st.integers(0, IDS - 1)
pages = st.builds(
    Page, length=st.integers(0, 8), strays=st.lists(numbers, max_size=4), order=st.integers(0, 10**6)
)
steps = st.lists(st.one_of(numbers, pages, st.just("give up")), min_size=1, max_size=80)


class Run:
    """A tape, and what has come out of it."""

    def __init__(self, market: Market) -> None:
        self.trades = list(market.issued.values())
        self.tape = Tape({SYMBOL: "binance"})
        self.published: dict[int, Tick] = {}
        self.refuted: set[int] = set()
        self.open: dict[tuple[int, int], int] = {}
        self.first, self.last = 1, 0

    def go(self, step: int | Page | str) -> None:
        if isinstance(step, int):
            tick = self.trades[step % len(self.trades)]
            self.first = self.first if self.published else tick.trade_id
            self.last = max(self.last, tick.trade_id)
            self.note(self.tape.take(tick), live=True)
        elif gaps := self.tape.oldest_gaps():
            if isinstance(step, Page):
                self.ask(step)
            else:
                self.note(self.tape.give_up(gaps[0], "enough", START_US), live=False)

    def ask(self, page: Page) -> None:
        gap = self.tape.oldest_gaps()[0]
        first_id = self.tape.first_missing(gap)
        assert first_id is not None
        answer = [tick for tick in self.trades if tick.trade_id >= first_id][: page.length]
        if answer:  # a page without its beginning would be a lie, not a fault
            answer += [self.trades[stray % len(self.trades)] for stray in page.strays]
        place = page.order % (len(answer) + 1)
        answer = answer[place:] + answer[:place]
        before = set(self.published)
        items = self.tape.repair(gap, first_id, answer, START_US)
        self.note(items, live=False)
        repaired = [item.trade_id for item in items if isinstance(item, Tick)]
        assert repaired == sorted(repaired)
        assert not before & set(repaired)

    def note(self, items: Sequence[Tick | TapeEvent], live: bool) -> None:
        for item in items:
            if isinstance(item, Tick):
                assert item.trade_id not in self.published
                assert item.repaired is not live
                self.published[item.trade_id] = item
                continue
            assert item.first_id is not None
            assert item.last_id is not None
            key = (item.first_id, item.last_id)
            if item.kind in ("gap_found", "gap_unrepaired"):
                self.open[key] = item.missing or 0
            else:
                self.open.pop(key, None)
            if item.kind == "gap_refuted":
                self.refuted |= set(range(item.first_id, item.last_id + 1)) - set(self.published)

    def missing(self) -> set[int]:
        return set(range(self.first, self.last + 1)) - set(self.published) - self.refuted

    def share(self, at_us: int, minutes: int) -> float | None:
        """Recompute coverage from every id there is."""
        first_us = (at_us // MINUTE - minutes + 1) * MINUTE
        seen = sum(tick.event_us >= first_us for tick in self.published.values())
        missing = sum(self.moment(trade_id) >= first_us for trade_id in self.missing())
        return seen / (seen + missing) if seen or missing else None

    def moment(self, trade_id: int) -> Fraction:
        low = self.published[max(one for one in self.published if one < trade_id)]
        high = self.published[min(one for one in self.published if one > trade_id)]
        place = Fraction(trade_id - low.trade_id, high.trade_id - low.trade_id)
        return low.event_us + place * (high.event_us - low.event_us)


@settings(max_examples=300, deadline=None)
@given(markets(), steps)
def test_every_id_is_published_once_or_in_the_ledger(market: Market, steps: list[int | Page | str]) -> None:
    run = Run(market)
    for step in steps:
        run.go(step)
        for tick in run.published.values():
            assert tick.event_us == market.issued[tick.trade_id].event_us
        assert not run.refuted & set(market.issued)
        in_gaps = {one for first, last in run.open for one in range(first, last + 1)}
        assert run.missing() <= in_gaps
        (coverage,) = run.tape.coverage_events(START_US)
        assert (coverage.missing or 0) == len(run.missing())


@settings(max_examples=150, deadline=None)
@given(markets(), steps, st.integers(0, 30 * 60))
def test_coverage_is_what_counting_every_id_gives(
    market: Market, steps: list[int | Page | str], minutes: int
) -> None:
    run = Run(market)
    for step in steps:
        run.go(step)
    at_us = START_US + minutes * MINUTE
    (coverage,) = run.tape.coverage_events(at_us)
    assert coverage.coverage_1h == run.share(at_us, 60)
    assert coverage.coverage_24h == run.share(at_us, 1440)


@settings(max_examples=150, deadline=None)
@given(markets(), steps)
def test_honest_pages_leave_nothing_missing(market: Market, steps: list[int | Page | str]) -> None:
    run = Run(market)
    for step in steps:
        if step != "give up":
            run.go(step)
    for _ in range(3 * IDS):
        if run.tape.oldest_gaps():
            run.ask(Page(5, [], 0))
    assert not run.missing()
    assert not run.open
    assert set(run.published) == {one for one in market.issued if run.first <= one <= run.last}


@settings(max_examples=150, deadline=None)
@given(markets(), steps, steps)
def test_a_restart_from_the_store_changes_nothing(
    market: Market, steps: list[int | Page | str], more: list[int | Page | str]
) -> None:
    run, resumed = Run(market), Run(market)
    for step in steps:
        run.go(step)
    if not run.published:
        return
    have = [IdSpan(one.trade_id, one.trade_id, one.event_us, one.event_us) for one in run.published.values()]
    gaps = [gap for ids in run.tape._symbols.values() for gap in ids.ledger.gaps]
    never_issued = [(one, one) for one in run.refuted]
    assert not resumed.tape.resume(SYMBOL, have, gaps, never_issued, at_us=START_US)
    resumed.published, resumed.refuted = dict(run.published), set(run.refuted)
    resumed.first, resumed.last = run.first, run.last
    at_us = max(tick.event_us for tick in run.published.values())
    assert resumed.tape.coverage_events(at_us) == run.tape.coverage_events(at_us)
    for step in more:
        resumed.go(step)
        assert not resumed.refuted & set(market.issued)
    (coverage,) = resumed.tape.coverage_events(at_us)
    assert (coverage.missing or 0) == len(resumed.missing())
