"""stream_analytics: its rate beside an agent that does nothing, its latency, many pairs.

    python -m benchmarks.stream [rate|latency|many]

The rates are those of one worker each, on the same backlog of ticks, by the processor time they took
(market_speed/backlog.py). A latency is from the moment the newest trade in a signal was produced to the moment the
signal was read from its topic.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from statistics import quantiles
from typing import NamedTuple

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.load import Market, of, pairs, process, symbols
from benchmarks.market_speed.backlog import NOOP, OURS, Backlog
from benchmarks.market_speed.rated import beside
from services.common import clock
from services.common.codec import decode
from services.contracts.messages import Heartbeat, Signal
from services.contracts.topics import HEARTBEATS, SIGNALS, TICKS
from services.local.embedded_broker import EmbeddedBroker
from tests.brokers import distribution
from tests.brokers.kafka import kafka_cluster
from tests.fix_broker import embedded_broker


class Load(NamedTuple):
    """What a worker made of a steady load."""

    latencies_ms: list[float]
    closed_s: float
    """Closed seconds, of all pairs, a second."""
    live_s: float
    lag: int
    cpu: float
    """Of one core."""
    memory_mb: float

    def __str__(self) -> str:
        cuts = quantiles(self.latencies_ms, n=100)
        return (
            f"p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms; {self.closed_s:,.0f} closed and {self.live_s:,.0f} live "
            f"signals/s; lag at the end {self.lag} messages; {self.cpu:.0%} of a core, {self.memory_mb:.0f} MB"
        )


async def load(servers: str, names: Sequence[str], watched: Sequence[str], seconds: float) -> Load:
    """Put 1,000 ticks/s on one worker and measure the second half of it."""
    market = Market(names)
    reader = AIOKafkaConsumer(SIGNALS.name, HEARTBEATS.name, bootstrap_servers=servers, fetch_max_wait_ms=5)
    async with AIOKafkaProducer(bootstrap_servers=servers, linger_ms=5) as producer, reader:
        with process("services.stream_analytics", servers, of(names, watched)) as running:
            worker = psutil.Process(running.pid)
            for name in names:
                await producer.send_and_wait(
                    TICKS.name, market.tick(name, clock.now_us())[1], key=name.encode()
                )
            while not any(
                decode(record.value, Heartbeat).state == "running"
                for batch in (await reader.getmany(timeout_ms=500)).values()
                for record in batch
                if record.topic == HEARTBEATS.name
            ):
                pass
            sending = asyncio.create_task(_send(producer, market, 1_000, seconds))
            signals: list[tuple[Signal, int]] = []
            lag, half, before = 0, time.monotonic() + seconds / 2, worker.cpu_times()
            began = time.monotonic()
            while not sending.done():
                batches = await reader.getmany(timeout_ms=20)
                now_us = clock.now_us()
                if half and time.monotonic() > half:
                    signals, half, before, began = [], 0, worker.cpu_times(), time.monotonic()
                for topic, records in batches.items():
                    for record in records:
                        if topic.topic == HEARTBEATS.name:
                            lag = decode(record.value, Heartbeat).lag_messages or 0
                        else:
                            signals.append((decode(record.value, Signal), now_us))
            took = time.monotonic() - began
            after = worker.cpu_times()
            return Load(
                [(now_us - signal.event_us) / 1e3 for signal, now_us in signals if not signal.closed],
                sum(signal.closed for signal, _ in signals) / took,
                sum(not signal.closed for signal, _ in signals) / took,
                lag,
                (after.user + after.system - before.user - before.system) / took,
                worker.memory_info().rss / 1e6,
            )


async def _send(producer: AIOKafkaProducer, market: Market, ticks_s: int, seconds: float) -> None:
    began, sent = time.monotonic(), 0
    while (now := time.monotonic()) < began + seconds:
        while sent < (now - began) * ticks_s:
            key, value = market.any_tick(clock.now_us())
            await producer.send(TICKS.name, value, key=key)
            sent += 1
        await asyncio.sleep(0.001)


def main() -> None:
    """Print every figure, or the one named on the command line."""
    wanted = sys.argv[1:] or ["rate", "latency", "many"]
    if "rate" in wanted:
        print(beside([NOOP, OURS], "stream", embedded_broker, Backlog(parts=1), rounds=2))
    if "latency" in wanted:
        names, broker = symbols(10), EmbeddedBroker()
        result = asyncio.run(load(broker.servers, names, pairs(names, 10), 20))
        print(f"stream, 10 pairs at 1,000 ticks/s, embedded broker: {result}")
    if "many" in wanted and (reason := distribution.missing()):
        print(f"stream, 1,000 pairs: {reason}")
    elif "many" in wanted:
        names = symbols(50)
        with kafka_cluster() as cluster:
            result = asyncio.run(load(cluster.servers, names, pairs(names, 1_000), 40))
        print(f"stream, 1,000 pairs at 1,000 ticks/s, Kafka: {result}")


if __name__ == "__main__":
    main()
