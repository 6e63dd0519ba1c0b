"""Recovery of 1,000 pairs with full windows of 3,600 samples on Kafka: its duration, and their size.

python -m benchmarks.stream_recovery
"""

import asyncio
import sys
import time

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.load import Market, of, pairs, process, symbols
from services.common import clock
from services.common.clock import SECOND
from services.common.codec import decode
from services.contracts.messages import LegTrade, PairConfig, Signal
from services.contracts.topics import SIGNALS, TICKS, WINDOWS
from services.stream_analytics.pair_partition import PairPartition
from services.stream_analytics.partition_assignment import partition_of
from services.stream_analytics.state_storage import Store
from tests.brokers.kafka import PARTITIONS, kafka_cluster

WINDOW = 3_600


def stored(pair: str, until_us: int, seconds: int) -> Store:
    """Return what is stored of a pair after so many seconds with one trade of each leg."""
    store: Store = {}
    partition = PairPartition(store)
    partition.configure({pair: PairConfig(pair=pair, window=WINDOW)})
    for second in range(seconds + 1):
        at_us = until_us - (seconds - second) * SECOND
        prices = 100 + second % 97 / 7, 50 + second % 89 / 9
        legs = zip(pair.split("-"), prices, strict=True)
        partition.take([LegTrade(name, at_us, second + 1, price) for name, price in legs])
    partition.save()
    return store


async def measure(servers: str, count: int = 1_000) -> tuple[float, float, int]:
    """Return the seconds from a worker's start until every pair has spoken, its memory (MB), the state (bytes)."""
    names = symbols(50)
    watched = pairs(names, count)
    store = stored(watched[0], clock.now_us() // SECOND * SECOND, WINDOW + 100)
    market = Market(names, first_id=WINDOW + 101)
    size = 0
    async with AIOKafkaProducer(bootstrap_servers=servers, linger_ms=5) as producer:
        for name in watched:
            partition = partition_of(name, PARTITIONS)
            for key, value in store.items():
                own = key.replace(watched[0].encode(), name.encode())
                await producer.send(WINDOWS.name, value, key=own, partition=partition)
                size += len(own) + len(value)
        await producer.flush()
        reader = AIOKafkaConsumer(SIGNALS.name, bootstrap_servers=servers, fetch_max_wait_ms=10)
        async with reader:
            began = time.monotonic()
            settings = of(names, watched, window=WINDOW, signal_interval_ms=60_000)
            with process("services.stream_analytics", servers, settings) as running:
                whole: set[str] = set()
                while len(whole) < count:
                    for name in names:
                        key, value = market.tick(name, clock.now_us())
                        await producer.send(TICKS.name, value, key=key)
                    for records in (await reader.getmany(timeout_ms=500)).values():
                        signals = [decode(record.value, Signal) for record in records]
                        whole |= {s.pair for s in signals if s.closed and s.samples == WINDOW}
                    assert time.monotonic() - began < 120, f"{len(whole)} of {count} pairs came back in 120 s"
                took = time.monotonic() - began
                return took, psutil.Process(running.pid).memory_info().rss / 1e6, size


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    with kafka_cluster() as cluster:
        took, memory, size = asyncio.run(measure(cluster.servers, count))
    print(
        f"stream, {count:,} pairs of {WINDOW:,} samples back after {took:.1f} s; "
        f"{memory:.0f} MB; {size / 1e6:.0f} MB of state"
    )


if __name__ == "__main__":
    main()
