"""Live feed against a fake venue on loopback."""

import asyncio
import json
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from http import HTTPStatus

import pytest
from aiokafka import AIOKafkaConsumer

from services.common import clock
from services.common.codec import decode
from services.common.errors import FatalError
from services.common.settings import load
from services.contracts.listings import Listing
from services.contracts.messages import Heartbeat, TapeEvent, Tick
from services.ingest.feed import SKIPPED, FeedStatus, Item, Rejected
from services.ingest.feeds.live import LiveFeed
from services.ingest.feeds.reachability import reachable
from services.ingest.service import check
from services.ingest.settings import IngestSettings
from tests.child import child
from tests.fake_venue import FakeVenue, fake_venue

pytestmark = pytest.mark.integration


def settings(venue: FakeVenue, symbols: str = "BTCUSDT,ETHUSDT") -> IngestSettings:
    given = {"PAIRSTREAM_SYMBOLS": symbols, "PAIRSTREAM_HISTORY_MINUTES": "0"}
    return load(IngestSettings, {**venue.environment, **given})


async def next_item(stream: AsyncGenerator[Item], wanted: Callable[[Item], bool]) -> Item:
    async with asyncio.timeout(30):
        async for item in stream:
            if wanted(item):
                return item
    raise AssertionError("the feed ended")


async def next_tick(stream: AsyncGenerator[Item]) -> Tick:
    item = await next_item(stream, lambda item: isinstance(item, Tick))
    assert isinstance(item, Tick)
    return item


def test_trades_arrive_acknowledgements_are_skipped_and_damage_is_rejected() -> None:
    async def run() -> list[Item]:
        async with fake_venue() as venue, aclosing(LiveFeed(settings(venue)).stream()) as stream:
            venue.on_connect = [venue.trade("ETHUSDT", "3400.25"), "{damaged", venue.trade("BTCUSDT")]
            async with asyncio.timeout(30):
                # What it says of the symbols is no frame.
                return [
                    await next_item(stream, lambda item: not isinstance(item, Listing | TapeEvent))
                    for _ in range(5)
                ]

    acknowledgement, tick, status, rejected, last = asyncio.run(run())
    assert (acknowledgement, status) == (SKIPPED, FeedStatus("running"))
    assert isinstance(tick, Tick)
    assert (tick.symbol, tick.price, tick.event_us) == ("ETHUSDT", 3400.25, 1_750_000_000_000_000)
    assert isinstance(rejected, Rejected)
    assert (rejected.raw, rejected.origin) == (b"{damaged", "connection 1 frame 3")
    assert isinstance(last, Tick)


def test_a_dropped_connection_is_reported_and_followed_by_another() -> None:
    async def run() -> None:
        async with fake_venue() as venue, aclosing(LiveFeed(settings(venue)).stream()) as stream:
            venue.on_connect = [venue.trade("BTCUSDT")]
            for number in range(1, 4):
                assert (await next_tick(stream)).symbol == "BTCUSDT"
                assert await next_item(stream, lambda item: isinstance(item, FeedStatus)) == FeedStatus(
                    "running"
                )
                assert venue.connections == number
                venue.drop()
                lost = await next_item(stream, lambda item: isinstance(item, FeedStatus))
                assert isinstance(lost, FeedStatus)
                assert lost.state == "degraded"
                assert "expected a connection to ws://127.0.0.1" in str(lost.detail)
                venue.on_connect = [venue.trade("BTCUSDT")]

    asyncio.run(run())


def test_an_unknown_symbol_is_named_with_its_nearest() -> None:
    async def run(symbols: str) -> None:
        async with fake_venue(BTCUSDT="TRADING", ETHUSDT="TRADING", LUNAUSDT="SETTLING") as venue:
            with pytest.raises(FatalError, match=complaint):
                await check(settings(venue, symbols))
            with pytest.raises(FatalError, match=complaint):
                await reachable(settings(venue, symbols), 5)
            assert venue.connections == 0

    complaint = r"received BTCUSTD, which it does not have; did you mean BTCUSDT\?"
    asyncio.run(run("ETHUSDT,BTCUSTD"))
    complaint = r"received QQQQQQ, which it does not have$"
    asyncio.run(run("QQQQQQ"))
    complaint = "LUNAUSDT, which is SETTLING"
    asyncio.run(run("LUNAUSDT"))


