"""Delivery under test: its processes, a receiver, and alerts to send."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import psycopg

from services.common import clock
from services.common.codec import encode
from services.common.kafka.publisher import partition_of_key
from services.common.settings import DatabaseSettings
from services.contracts.messages import Alert
from services.contracts.targets import Target
from services.contracts.topics import ALERTS
from services.store import database, targets
from tests.broker import produce
from tests.receivers import SECRET, Receiver
from tests.waiting import wait_until

PAIRS = ("ETHUSDT-BTCUSDT", "SOLUSDT-BTCUSDT", "XRPUSDT-BTCUSDT")


def alert(number: int, state: str = "firing", **more: Any) -> Alert:
    """Return an alert; each number is an incident of its own."""
    fields = {
        "alert_id": f"wide:{number}:{state}",
        "incident_id": f"wide:{number}",
        "rule": "wide",
        "metric": "zscore",
        "subject": PAIRS[number % len(PAIRS)],
        "event_us": clock.now_us(),
        "state": state,
        "message": f"alert {number}",
    }
    return msgspec.convert(fields | more, Alert)


class Delivery:
    """The service, its broker, its database, and a receiver."""

    def __init__(self, broker: str, url: str, taker: Receiver) -> None:
        self.broker, self.url, self.receiver = broker, url, taker
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, **variables: str) -> subprocess.Popen[bytes]:
        """Start a process of the service."""
        environment = {
            **os.environ,
            "PAIRSTREAM_BROKERS": self.broker,
            "PAIRSTREAM_DATABASE_URL": self.url,
            "PAIRSTREAM_FETCH_MAX_WAIT_MS": "25",
            "PAIRSTREAM_DELIVERY_ALLOW_PRIVATE": "127.0.0.1/32",
        }
        self.running.append(
            subprocess.Popen([sys.executable, "-m", "services.delivery"], env=environment | variables)
        )
        return self.running[-1]

    def kill(self) -> None:
        """Kill every process, as nobody should."""
        for process in self.running:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        self.running.clear()

    def put(self, name: str, path: str | None = None, **more: Any) -> None:
        """Write a target, by default a webhook at a path of the receiver."""
        body = {"id": name, "kind": "webhook", "url": self.receiver.url(path or f"/{name}"), "secret": SECRET}
        target = msgspec.convert(body | more, Target)

        async def use() -> None:
            async with database.connect(DatabaseSettings(database_url=self.url), "test") as connection:
                await targets.put(connection, target)

        asyncio.run(use())

    def send(self, *alerts: Alert) -> None:
        """Publish alerts, each on the partition of its subject."""
        for one in alerts:
            number = partition_of_key(one.subject.encode(), range(4))
            produce(self.broker, ALERTS.name, [(encode(one), number)], key=one.subject.encode())

    def rows(self, target: str, columns: str = "state") -> list[Any]:
        """Return columns of a target's deliveries, the first one first."""
        query = f"SELECT {columns} FROM deliveries WHERE target_id = %s ORDER BY ts, delivery_id"  # noqa: S608
        with psycopg.connect(self.url) as connection:
            return [row[0] if len(row) == 1 else row for row in connection.execute(query, [target])]

    def execute(self, statement: str, *values: Any) -> None:
        """Change the database behind the service's back."""
        with psycopg.connect(self.url) as connection:
            connection.execute(statement, values)

    def elapse(self, seconds: float) -> None:
        """Make it later for all that waits."""
        wait = timedelta(seconds=seconds)
        self.execute("UPDATE deliveries SET next_at = next_at - %s WHERE state = 'failed'", wait)
        self.execute("UPDATE targets SET blocked_until = blocked_until - %s", wait)

    def wait(self, target: str, states: Sequence[str]) -> None:
        """Wait until the deliveries of a target stand so."""
        wait_until(
            lambda: sorted(self.rows(target)) == sorted(states),
            f"{states} of {target}",
            within_s=60,  # a lease may have to end first
        )

    def is_ready(self, target: str) -> None:
        """Wait until a test to a target is delivered: by then the service knows it."""
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "INSERT INTO deliveries (delivery_id, target_id, kind, alert_ids, title, message)"
                " VALUES ('ready', %s, 'test', '{}', '', %s)",
                [target, b'{"kind":"test","target":"t","group":{},"alerts":[]}'],
            )
        wait_until(lambda: self.rows(target) == ["delivered"], "a test", 60)
        self.execute("DELETE FROM deliveries WHERE delivery_id = 'ready'")
        self.receiver.received.clear()
