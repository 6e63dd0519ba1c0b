"""stream_analytics: its rate beside an agent that does nothing, its latency, many pairs.

    python -m benchmarks.stream [rate|latency|many]

The rates are those of one worker each, on the same backlog of ticks, by the processor time they took. A
latency is from the moment the newest trade in a signal was produced to the moment the signal was read from its
topic.
"""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations
from statistics import quantiles
from typing import NamedTuple

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.common import clock
from services.common.messages import Heartbeat, Signal, Tick, decode, encode
from services.common.topics import HEARTBEATS, SIGNALS, TICKS
from services.local.broker import STREAM_FETCH_MAX_WAIT_MS, EmbeddedBroker
from tests.brokers import distribution
from tests.brokers.kafka import kafka_cluster

_RATED = ("benchmarks.stream_noop", "benchmarks.stream_worker")


def symbols(count: int) -> list[str]:
    """Return so many names."""
    return [f"S{number:02}USDT" for number in range(count)]


def pairs(names: Sequence[str], count: int) -> list[str]:
    """Return so many pairs, which use each symbol about equally often."""
    made = sorted(combinations(names, 2), key=lambda pair: names.index(pair[1]) - names.index(pair[0]))
    return [f"{y}-{x}" for y, x in made[:count]]


class Market:
    """Walking symbols, one trade after the other."""

    def __init__(self, names: Sequence[str], first_id: int = 0) -> None:
        self._draw = random.Random(1)
        self._prices = {name: 100.0 * (1 + number) for number, name in enumerate(names)}
        self._ids = dict.fromkeys(names, first_id)
        self._names = list(names)

    def tick(self, name: str, event_us: int) -> tuple[bytes, bytes]:
        """Return the key and the value of the next trade of a symbol."""
        self._ids[name] += 1
        self._prices[name] *= 1 + self._draw.gauss(0, 1e-4)
        tick = Tick(
            venue="bench",
            symbol=name,
            trade_id=self._ids[name],
            event_us=event_us,
            received_us=event_us,
            price=self._prices[name],
            size=1.0,
            buyer_is_maker=False,
        )
        return name.encode(), encode(tick)

    def any_tick(self, event_us: int) -> tuple[bytes, bytes]:
        """Return the next trade of some symbol."""
        return self.tick(self._draw.choice(self._names), event_us)


@contextmanager
def process(module: str, broker: str, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a module until the block ends."""
    environment = {
        **os.environ,
        "PAIRSTREAM_BROKERS": broker,
        "PAIRSTREAM_FETCH_MAX_WAIT_MS": str(STREAM_FETCH_MAX_WAIT_MS),
        "PAIRSTREAM_LOG_LEVEL": "warning",
        **environ,
    }
    command = [sys.executable, "-m", module]
    running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def of(names: Sequence[str], watched: Sequence[str], **more: object) -> dict[str, str]:
    """Return the variables of a worker."""
    given = {"symbols": ",".join(names), "pairs": ",".join(watched), **more}
    return {f"PAIRSTREAM_{name.upper()}": str(value) for name, value in given.items()}


async def rate(module: str, count: int = 40_000) -> float:
    """Return the ticks a second that a module reads of a backlog: 10 pairs, 1,000 ticks for a second of the tape."""
    broker, names = EmbeddedBroker(), symbols(10)
    market, start_us = Market(names), clock.now_us() - count * 1_000
    async with AIOKafkaProducer(bootstrap_servers=broker.servers, linger_ms=5) as producer:
        for number in range(count):
            key, value = market.any_tick(start_us + number * 1_000)
            await producer.send(TICKS.name, value, key=key)
        await producer.flush()
    with process(
        module, broker.servers, of(names, pairs(names, 10)) | {"BENCH_TICKS": str(count)}
    ) as running:
        assert running.stdout is not None
        line = await asyncio.to_thread(running.stdout.readline)
    return float(line)


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
        # Other work on the machine disturbs one more than the other; the best of three is disturbed least.
        rounds = [[asyncio.run(rate(module)) for module in _RATED] for _ in range(3)]
        idle, ours = map(max, zip(*rounds, strict=True))
        print(f"stream {ours:,.0f} ticks/s, an agent that does nothing {idle:,.0f}, ratio {ours / idle:.2f}")
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