def test_a_venue_that_is_away_at_start_is_waited_for_and_its_wish_to_be_left_alone_obeyed() -> None:
    slept: list[float] = []

    async def run() -> None:
        async with fake_venue() as venue:

            async def sleep(seconds: float) -> None:
                slept.append(seconds)
                await asyncio.sleep(seconds)
                if len(slept) == 2:
                    venue.rest_status, venue.rest_headers = HTTPStatus.OK, {}
                else:
                    venue.rest_status = HTTPStatus.TOO_MANY_REQUESTS
                    venue.rest_headers = {"Retry-After": "1"}

            venue.rest_status = HTTPStatus.SERVICE_UNAVAILABLE
            venue.on_connect = [venue.trade("BTCUSDT")]
            feed = LiveFeed(settings(venue), sleep=sleep)
            await feed.check()
            async with aclosing(feed.stream()) as stream:
                first, second = await anext(stream), await anext(stream)
                assert isinstance(first, FeedStatus)
                assert isinstance(second, FeedStatus)
                assert "503 Service Unavailable" in str(first.detail)
                assert "429 Too Many Requests" in str(second.detail)
                await next_tick(stream)
            assert venue.listings == 4

    asyncio.run(run())
    assert slept[0] < 1
    assert slept[1] >= 1


def test_reachable_wants_a_trade() -> None:
    async def run() -> tuple[str | None, ...]:
        async with fake_venue() as venue:
            silent = await reachable(settings(venue), 0.5)
            venue.on_connect = [venue.trade("BTCUSDT")]
            good = await reachable(settings(venue), 5)
            venue.rest_status = HTTPStatus.FORBIDDEN
            forbidden = await reachable(settings(venue), 5)
        return silent, good, forbidden, await reachable(settings(venue), 5)

    silent, good, forbidden, away = asyncio.run(run())
    assert good is None
    assert "expected a trade from ws://127.0.0.1" in str(silent)
    assert "403 Forbidden" in str(forbidden)
    assert "received none" in str(away)


def test_the_service_publishes_says_so_and_stops(broker: str) -> None:
    async def run() -> None:
        async with fake_venue() as venue:
            now_ms = clock.now_us() // 1000
            trades = [venue.trade(symbol, time_ms=now_ms) for symbol in venue.symbols]
            venue.on_connect = ["{damaged", *trades]
            consumer = AIOKafkaConsumer(
                *("ticks", "heartbeats", "dead-letters"),
                bootstrap_servers=broker,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=25,
            )
            ticks: dict[bytes, Tick] = {}
            letters, beat = 0, None
            async with child("services.ingest", **venue.environment, PAIRSTREAM_BROKERS=broker) as process:
                async with asyncio.timeout(30), consumer:
                    while not (
                        len(ticks) == 2
                        and letters
                        and beat
                        and (beat.state, beat.counters["ticks"]) == ("running", 2)
                    ):
                        message = await anext(consumer)
                        if message.topic == "ticks":
                            ticks[message.key] = decode(message.value, Tick)
                        elif message.topic == "dead-letters":
                            letters += 1
                            assert message.value == b"{damaged"
                        else:
                            beat = decode(message.value, Heartbeat)
                assert {key.decode(): tick.symbol for key, tick in ticks.items()} == {
                    s: s for s in venue.symbols
                }
                assert (beat.service, beat.feed, beat.state) == ("ingest", "live", "running")
                counted = {counter: times for counter, times in beat.counters.items() if times}
                assert counted == {
                    "ticks": 2,
                    "skipped": 1,
                    "dead_letters": 1,
                    "duplicates": 2,
                    "tape_events": 2,
                }
                process.send_signal(signal.SIGTERM)
                assert process.stderr is not None
                async with asyncio.timeout(30):
                    logged = [json.loads(line) async for line in process.stderr]
                    assert await process.wait() == 0
                assert [line["name"] for line in logged if line["event"] == "feed"] == ["live"]

    asyncio.run(run())


def test_the_service_refuses_an_unknown_symbol_with_one_line() -> None:
    async def run() -> tuple[int | None, bytes]:
        async with (
            fake_venue() as venue,
            asyncio.timeout(30),
            child("services.ingest", **venue.environment | {"PAIRSTREAM_SYMBOLS": "BTCUSTD"}) as process,
        ):
            _, said = await process.communicate()
            return process.returncode, said

    code, said = asyncio.run(run())
    assert code == 1
    assert said.count(b"\n") == 1
    assert said.startswith(b"ingest: PAIRSTREAM_SYMBOLS: expected symbols that Binance")
