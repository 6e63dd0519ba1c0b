"""The boundary of ingest: a feed on one side, the broker on the other."""

import asyncio
from contextlib import aclosing
from typing import assert_never

import structlog

from services.common import kafka
from services.common.clock import MINUTE, SECOND
from services.common.heartbeat import Pulse
from services.common.messages import Tick, encode
from services.common.topics import TICKS
from services.ingest.feeds.binance import BinanceFeed
from services.ingest.feeds.feed import Feed, Rejected, Skipped, Status
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.replay import ReplayFeed
from services.ingest.feeds.synthetic import SyntheticFeed
from services.ingest.outbox import Outbox
from services.ingest.settings import IngestSettings

# The venue's clock and ours may differ by so much.
_AHEAD_US = MINUTE

log = structlog.get_logger()


def build(settings: IngestSettings) -> Feed:
    """Return the feed that the settings name."""
    match settings.feed:
        case "live":
            return BinanceFeed(settings)
        case "replay":
            assert settings.replay_file, "the settings require a file"
            return ReplayFeed(settings.replay_file, settings.symbols, Pace(settings.speed))
        case "synthetic":
            return SyntheticFeed(
                settings.symbols, settings.seed, settings.rate, settings.history_s, Pace(settings.speed)
            )
        case never:
            assert_never(never)


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
    pulse = Pulse("ingest", feed.name)
    await kafka.wait_for_broker(settings)
    # Idempotence keeps order: the producer retries in place, and never lets a batch expire.
    async with kafka.producer(settings, enable_idempotence=True) as producer, asyncio.TaskGroup() as tasks:
        outbox = Outbox(producer.send)
        tasks.create_task(pulse.beat(outbox.send))
        await publish(feed, outbox, pulse)


async def publish(feed: Feed, outbox: Outbox, pulse: Pulse) -> None:
    """Publish the feed from its first item to its last; `pulse` gets the counts and the state."""
    counters = pulse.counters = {"ticks": 0, "skipped": 0, "dead_letters": 0}
    dead_letters = kafka.DeadLetters(outbox.send, pulse.service)
    async with aclosing(feed.stream()) as items:
        async for item in items:
            if isinstance(item, Tick) and feed.name != "synthetic":
                item = _refuse_future(item)
            match item:
                case Tick():
                    await outbox.send(TICKS.name, key=item.symbol.encode(), value=encode(item))
                    counters["ticks"] += 1
                case Skipped():
                    counters["skipped"] += 1
                case Rejected():
                    log.warning("rejected a frame", origin=item.origin, reason=item.reason)
                    source = f"feed {feed.name}"
                    await dead_letters.put(item.raw, item.reason, source=source, origin=item.origin)
                    counters["dead_letters"] = dead_letters.count
                case Status():
                    pulse.state, pulse.detail = item.state, item.detail
    await outbox.flush()
    pulse.state = "finished"
    log.info("the feed has ended", **counters)


def _refuse_future(tick: Tick) -> Tick | Rejected:
    """Return the tick, or why not: one trade dated ahead of the clock would make all that follow late."""
    ahead_us = tick.event_us - tick.received_us
    if ahead_us <= _AHEAD_US:
        return tick
    reason = f"expected a trade of the past, received one dated {ahead_us / SECOND:.0f} s ahead of the clock"
    return Rejected(encode(tick), reason, f"{tick.symbol} trade {tick.trade_id}")
