"""Ingest: cost per frame, maximum rate, and latency of a trade.

    python -m benchmarks.ingest

The steps are measured one at a time, then together: frames as the venue sends them, through parser, tape, encoder
and publisher to the embedded broker, against a bare loop that gives the same bytes to a producer of aiokafka. The
latency is that of the live feed on a venue in another process, from the receipt of a frame to the moment its tick
is handed to the publisher, and to the broker's acknowledgement.
"""

import asyncio
import gc
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from services.common import clock, logs
from services.common.codec import decode, encode
from services.common.heartbeat import HeartbeatState
from services.common.kafka import clients
from services.common.kafka.publisher import Publisher, publisher
from services.common.settings import KafkaSettings, load
from services.contracts.messages import FeedName, Tick
from services.contracts.topics import TICKS
from services.ingest.delivery_lag import DeliveryLags
from services.ingest.feed import Item
from services.ingest.feeds.live import LiveFeed
from services.ingest.service import publish
from services.ingest.settings import IngestSettings
from services.ingest.tape.tape import Tape
from services.ingest.venues.binance.frames import parse
from tests.fake_venue.__main__ import Ready
from tests.fake_venue.frames import frames, trade_stream
from tests.fake_venue.market import VENUE, Market
from tests.soak.processes import helper
from tests.soak.rig import NO_DATABASE

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
RATE = 1_000
_WARM_S = 2.0


class Costs(NamedTuple):
    """Microseconds of this process's CPU a frame."""

    parse: float
    tape: float
    encode: float
    send: float


class Rates(NamedTuple):
    """Frames a second."""

    ingest: float
    bare: float

    @property
    def ratio(self) -> float:
        """Return ingest's rate as a share of the bare loop's."""
        return self.ingest / self.bare


class Latencies(NamedTuple):
    """Milliseconds from receipt, one of each for every trade."""

    handed: list[float]
    acknowledged: list[float]


class Recorded:
    """A feed that has its frames already, and does with them what the live feed does."""

    name: FeedName = "live"

    def __init__(self, raws: Sequence[bytes]) -> None:
        self.delivery = DeliveryLags(clock.now_us)
        self._raws = raws
        self._tape = _tape()

    async def check(self) -> None:
        """Return: there is nothing to check."""

    async def stream(self) -> AsyncGenerator[Item]:
        """Yield what is on the tape because of each frame, from the first to the last."""
        for raw in self._raws:
            for event in _parsed(raw):
                items = self._tape.take(event)
                self.delivery.take(event.symbol, event.received_us, event.event_us)
                for item in items:
                    yield item


