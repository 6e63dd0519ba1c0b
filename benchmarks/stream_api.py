"""The API's stream: 200 WebSocket clients, some of which never read, on the embedded broker.

    python -m benchmarks.stream_api

A producer publishes 500 ticks/s of 10 symbols and 100 signals/s of 10 pairs, of which 10 are closes; every client
wants all of it. A latency is from the moment a message was handed to the producer to the moment a client had read it.
Ten clients decode and measure, the others read as fast as they can; all are in a process of their own.
"""

import asyncio
import multiprocessing
import os
import socket
import sys
import time
from multiprocessing.connection import Connection
from statistics import quantiles

import httpx
import msgspec
import psutil
from aiokafka import AIOKafkaProducer
from websockets.asyncio.client import connect

from benchmarks.load import Market, pairs, symbols
from services.common import clock
from services.common.codec import encode
from services.contracts.messages import Signal
from services.contracts.topics import SIGNALS, TICKS
from services.local.embedded_broker import FETCH_MAX_WAIT_MS, EmbeddedBroker
from tests.ports import free_port

WARM_S = 4.0
SECONDS = 12.0
SILENT = 20
MEASURING = 10
NAMES = symbols(10)
PAIRS = pairs(NAMES, 10)


class _One(msgspec.Struct):
    event_us: int


class _Message(msgspec.Struct):
    ticks: list[_One] = []
    signals: list[_One] = []


def _signal(pair: str, closed: bool) -> bytes:
    return encode(
        Signal(
            pair=pair,
            event_us=clock.now_us(),
            y_price=100.0,
            x_price=50.0,
            hedge_ratio=2.0,
            intercept=0.1,
            method="ols",
            spread=0.25,
            zscore=1.5,
            correlation=0.9,
            window=300,
            samples=300,
            quality="ok",
            closed=closed,
        )
    )


async def _publish(servers: str) -> None:
    market, number, began = Market(NAMES), 0, time.monotonic()
    async with AIOKafkaProducer(bootstrap_servers=servers, linger_ms=5) as producer:
        while (now := time.monotonic()) < began + WARM_S + SECONDS:
            while number < (now - began) * 500:
                key, value = market.any_tick(clock.now_us())
                await producer.send(TICKS.name, value, key=key)
                # 100 signals a second, ten of each pair, of which one closes.
                if number % 5 == 0:
                    turn = number // 5
                    pair = PAIRS[turn % len(PAIRS)]
                    await producer.send(SIGNALS.name, _signal(pair, turn % 100 < 10), key=pair.encode())
                number += 1
            await asyncio.sleep(0.001)


async def _read(url: str, latencies: list[float], sizes: list[int]) -> None:
    decoder = msgspec.json.Decoder(_Message)
    async with connect(url, proxy=None, compression=None, max_size=None) as stream:
        await stream.recv()
        async for text in stream:
            now_us = clock.now_us()
            sizes.append(len(text))
            message = decoder.decode(text)
            latencies += [(now_us - one.event_us) / 1e3 for one in (*message.ticks, *message.signals)]


async def _drain(port: int, query: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_upgrade(query))
    while await reader.read(1 << 16):
        pass


async def _read_all(port: int, query: str, count: int, ready: Connection) -> None:
    latencies: list[float] = []
    sizes: list[int] = []
    url = f"ws://127.0.0.1:{port}/v1/stream{query}"
    async with asyncio.TaskGroup() as tasks:
        readers = [tasks.create_task(_read(url, latencies, sizes)) for _ in range(MEASURING)]
        readers += [tasks.create_task(_drain(port, query)) for _ in range(count - MEASURING)]
        await asyncio.sleep(WARM_S)
        ready.send(None)
        await asyncio.sleep(WARM_S)
        latencies.clear()
        sizes.clear()
        began = time.monotonic()
        await asyncio.sleep(SECONDS - 1)
        took = time.monotonic() - began
        cuts = quantiles(latencies, n=100)
        ready.send((cuts[49], cuts[98], len(sizes) / took / MEASURING, sum(sizes) / len(sizes)))
        for reader in readers:
            reader.cancel()


def _readers(port: int, query: str, count: int, ready: Connection) -> None:
    asyncio.run(_read_all(port, query, count, ready))


def _upgrade(query: str) -> bytes:
    key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    head = f"GET /v1/stream{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}"
    return f"{head}\r\n\r\n".encode()


def _silent(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(_upgrade(""))
    return client


def _wait_for(url: str) -> None:
    while True:
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)


async def measure(count: int, query: str) -> str:
    """Return the figures of so many clients that read, and `SILENT` beside them that do not."""
    broker, port = EmbeddedBroker(), free_port()
    environment = {
        **os.environ,
        "PAIRSTREAM_BROKERS": broker.servers,
        "PAIRSTREAM_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "PAIRSTREAM_API_PORT": str(port),
        "PAIRSTREAM_API_CONCURRENCY": "10000",
        "PAIRSTREAM_FETCH_MAX_WAIT_MS": str(FETCH_MAX_WAIT_MS),
        "PAIRSTREAM_LOG_LEVEL": "error",
        "PAIRSTREAM_SYMBOLS": ",".join(NAMES),
        "PAIRSTREAM_PAIRS": ",".join(PAIRS),
    }
    api = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.api", env=environment)
    ours, theirs = multiprocessing.Pipe()
    try:
        await asyncio.to_thread(_wait_for, f"http://127.0.0.1:{port}")
        silent = [_silent(port) for _ in range(SILENT)]
        readers = multiprocessing.Process(target=_readers, args=(port, query, count, theirs))
        readers.start()
        await asyncio.to_thread(ours.recv)
        process = psutil.Process(api.pid)
        publishing = asyncio.create_task(_publish(broker.servers))
        await asyncio.sleep(WARM_S)
        before, began, memory = process.cpu_times(), time.monotonic(), process.memory_info().rss
        p50, p99, rate, size = await asyncio.to_thread(ours.recv)
        after, took = process.cpu_times(), time.monotonic() - began
        cpu = (after.user + after.system - before.user - before.system) / took
        await publishing
        readers.join()
        grown = (process.memory_info().rss - memory) / 1e6
        for one in silent:
            one.close()
        return (
            f"p50 {p50:.0f} ms, p99 {p99:.0f} ms; {rate:.1f} messages/s each, of {size / 1e3:.1f} kB; "
            f"{cpu:.0%} of a core, {memory / 1e6:.0f} MB and {grown:+.0f} MB"
        )
    finally:
        api.kill()
        await api.wait()


def main() -> None:
    """Print the figures."""
    for count, query in ((10, ""), (200, ""), (200, "?interval_ms=100")):
        figures = asyncio.run(measure(count, query))
        print(f"stream of the API{query}, {count} clients and {SILENT} that do not read: {figures}")


if __name__ == "__main__":
    main()
