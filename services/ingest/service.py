"""Service loop of ingest: reads a feed, publishes to the broker."""

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from functools import partial
from typing import assert_never

import structlog
from msgspec import Struct

from services.common.cancellation import end
from services.common.clock import SECOND
from services.common.codec import encode
from services.common.heartbeat import HeartbeatState
from services.common.kafka import clients
from services.common.kafka.dead_letters import DeadLetters
from services.common.kafka.publisher import Publisher, publisher
from services.common.metrics import HeartbeatMetrics, published
from services.common.supervision import Supervisor
from services.contracts.listings import Listing
from services.contracts.messages import Liquidation, MarkPrice, Quote, TapeEvent, Tick, TimeMark
from services.contracts.topics import (
    LIQUIDATIONS,
    LISTINGS,
    MARK_PRICES,
    QUOTES,
    TAPE_EVENTS,
    TICKS,
    TIME_MARKS,
)
from services.ingest.feed import Counted, Feed, FeedStatus, Rejected, Skipped
from services.ingest.feeds.live import LiveFeed
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.played import PlayedFeed
from services.ingest.feeds.replay import ReplayFeed
from services.ingest.feeds.stored_replay import StoredReplayFeed
from services.ingest.feeds.synthetic.feed import SyntheticFeed
from services.ingest.ingest_health import IngestHealth
from services.ingest.settings import IngestSettings
from services.ingest.symbol_decisions import SymbolDecisions
from services.ingest.tape.stored import open_store
from services.ingest.time_marks import TimeMarks

# Messages other than ticks.
_Other = Quote | MarkPrice | Liquidation | TapeEvent | Listing | Rejected | Skipped | Counted | FeedStatus
_TOPICS: dict[type[Struct], str] = {
    Quote: QUOTES.name,
    MarkPrice: MARK_PRICES.name,
    Liquidation: LIQUIDATIONS.name,
    TapeEvent: TAPE_EVENTS.name,
}
_COUNTERS = (
    "ticks",
    "skipped",
    "dead_letters",
    "dead_letters_not_kept",
    "gaps",
    "repaired",
    "duplicates",
    "stale_streams",
    "reconnects",
    "dropped",
    "strangers",
)

log = structlog.get_logger()


def build(settings: IngestSettings) -> Feed:
    """Return the feed that the settings name."""
    match settings.feed:
        case "live":
            return LiveFeed(settings, partial(clients.is_empty, settings, TICKS))
        case "replay":
            return PlayedFeed(settings.symbols, partial(_replay, settings, Pace(settings.speed)))
        case "synthetic":
            return PlayedFeed(settings.symbols, partial(_synthetic, settings, Pace(settings.speed)))
        case never:
            assert_never(never)


def _replay(
    settings: IngestSettings, pace: Pace, symbols: tuple[str, ...], _: float
) -> ReplayFeed | StoredReplayFeed:
    if settings.replay_store is not None:
        return StoredReplayFeed(settings.history, settings.replay_store, symbols, pace)
    assert settings.replay_file, "the settings require one of both"
    return ReplayFeed(settings.replay_file, symbols, pace, settings.streams)


def _synthetic(settings: IngestSettings, pace: Pace, symbols: tuple[str, ...], share: float) -> SyntheticFeed:
    rate = None if settings.rate is None else settings.rate * share
    store = partial(open_store, settings)
    return SyntheticFeed(symbols, settings.seed, rate, settings.history_s, pace, store)


async def check(settings: IngestSettings) -> None:
    """Raise FatalError if the feed cannot work with these settings; needs no broker and starts nothing."""
    await build(settings).check()


