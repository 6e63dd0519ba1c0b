"""Synthetic feed: history at once, then in real time."""

import asyncio
import math
from contextlib import aclosing, suppress
from itertools import pairwise

import pytest

from services.common.clock import MINUTE, SECOND
from services.contracts.messages import Filling, TapeEvent, Tick
from services.ingest.feed import FeedStatus, Item
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.synthetic.feed import SyntheticFeed
from services.ingest.feeds.synthetic.venue import SIZE, venue
from tests.unit.ingest.fake_clock import FakeClock

SYMBOLS = ("BTCUSDT", "ETHUSDT")
START = 1_794_916_830 * SECOND


def run(
    seconds: float,
    start: int = START,
    speed: float = 1.0,
    rate: float = 20.0,
    history_s: int = 120,
    reading_s: float = 0.0,
) -> tuple[list[Item], FakeClock]:
    """Play the feed for `seconds` of event time beyond its start, to a reader who takes a while for each item."""
    clock = FakeClock(start)
    feed = SyntheticFeed(SYMBOLS, 1, rate, history_s, Pace(speed, clock.now_us, clock.sleep))

    async def collect() -> list[Item]:
        items: list[Item] = []
        stream = feed.stream()
        async for item in stream:
            if isinstance(item, Tick) and item.event_us >= start + seconds * SECOND:
                break
            items.append(item)
            clock.now += round(reading_s * SECOND)
        await stream.aclose()
        return items

    return asyncio.run(collect()), clock


def ticks(items: list[Item]) -> list[Tick]:
    return [item for item in items if isinstance(item, Tick)]


def fillings(items: list[Item]) -> list[Filling]:
    return [item.filling for item in items if isinstance(item, FeedStatus) and item.filling]


def identity(tick: Tick) -> tuple[str, int, int, float, float, bool]:
    return tick.symbol, tick.trade_id, tick.event_us, tick.price, tick.size, tick.buyer_is_maker


def test_every_symbol_of_the_market_is_listed() -> None:
    listed = asyncio.run(SyntheticFeed(SYMBOLS, 1, 20.0, 0, Pace(1.0)).listing())
    assert [one.symbol for one in listed] == list(venue(1).instruments)
    assert len(listed) == SIZE
    first = listed[0]
    assert (first.base, first.quote, first.tick_size, first.size_step) == ("BTC", "USDT", 0.1, 0.001)


def test_history_comes_at_once_and_then_it_runs_in_real_time() -> None:
    items, _ = run(60)
    at = items.index(FeedStatus("running"))
    history, after = ticks(items[:at]), ticks(items[at:])
    assert START - 120 * SECOND <= history[0].event_us <= history[-1].event_us < START
    assert {tick.received_us for tick in history} == {START}
    assert all(0 <= tick.received_us - tick.event_us <= 5_000 for tick in after)
    assert after[0].event_us >= START
    assert {tick.venue for tick in ticks(items)} == {"synthetic"}
    assert len(history) == pytest.approx(120 * 20, rel=0.2)


def test_while_history_is_played_it_is_running_and_says_how_much_has_been() -> None:
    items, _ = run(60)
    assert {item.state for item in items if isinstance(item, FeedStatus)} == {"running"}
    assert items[0] == FeedStatus("running", filling=Filling(0, 120))
    told = fillings(items)
    assert len(told) == pytest.approx(120, abs=15)
    assert [one.total_s for one in told] == [120] * len(told)
    assert [one.done_s for one in told] == sorted(one.done_s for one in told)
    assert 110 < told[-1].done_s < 120
    # What a status says has been played is what has come before it.
    for before, item in pairwise(items):
        if isinstance(item, FeedStatus) and item.filling and isinstance(before, Tick):
            assert before.event_us <= START + (item.filling.done_s - 120) * SECOND
    assert items.count(FeedStatus("running")) == 1


