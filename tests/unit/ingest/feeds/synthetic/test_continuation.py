"""Continuation of a stored tape."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import MINUTE
from services.common.errors import TransientError
from services.contracts.messages import TapeEvent, Tick
from services.ingest.feeds.synthetic.account import Account
from services.ingest.feeds.synthetic.continuation import Continuation
from services.ingest.feeds.synthetic.rates import per_minute
from services.ingest.feeds.synthetic.trades import SyntheticTrades, Trade
from services.ingest.feeds.synthetic.venue import INSTRUMENTS
from services.ingest.tape.chain import IdSpan
from services.ingest.tape.stored import Shelf

INDEX = 29_915_280
REACH_MINUTES = 4


class Store:
    """The store of one run after another, in memory; each trade once, by (symbol, event time, id)."""

    def __init__(self) -> None:
        self.ticks: dict[tuple[str, int, int], Tick] = {}
        self.is_away = False
        self.events: list[TapeEvent] = []
        """What the start of the last run said."""

    def put(self, trades: Iterable[Trade]) -> None:
        for one in trades:
            tick = one if isinstance(one, Tick) else _tick(one)
            assert self.ticks.setdefault((tick.symbol, tick.event_us, tick.trade_id), tick) == tick

    def of(self, symbol: str) -> list[Tick]:
        return [tick for (name, *_), tick in sorted(self.ticks.items()) if name == symbol]

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Store"]:
        if self.is_away:
            raise TransientError("the database is away")
        yield self

    async def edges(self, symbols: Iterable[str], start_us: int) -> list[Tick]:
        found = []
        for symbol in symbols:
            if ticks := self.of(symbol):
                found += [tick for tick in ticks if tick.event_us >= start_us][:1] + ticks[-1:]
        return found

    async def torn(self, symbols: Iterable[str], since_us: int) -> list[str]:
        return []

    async def shelf(self, symbol: str, at_us: int) -> Shelf:
        ids = [tick.trade_id for tick in self.of(symbol)]
        return Shelf([IdSpan(ids[0], ids[-1], self.of(symbol)[0].event_us, self.of(symbol)[-1].event_us)])

    async def between(self, symbols: Iterable[str], start_us: int, end_us: int) -> list[Tick]:
        found = [tick for symbol in symbols for tick in self.of(symbol) if start_us <= tick.event_us < end_us]
        return sorted(found, key=lambda tick: tick.event_us)


def _tick(trade: Trade) -> Tick:
    return Tick(
        venue="synthetic",
        symbol=trade.symbol,
        trade_id=trade.trade_id,
        event_us=trade.event_us,
        received_us=trade.event_us,
        price=trade.price,
        size=trade.size,
        buyer_is_maker=trade.buyer_is_maker,
    )


def run(
    store: Store,
    first: int,
    minutes: float,
    seed: int = 1,
    symbols: str = "BTCUSDT",
    rate: float | None = 2.0,
) -> list[Trade]:
    """Run the market from the minute `first` on; history is played from a few minutes before it."""

    async def play() -> list[Trade]:
        made = SyntheticTrades(seed, per_minute(symbols.split(","), rate, INSTRUMENTS))
        trades = Continuation(made, Account("synthetic"), store.open)
        begin = first - REACH_MINUTES
        store.events = await trades.resume(begin * MINUTE, first * MINUTE)
        count = REACH_MINUTES + int(minutes) + 1
        played = [trade for index in range(begin, begin + count) for trade in await trades.minute(index)]
        end_us = round((first + minutes) * MINUTE)
        return [trade for trade in played if trade.event_us < end_us]

    played = asyncio.run(play())
    store.put(played)
    return played


def test_a_restart_repeats_what_is_stored_and_goes_on() -> None:
    store = Store()
    first = run(store, INDEX, 2.5)
    again = run(store, INDEX + 3, 1)
    overlap = [trade for trade in first if trade.event_us >= (INDEX - 1) * MINUTE]
    assert again[: len(overlap)] == overlap
    assert len(store.of("BTCUSDT")) == 120 * (REACH_MINUTES + 4)


def test_another_symbol_changes_nothing_of_the_first() -> None:
    store = Store()
    run(store, INDEX, 1, rate=None)
    before = store.of("BTCUSDT")
    run(store, INDEX + 1, 1, symbols="ETHUSDT,BTCUSDT,SOLUSDT", rate=None)
    assert store.of("BTCUSDT")[: len(before)] == before
    assert len(store.of("BTCUSDT")) == 600 * (REACH_MINUTES + 2)


@pytest.mark.parametrize(
    "change", [{"rate": 5.0}, {"rate": 1.0}, {"seed": 2}, {"symbols": "BTCUSDT,ETHUSDT"}]
)
def test_another_tape_goes_on_after_the_stored_one(change: dict[str, float | int | str]) -> None:
    store = Store()
    run(store, INDEX, 1.5)
    before = store.of("BTCUSDT")
    played = run(store, INDEX + 2, 2, **change)  # type: ignore[arg-type]
    assert [trade.event_us for trade in played] == sorted(trade.event_us for trade in played)
    after = store.of("BTCUSDT")
    assert after[: len(before)] == before
    # The minute in which the old tape ends is left to it.
    assert after[len(before)].event_us >= (INDEX + 2) * MINUTE
    assert [tick.trade_id for tick in after] == list(
        range(before[0].trade_id, before[0].trade_id + len(after))
    )
    # What is in the reach is played again, from the store.
    assert [
        trade for trade in played if trade.event_us < (INDEX + 2) * MINUTE and trade.symbol == "BTCUSDT"
    ] == [tick for tick in before if tick.event_us >= (INDEX - 2) * MINUTE]


def test_what_traded_in_a_long_stop_is_a_gap_and_nothing_else_is() -> None:
    store = Store()
    run(store, INDEX, 1)
    assert store.events == []
    last = store.of("BTCUSDT")[-1]
    later = INDEX + 100
    run(store, later, 1)
    found, given_up = store.events
    assert (found.kind, given_up.kind, found.at_us < given_up.at_us) == ("gap_found", "gap_unrepaired", True)
    assert found.first_id == last.trade_id + 1
    # All that the tape has between the runs: 120 a minute.
    assert found.missing == (100 - REACH_MINUTES - 2) * 120 + 120
    after = next(tick for tick in store.of("BTCUSDT") if tick.trade_id > last.trade_id)
    assert (found.last_id, found.start_us) == (after.trade_id - 1, last.event_us)
    run(store, later + 1, 1)
    assert store.events == []
    # Another tape begins only now: it has no trades of the time before.
    run(store, later + 200, 1, rate=5.0)
    assert store.events == []


def test_a_market_without_trades_plays_what_is_stored() -> None:
    store = Store()
    run(store, INDEX, 1)
    played = run(store, INDEX + 1, 1, rate=0.0)
    assert played == store.of("BTCUSDT")[120:]


def test_a_store_that_is_away_is_no_reason_not_to_begin() -> None:
    store = Store()
    store.is_away = True
    assert run(store, INDEX, 1) == run(Store(), INDEX, 1)


@given(st.lists(st.tuples(st.sampled_from([1.0, 2.0, 3.0]), st.floats(0.1, 3)), min_size=2, max_size=5))
def test_whatever_rates_follow_each_other_every_minute_is_of_one_tape(
    runs: list[tuple[float, float]],
) -> None:
    """A minute has as many trades as one of the rates gives it, less what a stop has cut off, and ids have no gap."""
    store, first = Store(), INDEX
    for rate, minutes in runs:
        run(store, first, minutes, rate=rate)
        first += int(minutes) + 1
    ids = [tick.trade_id for tick in store.of("BTCUSDT")]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    times = [tick.event_us for tick in store.of("BTCUSDT")]
    assert times == sorted(times)
    counts = [sum(at // MINUTE == index for at in times) for index in range(INDEX, first)]
    assert max(counts) <= max(rate for rate, _ in runs) * 60
