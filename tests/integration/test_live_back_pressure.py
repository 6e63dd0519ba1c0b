"""Blocked broker and a live feed: memory is bounded, dropped frames are counted, gaps repaired."""

import asyncio
from collections.abc import Callable

import pytest

from services.common import clock
from services.common.codec import decode
from services.common.heartbeat import HeartbeatState
from services.common.settings import load
from services.contracts.messages import TapeEvent, Tick
from services.ingest.feeds.live import LiveFeed
from services.ingest.service import publish
from services.ingest.settings import IngestSettings
from tests.fake_venue import Market, fake_venue
from tests.publishing import FakeProducer, publisher

pytestmark = pytest.mark.integration

FRAMES = 100
LIMIT_BYTES = 20_000
BATCH_BYTES = 4_000


async def until(condition: Callable[[], object], what: str) -> None:
    deadline = asyncio.get_running_loop().time() + 30
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"expected within 30 s: {what}"
        await asyncio.sleep(0.01)


def test_what_a_waiting_publisher_makes_the_live_feed_drop_is_repaired() -> None:
    producer, heartbeat = FakeProducer(batch_bytes=BATCH_BYTES), HeartbeatState("ingest", "live")

    def ticks() -> list[Tick]:
        return [decode(value, Tick) for value in producer.values("ticks")]

    def events(*kinds: str) -> list[TapeEvent]:
        found = [decode(value, TapeEvent) for value in producer.values("tape-events")]
        return [event for event in found if event.kind in kinds]

    async def run() -> None:
        market = Market({"BTCUSDT": 400.0, "ETHUSDT": 100.0}, clock.now_us() // 1000)
        async with fake_venue(market) as venue:
            given = {
                "PAIRSTREAM_HISTORY_MINUTES": "0",
                "PAIRSTREAM_BUFFER_FRAMES": str(FRAMES),
                **venue.environment,
            }
            out = publisher(producer, limit_bytes=LIMIT_BYTES)
            feed = LiveFeed(load(IngestSettings, given))
            running = asyncio.create_task(publish(feed, out, heartbeat))
            await until(lambda: len(ticks()) > 100, "trades")

            producer.holds = True
            stopped = market.head("BTCUSDT", clock.now_us() / 1000)
            await until(lambda: market.head("BTCUSDT", clock.now_us() / 1000) > stopped + 600, "600 trades")
            # What waits is bounded: of the topic so many bytes, and what fills its partitions' batches meanwhile.
            waiting = out.lag().messages
            assert waiting is not None
            assert 50 < waiting < (LIMIT_BYTES + 4 * BATCH_BYTES) / 100
            assert len(feed._buffer) <= FRAMES
            assert out.lag().seconds is not None

            producer.holds = False
            producer.answer()
            await until(lambda: events("dropped"), "what was dropped is said")
            await until(lambda: events("gap_found"), "a gap")
            ended = ("gap_repaired", "gap_unrepaired", "gap_refuted")
            await until(
                lambda: (
                    {(event.symbol, event.first_id) for event in events("gap_found")}
                    <= {(event.symbol, event.first_id) for event in events(*ended)}
                ),
                "the end of every gap",
            )
            assert heartbeat.counters["dropped"] > 100
            assert heartbeat.counters["repaired"] > 100
            assert {event.kind for event in events(*ended)} == {"gap_repaired"}
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await out.close()
            for symbol in venue.symbols:
                ids = [tick.trade_id for tick in ticks() if tick.symbol == symbol]
                assert sorted(ids) == list(range(min(ids), max(ids) + 1))

    asyncio.run(run())