def test_what_trades_while_history_is_played_is_behind_too() -> None:
    """The reader takes 0.02 s for each tick: 24 s for the history, 10 s for what came meanwhile, and so on."""
    items, clock = run(60, reading_s=0.02, rate=10.0)
    at = items.index(FeedStatus("running"))
    told = fillings(items)
    assert [one.total_s for one in told] == sorted(one.total_s for one in told)
    assert told[0].total_s == 120
    # 120 s / (1 - 10 ticks/s * 0.02 s)
    assert told[-1].total_s == pytest.approx(150, abs=8)
    assert all(tick.received_us > tick.event_us for tick in ticks(items[:at]))
    first, *_ = ticks(items[at:])
    assert first.received_us == pytest.approx(first.event_us, abs=0.02 * SECOND)
    assert clock.now > START


def test_coverage_is_told_every_minute_once_the_past_is_played() -> None:
    items, _ = run(140)
    told = [item for item in items if isinstance(item, TapeEvent)]
    assert {(event.kind, event.coverage_1h, event.coverage_24h, event.missing) for event in told} == {
        ("coverage", 1.0, 1.0, 0)
    }
    assert [event.symbol for event in told] == [*SYMBOLS, *SYMBOLS]
    assert items.index(told[0]) > items.index(FeedStatus("running"))


def test_without_history_nothing_is_filled() -> None:
    items, _ = run(10, history_s=0)
    assert [item for item in items if isinstance(item, FeedStatus)] == [FeedStatus("running")]


def test_a_restart_repeats_history_and_continues_without_a_jump() -> None:
    first, _ = run(300)
    second, _ = run(30, start=START + 100 * SECOND)
    again = {(tick.symbol, tick.trade_id): identity(tick) for tick in ticks(first)}
    overlap = [tick for tick in ticks(second) if tick.event_us < START + 130 * SECOND]
    assert len(overlap) > 2000
    assert [identity(tick) for tick in overlap] == [again[tick.symbol, tick.trade_id] for tick in overlap]


@pytest.mark.parametrize("speed", [10.0, 0.5])
def test_speed_divides_the_waits(speed: float) -> None:
    _, clock = run(60, speed=speed)
    assert (clock.now - START) / SECOND == pytest.approx(60 / speed, rel=0.05)


def test_max_never_waits() -> None:
    items, clock = run(600, speed=math.inf)
    assert clock.now == START
    assert [one.total_s for one in fillings(items)] == [120] * len(fillings(items))
    after = items[items.index(FeedStatus("running")) :]
    assert min(tick.event_us for tick in ticks(after)) >= START
    assert len(ticks(items)) == pytest.approx(720 * 20, rel=0.1)


def test_a_market_without_trades_is_running_and_sleeps_a_minute_at_a_time() -> None:
    clock = FakeClock(START)

    async def sleep(seconds: float) -> None:
        if clock.now >= START + 5 * MINUTE:
            raise TimeoutError
        await clock.sleep(seconds)

    async def five_minutes() -> list[Item]:
        feed = SyntheticFeed(SYMBOLS, 1, 0.0, 900, Pace(1.0, clock.now_us, sleep))
        stream = feed.stream()
        items: list[Item] = []
        with suppress(TimeoutError):
            async for item in stream:
                items.append(item)  # noqa: PERF401
        return items

    told = asyncio.run(five_minutes())
    assert (told[0], told[-1]) == (FeedStatus("running", filling=Filling(0, 900)), FeedStatus("running"))
    assert [one.done_s for one in fillings(told)] == [0, 30, *range(90, 900, 60)]
    assert clock.slept == [30, 60, 60, 60, 60, 60]


@pytest.mark.parametrize(("speed", "is_told"), [(1.0, True), (10.0, False), (math.inf, False)])
def test_the_delivery_lag_is_of_the_present_at_the_speed_of_the_clock(speed: float, is_told: bool) -> None:
    async def read() -> None:
        clock = FakeClock(START)
        feed = SyntheticFeed(SYMBOLS, 1, 20.0, 120, Pace(speed, clock.now_us, clock.sleep))
        async with aclosing(feed.stream()) as stream:
            async for item in stream:
                if isinstance(item, Tick) and item.event_us >= START + 30 * SECOND:
                    break
        told = feed.delivery.by_symbol()
        assert set(told) == (set(SYMBOLS) if is_told else set())
        assert all(0 <= lag.p50_ms <= lag.p99_ms <= 5 for lag in told.values())

    asyncio.run(read())
