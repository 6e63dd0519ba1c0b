"""History before the stream, and the join of both."""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager

from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.clock import HOUR, SECOND
from services.common.errors import TransientError
from services.contracts.messages import TapeEvent, Tick
from services.ingest.tape.chain import IdSpan
from services.ingest.tape.history import HistoryLoader
from services.ingest.tape.repair import Repairer
from services.ingest.tape.stored import Shelf, StoredTape
from services.ingest.tape.tape import Tape
from services.ingest.venues.rest import GoneError, VenueBusyError
from tests.unit.ingest.tape.trades import Answer, Patience, StubVenue, gap_events, ids, trade, trades

A, B = "AUSDT", "BUSDT"
REACH_S = 600.0


class StubStore:
    """Holds the trades that an earlier run has stored."""

    def __init__(self, ticks: Iterable[Tick], away: bool = False) -> None:
        self.stored = list(ticks)
        self.away = away
        self.closed = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[StoredTape]:
        if self.away:
            raise TransientError("no database")
        try:
            yield self
        finally:
            self.closed = True

    async def shelf(self, symbol: str, at_us: int) -> Shelf:
        mine = [tick for tick in self.stored if tick.symbol == symbol]
        return Shelf([IdSpan(one.trade_id, one.trade_id, one.event_us, one.event_us) for one in mine])

    async def ticks(self, symbol: str, start_us: int) -> AsyncGenerator[Tick]:
        for tick in self.stored:
            if tick.symbol == symbol and tick.event_us >= start_us:
                yield tick


class Start:
    """A start of ingest at the time of trade 3000: one trade a second and symbol, until `known`."""

    def __init__(self, *symbols: str, store: StubStore | None = None, known: int = 3_000) -> None:
        ticks = [tick for symbol in symbols for tick in trades(range(1, known + 1), symbol=symbol)]
        self.venue = StubVenue(ticks, page=100)
        self.tape = Tape(dict.fromkeys(symbols, "binance"))
        self.clock = Patience(trade(3_000).event_us)
        self.history = HistoryLoader(
            self.tape,
            dict.fromkeys(symbols, self.venue.venue()),
            REACH_S,
            store.open if store else None,
            60.0,
            self.clock.now_us,
            self.clock.sleep,
        )

    def items(self, republish: bool = False) -> list[Tick | TapeEvent]:
        async def run() -> list[Tick | TapeEvent]:
            async with aclosing(self.history.items(republish)) as items:
                return [item async for item in items]

        return asyncio.run(run())


def of(symbol: str, items: Iterable[object]) -> list[int]:
    return ids(item for item in items if isinstance(item, Tick) and item.symbol == symbol)


def test_the_last_minutes_come_in_order_of_time_over_the_symbols() -> None:
    start = Start(A, B)
    items = start.items()
    assert of(A, items) == of(B, items) == [*range(2_400, 3_001)]
    times = [item.event_us for item in items if isinstance(item, Tick)]
    assert times == sorted(times)
    assert not any(item.repaired for item in items if isinstance(item, Tick))
    assert ids(start.tape.take(trade(3_000, symbol=A))) == []
    assert ids(start.tape.take(trade(3_001, symbol=A))) == [3_001]


def test_only_what_the_store_lacks_is_asked_for() -> None:
    start = Start(A, store=StubStore(trades(range(2_000, 2_951), symbol=A)))
    assert ids(start.items()) == [*range(2_951, 3_001)]
    assert start.venue.asked[0] == (A, 2_951)


def test_holes_of_earlier_runs_are_gaps() -> None:
    start = Start(A, store=StubStore(trades(range(2_000, 2_500), range(2_510, 3_001), symbol=A)))
    assert gap_events(start.items()) == [("gap_found", 2_500, 2_509, 10)]


def test_a_long_absence_is_a_gap_up_to_where_history_begins() -> None:
    start = Start(A, store=StubStore(trades(range(900, 1_000), symbol=A)))
    items = start.items()
    assert gap_events(items) == [("gap_found", 1_000, 2_399, 1_400)]
    assert ids(items) == [*range(2_400, 3_001)]


def test_a_broker_that_lost_its_ticks_gets_the_stored_ones_again() -> None:
    start = Start(A, B, store=StubStore(trades(range(2_000, 2_951), symbol=A)))
    items = start.items(republish=True)
    assert of(A, items) == of(B, items) == [*range(2_400, 3_001)]
    assert [one for one in start.venue.asked if one[0] == A] == [(A, 2_951)]
    times = [item.event_us for item in items if isinstance(item, Tick)]
    assert times == sorted(times)


def test_without_the_store_all_is_asked_of_the_venue() -> None:
    start = Start(A, store=StubStore([], away=True))
    assert ids(start.items(republish=True)) == [*range(2_400, 3_001)]


def test_whoever_stops_early_leaves_nothing_open() -> None:
    store = StubStore(trades(range(2_000, 2_951), symbol=A))
    start = Start(A, B, store=store)

    async def run() -> None:
        async with aclosing(start.history.items(republish=True)) as items:
            assert await anext(items) == trade(2_400, symbol=A)

    asyncio.run(run())
    assert store.closed


