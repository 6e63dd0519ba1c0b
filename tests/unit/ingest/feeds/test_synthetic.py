"""The synthetic feed over time: history at once, then as time passes."""

import asyncio
import math

import pytest

from services.common.clock import MINUTE, SECOND
from services.common.messages import Tick
from services.ingest.feeds.feed import Item, Status
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.synthetic import SyntheticFeed
from tests.unit.ingest.fake_clock import FakeClock

SYMBOLS = ("BTCUSDT", "ETHUSDT")
START = 1_794_916_830 * SECOND


def run(
    seconds: float, start: int = START, speed: float = 1.0, rate: float = 20.0, history_s: int = 120
) -> tuple[list[Item], FakeClock]:
    """Play the feed for `seconds` of event time beyond its start."""
    clock = FakeClock(start)
    feed = SyntheticFeed(SYMBOLS, 1, rate, history_s, Pace(speed, clock.now_us, clock.sleep))

    async def collect() -> list[Item]:
        items: list[Item] = []
        stream = feed.stream()
        async for item in stream:
            if isinstance(item, Tick) and item.event_us >= start + seconds * SECOND:
                break
            items.append(item)
        await stream.aclose()
        return items

    return asyncio.run(collect()), clock


def ticks(items: list[Item]) -> list[Tick]:
    return [item for item in items if isinstance(item, Tick)]


def identity(tick: Tick) -> tuple[str, int, int, float, float, bool]:
    return tick.symbol, tick.trade_id, tick.event_us, tick.price, tick.size, tick.buyer_is_maker


def test_history_comes_at_once_and_then_it_runs_in_real_time() -> None:
    items, _ = run(60)
    [at] = [number for number, item in enumerate(items) if isinstance(item, Status)]
    assert items[at] == Status("running")
    history, after = ticks(items[:at]), ticks(items[at:])
    assert START - 120 * SECOND <= history[0].event_us <= history[-1].event_us < START
    assert {tick.received_us for tick in history} == {START}
    assert all(tick.received_us == tick.event_us >= START for tick in after)
    assert {tick.venue for tick in ticks(items)} == {"synthetic"}
    assert len(history) == pytest.approx(120 * 20, rel=0.2)


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
        items = [await anext(stream)]
        with pytest.raises(TimeoutError):
            items.append(await anext(stream))
        return items

    assert asyncio.run(five_minutes()) == [Status("running")]
    assert clock.slept == [30, 60, 60, 60, 60, 60]