def recorded(count: int) -> list[bytes]:
    """Return frames of the combined stream of four symbols that take turns."""
    market = Market(dict.fromkeys(SYMBOLS, RATE / len(SYMBOLS)), clock.now_us() // 1000 - 3_600_000)
    trades = (
        market.trade(SYMBOLS[n % len(SYMBOLS)], market.first_id + n // len(SYMBOLS)) for n in range(count)
    )
    return [
        str(frames(trade_stream(trade.symbol), trade.frame(trade.time_ms + 5)).combined).encode()
        for trade in trades
    ]


def _tape() -> Tape:
    return Tape(dict.fromkeys(SYMBOLS, VENUE))


def _parsed(raw: bytes) -> list[Tick]:
    return [event for event in parse(raw, 0) if isinstance(event, Tick)]


def _cost(work: Callable[[], Any], count: int) -> float:
    began = time.process_time()
    work()
    return 1e6 * (time.process_time() - began) / count


async def costs(brokers: str, count: int = 100_000) -> Costs:
    """Return what each step costs."""
    raws = recorded(count)
    ticks = [tick for raw in raws for tick in _parsed(raw)]
    values = [(tick.symbol.encode(), encode(tick)) for tick in ticks]
    tape = _tape()
    gc.freeze()
    parsing = _cost(lambda: [parse(raw, 0) for raw in raws], count)
    taping = _cost(lambda: [tape.take(tick) for tick in ticks], count)
    encoding = _cost(lambda: [encode(tick) for tick in ticks], count)
    async with publisher(KafkaSettings(brokers=brokers)) as out:
        began = time.process_time()
        for key, value in values:
            await out.send(TICKS.name, key=key, value=value)
        await out.flush()
        sending = 1e6 * (time.process_time() - began) / count
    return Costs(parsing, taping, encoding, sending)


async def rates(brokers: str, count: int = 100_000) -> Rates:
    """Return how many frames a second ingest publishes, and how many messages the bare loop."""
    raws = recorded(count)
    values = [(tick.symbol.encode(), encode(tick)) for raw in raws for tick in _parsed(raw)]
    gc.freeze()
    async with clients.producer(KafkaSettings(brokers=brokers), enable_idempotence=True) as producer:
        began = time.perf_counter()
        deliveries = [await producer.send(TICKS.name, key=key, value=value) for key, value in values]
        await asyncio.gather(*deliveries)
        bare = count / (time.perf_counter() - began)
    async with publisher(KafkaSettings(brokers=brokers)) as out:
        heartbeat = HeartbeatState("ingest", "live")
        began = time.perf_counter()
        await publish(Recorded(raws), out, heartbeat)
        took_s = time.perf_counter() - began
    assert heartbeat.counters["ticks"] == count
    return Rates(count / took_s, bare)


async def latencies(brokers: str, seconds: float = 20.0) -> Latencies:
    """Return how long each trade waits at `RATE` trades a second."""
    found = Latencies([], [])
    arguments = [f"{symbol}={RATE / len(SYMBOLS):g}" for symbol in SYMBOLS]
    async with helper("tests.fake_venue", *arguments) as line:
        ready = msgspec.json.decode(line, type=Ready)
        settings = load(
            IngestSettings,
            {
                "PAIRSTREAM_BROKERS": brokers,
                "PAIRSTREAM_SYMBOLS": ",".join(SYMBOLS),
                "PAIRSTREAM_PAIRS": "-".join(SYMBOLS[:2]),
                "PAIRSTREAM_HISTORY_MINUTES": "0",
                "PAIRSTREAM_DATABASE_URL": NO_DATABASE,
                "PAIRSTREAM_BINANCE_WS_URL": f"ws://127.0.0.1:{ready.port}",
                "PAIRSTREAM_BINANCE_REST_URL": f"http://127.0.0.1:{ready.port}",
            },
        )
        from_us = clock.now_us() + round(_WARM_S * clock.SECOND)

        async with publisher(settings) as out:
            _measure(out, from_us, found)
            try:
                async with asyncio.timeout(_WARM_S + seconds):
                    await publish(LiveFeed(settings), out, HeartbeatState("ingest", "live"))
            except TimeoutError:
                return found
    raise AssertionError("expected a live feed to go on")


def _measure(out: Publisher, from_us: int, found: Latencies) -> None:
    """Note of each tick that was received after `from_us` when it is sent, and when it is acknowledged."""
    send = out.send

    async def measured(topic: str, **message: Any) -> asyncio.Future[None]:
        delivery = await send(topic, **message)
        if topic == TICKS.name and (received_us := decode(message["value"], Tick).received_us) > from_us:
            found.handed.append((clock.now_us() - received_us) / 1000)
            delivery.add_done_callback(
                lambda _: found.acknowledged.append((clock.now_us() - received_us) / 1000)
            )
        return delivery

    out.send = measured  # type: ignore[method-assign]


async def measure() -> None:
    """Print every figure."""
    logs.configure("benchmark", "warning", "console")
    async with helper("tests.soak.broker") as line:
        brokers = line.decode().strip()
        cost = await costs(brokers)
        rate = await rates(brokers)
        latency = await latencies(brokers)
    print(
        f"ingest, µs of CPU a frame: parse {cost.parse:.1f}, tape {cost.tape:.1f}, encode {cost.encode:.1f}, "
        f"send {cost.send:.1f}"
    )
    print(
        f"ingest {rate.ingest:,.0f} frames/s, bare loop {rate.bare:,.0f} messages/s, ratio {rate.ratio:.2f}"
    )
    for name, milliseconds in latency._asdict().items():
        middle, most = np.percentile(milliseconds, [50, 99])
        print(f"at {RATE:,} ticks/s from receipt to {name}: p50 {middle:.1f} ms, p99 {most:.1f} ms")


def main() -> None:
    """Print every figure."""
    asyncio.run(measure())


if __name__ == "__main__":
    main()
