"""Live feed: a complete tape of a venue that trades by itself and fails on command."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import pytest

from services.common import clock
from services.common.clock import MINUTE, SECOND
from services.common.settings import load
from services.contracts.messages import MarkPrice, Quote, TapeEvent, Tick
from services.ingest.feed import Counted, FeedStatus, Item, Rejected
from services.ingest.feeds import live
from services.ingest.feeds.live import LiveFeed
from services.ingest.settings import IngestSettings
from tests.fake_venue import FakeVenue, Market, fake_venue, faults

pytestmark = pytest.mark.integration


class Watch:
    """A running feed, and what it has yielded."""

    def __init__(self, venue: FakeVenue) -> None:
        self.venue = venue
        self.items: list[Item] = []
        self.reads = asyncio.Event()
        self.reads.set()

    @property
    def ticks(self) -> list[Tick]:
        return [item for item in self.items if isinstance(item, Tick)]

    def events(self, *kinds: str) -> list[TapeEvent]:
        return [item for item in self.items if isinstance(item, TapeEvent) and item.kind in kinds]

    @property
    def rejected(self) -> list[Rejected]:
        return [item for item in self.items if isinstance(item, Rejected)]

    @property
    def statuses(self) -> list[FeedStatus]:
        return [item for item in self.items if isinstance(item, FeedStatus)]

    def counted(self, counter: str) -> int:
        return sum(item.times for item in self.items if isinstance(item, Counted) and item.counter == counter)

    async def run(self, feed: LiveFeed) -> None:
        async with aclosing(feed.stream()) as items:
            async for item in items:
                self.items.append(item)
                await self.reads.wait()

    async def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = asyncio.get_running_loop().time() + 30
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, f"expected within 30 s: {what}"
            await asyncio.sleep(0.01)

    async def running(self) -> None:
        await self.until(
            lambda: all(sum(tick.symbol == name for tick in self.ticks) > 10 for name in self.venue.symbols),
            "some trades of every symbol",
        )
        assert self.statuses[-1] == FeedStatus("running")

    async def settled(self) -> None:
        """Return when every gap that was found has come to an end, and trades come again."""
        await self.until(lambda: len(self.events("gap_found")) > 0, "a gap")
        ends = ("gap_repaired", "gap_refuted", "gap_unrepaired")
        await self.until(
            lambda: (
                len({(event.symbol, event.first_id) for event in self.events("gap_found")})
                <= len({(event.symbol, event.first_id) for event in self.events(*ends)})
            ),
            "the end of every gap",
        )

    def require_complete(self) -> None:
        """Every trade from the first to the last was yielded, exactly once, in the venue's own numbers."""
        for symbol in self.venue.symbols:
            ticks = {tick.trade_id: tick for tick in self.ticks if tick.symbol == symbol}
            assert len(ticks) == sum(tick.symbol == symbol for tick in self.ticks)
            holes = {number for hole in self.venue.book.holes[symbol] for number in hole}
            assert set(ticks) == set(range(min(ticks), max(ticks) + 1)) - holes
            for trade_id, tick in ticks.items():
                expected = self.venue.book.market.trade(symbol, trade_id)
                assert (tick.price, tick.event_us) == (float(expected.price), expected.time_ms * 1000)