async def serve(settings: IngestSettings) -> None:
    """Publish the feed until cancelled; a feed that ends leaves the service up.

    FatalError if the feed cannot work, or if the broker refuses for good.
    """
    feed = build(settings)
    await feed.check()
    log.info("feed", name=feed.name, symbols=",".join(settings.symbols))
    heartbeat = HeartbeatState("ingest", feed.name)
    heartbeat.declare(*_COUNTERS)
    with published(settings, heartbeat, HeartbeatMetrics(heartbeat).registry):
        await clients.wait_for_broker(settings)
        async with publisher(settings) as out:
            marks = TimeMarks(round(settings.trades_awaited_s * SECOND), in_order=feed.name == "synthetic")
            tasks = Supervisor(heartbeat.counters)
            tasks.keep("the heartbeat", lambda: heartbeat.beat(out.send))
            tasks.require("the publisher", out.run)
            decisions = SymbolDecisions(settings, out.send, heartbeat)
            tasks.keep("the reader of the symbols", decisions.follow)

            async def run_feed() -> None:
                await decisions.prepare(feed)
                await publish(feed, out, heartbeat, settings.rejected_share, marks)

            tasks.keep("the decisions on symbols", lambda: decisions.pass_on(feed))
            # What it knows of the tape is gone with it.
            tasks.require("the feed", run_feed, may_return=True)
            await tasks.run()


async def publish(
    feed: Feed,
    out: Publisher,
    heartbeat: HeartbeatState,
    rejected_share: float = 0.05,
    marks: TimeMarks | None = None,
) -> None:
    """Publish the feed from its first item to its last, keyed by symbol; `heartbeat` gets the counts and the state.

    It is degraded, whatever the feed says, while more than `rejected_share` of a minute's frames are damaged.
    """
    clock = "the recording's clock was" if feed.name == "replay" else "the local clock is"
    health = IngestHealth(heartbeat, rejected_share, out, feed.delivery, clock)
    tasks = Supervisor(heartbeat.counters)
    tasks.keep("the health check of the feed", health.watch)
    watching = asyncio.create_task(tasks.run())
    try:
        await _publish(feed, out, heartbeat, health, marks or TimeMarks())
    finally:
        await end(watching)
    await out.flush()
    health.ended()
    log.info("the feed has ended", **heartbeat.counters)


async def _publish(
    feed: Feed, out: Publisher, heartbeat: HeartbeatState, health: IngestHealth, marks: TimeMarks
) -> None:
    counters = heartbeat.counters
    dead_letters = DeadLetters(out.send, heartbeat.service, counters)
    # What is judged is the receipt that was recorded; what is published is received now.
    replay = feed if isinstance(feed, PlayedFeed) and feed.name == "replay" else None

    async def mark(found: Iterable[TimeMark]) -> None:
        for one in found:
            await out.send(TIME_MARKS.name, key=one.symbol.encode(), value=encode(one))

    async def take(item: _Other) -> None:
        match item:
            case Quote() | MarkPrice() | Liquidation() | TapeEvent():
                if isinstance(item, TapeEvent):
                    marks.event(item)
                elif isinstance(item, MarkPrice) and feed.vouches(item):
                    marks.vouch(item.symbol, item.event_us, item.received_us - item.event_us)
                if replay is not None and not isinstance(item, TapeEvent):
                    item = replay.received(item)
                topic = _TOPICS[type(item)]
                await out.send(topic, key=item.symbol.encode(), value=encode(item))
                counters[topic.replace("-", "_")] += 1
                counters["gaps"] += isinstance(item, TapeEvent) and item.kind == "gap_found"
            case Listing():
                if item.state is None:
                    health.rates.drop(item.symbol)
                await out.send(LISTINGS.name, key=item.symbol.encode(), value=encode(item))
            case Skipped():
                counters["skipped"] += 1
            case Counted(counter, times):
                counters[counter] += times
            case Rejected(raw, reason, origin):
                await dead_letters.put(raw, reason, source=f"feed {feed.name}", origin=origin)
            case FeedStatus():
                health.told(item)
            case never:
                assert_never(never)

    send, topic, count = out.send, TICKS.name, health.rates.count
    async with aclosing(feed.stream()) as items:
        async for item in items:
            if not isinstance(item, Tick):
                await take(item)
            else:
                tick, found = marks.trade(item, 0 if heartbeat.filling else item.received_us - item.event_us)
                if replay is not None:
                    tick = replay.received(tick)
                await send(topic, key=tick.symbol.encode(), value=encode(tick))
                counters["ticks"] += 1
                if tick.repaired:
                    counters["repaired"] += 1
                else:
                    count(tick.symbol, tick.price, tick.size)
                if found:
                    await mark(found)
    await mark(marks.end())