def test_a_symbol_without_trades_has_no_history() -> None:
    start = Start(A, known=0)
    assert start.items() == []
    assert start.tape.reached(A) is None


def test_a_venue_that_stumbles_is_asked_again() -> None:
    start = Start(A)
    start.venue.answer = lambda *_: TransientError("500") if len(start.venue.asked) % 3 else None
    assert ids(start.items()) == [*range(2_400, 3_001)]


def test_patience_ends_and_the_rest_is_a_gap() -> None:
    start = Start(A, B)

    def answer(symbol: str, first_id: int) -> Answer | None:
        return TransientError("500") if symbol == A and first_id >= 2_500 else None

    start.venue.answer = answer
    items = start.items()
    assert of(A, items) == [*range(2_400, 2_500)]
    assert of(B, items) == [*range(2_400, 3_001)]
    assert 15 < (start.clock.now - trade(3_000).event_us) / SECOND < 31
    assert gap_events(start.tape.take(trade(3_010, symbol=A))) == [("gap_found", 2_500, 3_009, 510)]


def test_history_that_takes_too_long_goes_on_beside_the_stream() -> None:
    start = Start(A, B)

    def answer(symbol: str, first_id: int) -> Answer | None:
        start.clock.now += 10 * SECOND
        return None

    start.venue.answer = answer
    items = start.items()
    assert len(start.venue.asked) == 6
    assert of(A, items) == of(B, items) == [*range(2_400, 2_800)]


def test_a_venue_that_says_nothing_leaves_a_tape_that_starts_with_the_stream() -> None:
    start = Start(A)

    async def since(symbol: str, start_us: int) -> list[Tick]:
        raise TransientError("away")

    start.venue.since = since  # type: ignore[method-assign]
    assert start.items() == []
    assert start.tape.take(trade(3_010, symbol=A)) == [trade(3_010, symbol=A)]


def test_a_page_of_other_trades_ends_history() -> None:
    start = Start(A)
    start.venue.answer = lambda *_: trades(1, 2, symbol=A)
    assert ids(start.items()) == [*range(2_400, 2_500)]


def test_history_that_is_gone_is_a_gap() -> None:
    start = Start(A)
    start.venue.answer = lambda *_: GoneError("no")
    assert ids(start.items()) == [*range(2_400, 2_500)]
    (event, _) = start.tape.take(trade(3_010, symbol=A))
    assert gap_events([event]) == [("gap_found", 2_500, 3_009, 510)]


def test_a_first_trade_after_where_history_begins_leaves_no_gap() -> None:
    start = Start(A)
    start.venue.known = [tick for tick in start.venue.known if tick.trade_id > 2_700]
    assert ids(start.items()) == [*range(2_701, 3_001)]


def test_only_what_follows_the_first_page_is_refused_when_the_budget_is_used_up() -> None:
    start = Start(A, B)
    patience: list[float] = []
    known_since = start.venue.since

    async def since(symbol: str, start_us: int) -> list[Tick]:
        patience.append(start.venue.patience_s)
        return await known_since(symbol, start_us)

    def answer(symbol: str, first_id: int) -> Answer | None:
        patience.append(start.venue.patience_s)
        return VenueBusyError("allows the next request in 50 s", 50) if len(patience) > 3 else None

    start.venue.since = since  # type: ignore[method-assign]
    start.venue.answer = answer
    items = start.items()
    assert patience == [math.inf, math.inf, 30, 30, 30]
    assert (of(A, items), of(B, items)) == ([*range(2_400, 2_600)], [*range(2_400, 2_500)])
    assert start.clock.slept == []
    assert start.venue.patience_s == math.inf
    assert gap_events(start.tape.take(trade(3_010, symbol=B))) == [("gap_found", 2_500, 3_009, 510)]


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(2_300, 2_999)), st.integers(2_350, 3_000), st.integers(0, 60), st.booleans())
def test_store_history_and_stream_join_without_a_hole_or_a_double(
    lost: set[int], stop: int, overlap: int, republish: bool
) -> None:
    stored = [tick for tick in trades(range(2_300, stop), symbol=A) if tick.trade_id not in lost]
    start = Start(A, store=StubStore(stored), known=3_100)
    start.venue.known = [tick for tick in start.venue.known if tick.trade_id <= 3_000]
    items = start.items(republish)
    live = [
        item for tick in trades(range(3_001 - overlap, 3_101), symbol=A) for item in start.tape.take(tick)
    ]
    start.venue.known = trades(range(1, 3_101), symbol=A)

    async def repair() -> None:
        repairer = Repairer(start.tape, start.venue.venue(), start.clock.now_us, start.clock.sleep)
        async with aclosing(repairer.batches()) as batches:
            while start.tape.oldest_gaps():
                live.extend(await anext(batches))

    start.clock.now += HOUR
    asyncio.run(repair())
    published = ids([*items, *live])
    assert len(published) == len(set(published))
    have = {tick.trade_id for tick in stored}
    if republish:
        window = {one for one in have if one >= 2_400}
        assert window <= set(published)
        have -= window
    first = min(have | set(published))
    assert have | set(published) == {*range(first, 3_101)}
    assert not have & set(published)
    assert first <= 2_400