@asynccontextmanager
async def watching(rate: float = 200.0, past_us: int = 0, **environment: str) -> AsyncIterator[Watch]:
    market = Market({"BTCUSDT": rate, "ETHUSDT": rate / 4}, (clock.now_us() - past_us) // 1000)
    async with fake_venue(market) as venue:
        given = {"PAIRSTREAM_HISTORY_MINUTES": "0", **venue.environment, **environment}
        watch = Watch(venue)
        running = asyncio.create_task(watch.run(LiveFeed(load(IngestSettings, given))))
        try:
            yield watch
            assert not running.done(), running.exception()
            assert venue.violations == []
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def test_history_joins_the_stream_without_a_hole_or_a_double() -> None:
    async def run() -> None:
        began_us = clock.now_us()
        async with watching(40.0, past_us=10 * MINUTE, PAIRSTREAM_HISTORY_MINUTES="2") as watch:
            await watch.until(
                lambda: watch.ticks and watch.ticks[-1].event_us > began_us + SECOND, "live trades"
            )
            watch.require_complete()
            for symbol in watch.venue.symbols:
                first = next(tick for tick in watch.ticks if tick.symbol == symbol)
                assert first.event_us == pytest.approx(began_us - 2 * MINUTE, abs=SECOND)
            past = [tick.event_us for tick in watch.ticks if tick.event_us < began_us]
            assert past == sorted(past)
            assert not any(tick.repaired for tick in watch.ticks)
            assert watch.events("gap_found") == []

    asyncio.run(run())


def test_what_the_stream_skips_comes_from_rest_flagged_and_once() -> None:
    async def run() -> None:
        async with watching() as watch:
            await watch.running()
            watch.venue.inject(faults.Skip(symbol="BTCUSDT", count=50))
            await watch.settled()
            await watch.until(lambda: sum(tick.repaired for tick in watch.ticks) == 50, "50 repaired trades")
            watch.require_complete()
            assert [event.missing for event in watch.events("gap_repaired")] == [0]
            await watch.until(
                lambda: [
                    e for e in watch.events("coverage") if e.symbol == "BTCUSDT" and e.coverage_1h == 1.0
                ],
                "full coverage",
            )

    asyncio.run(run())


def test_a_reconnection_leaves_no_hole() -> None:
    async def run() -> None:
        async with watching() as watch:
            await watch.running()
            for times, fault in enumerate((faults.Drop(), faults.Drop(code=1008), faults.Drop(half=True)), 1):
                watch.venue.inject(fault)
                await watch.until(lambda: watch.statuses[-1].state == "degraded", "degraded")
                await watch.until(lambda: watch.statuses[-1] == FeedStatus("running"), "running again")
                assert watch.counted("reconnects") == times
            await watch.settled()
            watch.require_complete()
            assert {event.symbol for event in watch.events("reconnect")} == {"BTCUSDT", "ETHUSDT"}

    asyncio.run(run())


def test_a_silent_stream_is_said_to_be_stale_and_made_to_speak() -> None:
    async def run() -> None:
        async with watching(PAIRSTREAM_SILENCE_S="0.5") as watch:
            await watch.running()
            watch.venue.inject(faults.Silence(symbol="ETHUSDT"))
            await watch.until(lambda: watch.events("stream_stale"), "a stale stream")
            assert [(e.symbol, e.stream) for e in watch.events("stream_stale")] == [
                ("ETHUSDT", "ethusdt@aggTrade")
            ]
            assert watch.statuses[-1].state == "degraded"
            assert "ethusdt@aggTrade of binance has been silent for" in str(watch.statuses[-1].detail)
            await watch.until(lambda: watch.events("stream_live"), "a live stream")
            await watch.until(lambda: watch.statuses[-1] == FeedStatus("running"), "running again")
            await watch.settled()
            watch.require_complete()

    asyncio.run(run())


def test_a_planned_reconnection_misses_nothing_and_asks_rest_for_nothing() -> None:
    async def run() -> None:
        async with watching(PAIRSTREAM_RECONNECT_AFTER_S="0.5") as watch:
            await watch.until(lambda: watch.counted("reconnects") == 3, "three reconnections")
            watch.require_complete()
            assert watch.events("gap_found") == []
            assert watch.counted("duplicates") > 0
            assert all(status.state != "degraded" for status in watch.statuses)

    asyncio.run(run())


def test_what_a_full_buffer_drops_is_owned_up_to_and_repaired() -> None:
    async def run() -> None:
        async with watching(PAIRSTREAM_BUFFER_FRAMES="100") as watch:
            await watch.running()
            watch.reads.clear()
            stopped = watch.venue.book.market.head("BTCUSDT", clock.now_us() / 1000)
            await watch.until(
                lambda: watch.venue.book.market.head("BTCUSDT", clock.now_us() / 1000) > stopped + 200,
                "200 trades",
            )
            watch.reads.set()
            await watch.settled()
            watch.require_complete()
            assert watch.counted("dropped") > 50
            assert {event.symbol for event in watch.events("dropped")} == {"BTCUSDT", "ETHUSDT"}

    asyncio.run(run())


def test_damaged_frames_are_rejected_and_their_trades_repaired() -> None:
    async def run() -> None:
        damages: tuple[faults.Damage, ...] = (
            "garbage",
            "half",
            "huge",
            "no_price",
            "price_nan",
            "time_future",
        )
        async with watching() as watch:
            await watch.running()
            for number, damage in enumerate(damages, 1):
                watch.venue.inject(faults.Mangle(symbol="BTCUSDT", damage=damage, count=3))
                await watch.until(lambda: len(watch.rejected) == 3 * number, damage)  # noqa: B023
            await watch.settled()
            watch.require_complete()
            assert watch.counted("reconnects") == 0

    asyncio.run(run())


def test_repeated_and_reordered_trades_come_once() -> None:
    async def run() -> None:
        async with watching() as watch:
            await watch.running()
            watch.venue.inject(faults.Repeat(symbol="BTCUSDT", count=20))
            watch.venue.inject(faults.Reorder(symbol="ETHUSDT", count=10))
            await watch.until(lambda: watch.counted("duplicates") >= 20, "duplicates")
            await watch.settled()
            watch.require_complete()

    asyncio.run(run())


def test_the_optional_streams_come_where_they_are_wanted() -> None:
    async def run() -> None:
        async with watching(PAIRSTREAM_STREAMS="bookTicker,mark-prices") as watch:
            await watch.until(
                lambda: {type(item) for item in watch.items} >= {Tick, Quote, MarkPrice},
                "every kind",
            )
            assert len(watch.venue.listener.open) == 2

    asyncio.run(run())


def test_a_venue_that_is_away_does_not_hold_up_another(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with watching(
            PAIRSTREAM_SYMBOLS="BTCUSDT,BTCUSDT.OKX",
            PAIRSTREAM_OKX_REST_URL="http://127.0.0.1:1",
            PAIRSTREAM_OKX_WS_URL="ws://127.0.0.1:1",
        ) as watch:
            await watch.until(lambda: watch.ticks, "trades of the other venue")
            assert watch.statuses[0].state == "degraded"
            assert "http://127.0.0.1:1" in str(watch.statuses[0].detail)
            assert FeedStatus("running") not in watch.statuses

    monkeypatch.setattr(live, "_LATECOMERS_S", 0.1)
    asyncio.run(run())
