"""Sink before a frozen database or broker: it reports that, goes on in time, and loses nothing."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from services.common.codec import decode, encode
from services.contracts.messages import Heartbeat
from tests.api_process import tick
from tests.broker import produce, read_all
from tests.brokers.kafka import Cluster
from tests.fix_database import Postgres
from tests.outages import OUTAGES, frozen
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.integration
NOTICED_S = BACK_S = 5.0
# What the machine may take on top, which has others to serve.
BUSY_S = 3.0


@contextmanager
def running_sink(broker: str, url: str, **variables: str) -> Iterator[None]:
    environment = {
        **os.environ,
        "PAIRSTREAM_BROKERS": broker,
        "PAIRSTREAM_DATABASE_URL": url,
        "PAIRSTREAM_FETCH_MAX_WAIT_MS": "25",
        **variables,
    }
    process = subprocess.Popen([sys.executable, "-m", "services.sink"], env=environment)
    try:
        yield
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def send(broker: str, *numbers: int) -> None:
    produce(broker, "ticks", ((encode(tick(number)), number % 3) for number in numbers))


def wait_for_ticks(url: str, count: int, within_s: float) -> None:
    def stored() -> bool:
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT count(*) FROM ticks").fetchone() == (count,)

    wait_until(stored, f"{count} ticks are stored", within_s)


def says(broker: str, state: str, detail: str | None) -> bool:
    records = asyncio.run(read_all(broker, "heartbeats"))
    beat = max((decode(record.value, Heartbeat) for record in records), key=lambda one: one.at_us)
    return (beat.state, beat.detail) == (state, detail)


@pytest.mark.parametrize("what", ["busy", "idle"])
def test_a_frozen_database_is_noticed_and_then_nothing_is_lost(
    broker: str, database_url: str, postgres: Postgres, what: str
) -> None:
    send(broker, 1)
    with running_sink(broker, database_url):
        wait_for_ticks(database_url, 1, within_s=30)
        with frozen(postgres.pid):
            if what == "busy":
                send(broker, 2, 3)
            wait_until(
                lambda: says(broker, "degraded", "the database does not answer"),
                "the sink says what it is without",
                NOTICED_S + BUSY_S,
            )
        send(broker, 4)
        wait_for_ticks(database_url, 4 if what == "busy" else 2, BACK_S + BUSY_S)
        wait_until(lambda: says(broker, "running", None), "the sink is well again", BACK_S + BUSY_S)


def test_after_a_broker_was_away_it_is_read_on_soon(kafka: Cluster, database_url: str) -> None:
    port = free_port()

    def is_well() -> bool:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success

    with running_sink(kafka.servers, database_url, PAIRSTREAM_METRICS_PORT=str(port)):
        send(kafka.servers, 1)
        wait_for_ticks(database_url, 1, within_s=30)
        wait_until(is_well, "the sink is well")
        for number, outage in enumerate(OUTAGES, 2):
            with outage(kafka.brokers[0]):
                wait_until(lambda: not is_well(), "the sink says that the broker is away", NOTICED_S + BUSY_S)
            send(kafka.servers, number)
            wait_for_ticks(database_url, number, 2 * BACK_S + BUSY_S)
            wait_until(is_well, "the sink is well again", BACK_S + BUSY_S)
