"""kill -9 of the sink, of the database and of both, in the middle of batches: every tick is stored once.

``make faults KILLS=50`` is the proof, two kills are its short form. On TimescaleDB, whose server is not ours,
only the sink is killed.
"""

import itertools
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import psycopg
import pytest
from confluent_kafka import Producer

from services.common.clock import SECOND, from_datetime, now_us
from services.common.codec import encode
from services.contracts.messages import Tick
from services.local import run_directory
from services.local.embedded_broker import FETCH_MAX_WAIT_MS
from services.local.embedded_database import EmbeddedDatabase
from services.store import schema
from tests import builders
from tests.contract.store import assert_bars
from tests.waiting import wait_until

KILLS = int(os.environ.get("PAIRSTREAM_TEST_KILLS", "2"))
# A sink that was killed holds its partitions for six seconds more.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(120 + 60 * KILLS)]

RATE = 5_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
VICTIMS = (("sink", "database"), ("database",), ("sink",))
# The embedded broker keeps 5 MiB of a partition: more than this unread would be lost by it and not by us.
BACKLOG = 60_000


class Feed:
    """Sends ticks to the topic at RATE; one in 50 is late, one in 40 comes again as a repaired one."""

    def __init__(self, broker: str) -> None:
        self.sent: list[Tick] = []
        self.messages = 0
        self.stored = 0
        self._producer = Producer({"bootstrap.servers": broker, "linger.ms": 5})
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Feed":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        assert self._producer.flush(10) == 0

    def _run(self) -> None:
        began, began_us = time.monotonic(), now_us()
        for number in itertools.count():
            while number > (time.monotonic() - began) * RATE or self.messages - self.stored > BACKLOG:
                if self._over.wait(0.01):
                    return
            event_us = began_us + number * SECOND // RATE
            self._send(_tick(number, event_us - (120 * SECOND if number % 50 == 7 else 0)))
            if number % 40 == 39:
                again = self.sent[random.Random(number).randrange(number)]
                self._put(msgspec.structs.replace(again, repaired=True))

    def _send(self, tick: Tick) -> None:
        self.sent.append(tick)
        self._put(tick)

    def _put(self, tick: Tick) -> None:
        self._producer.produce("ticks", encode(tick), partition=SYMBOLS.index(tick.symbol))
        self._producer.poll(0)
        self.messages += 1


class Processes:
    """The sink and, if it is ours, the database; each can be killed and started again."""

    def __init__(self, broker: str, url: str, log: BinaryIO, server: EmbeddedDatabase | None = None) -> None:
        self._broker = broker
        self._url = url
        self._server = server
        self._log = log
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        if name == "sink":
            environment = {
                **os.environ,
                "PAIRSTREAM_BROKERS": self._broker,
                "PAIRSTREAM_DATABASE_URL": self._url,
                "PAIRSTREAM_FETCH_MAX_WAIT_MS": str(FETCH_MAX_WAIT_MS),
            }
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "services.sink"], env=environment, stderr=self._log
            )
            return
        assert self._server is not None
        command, log = self._server.child.command, self._log

        def answers() -> bool:
            # What its predecessor has left in memory goes only when the last of its processes has noticed.
            if name not in self._running or self._running[name].poll() is not None:
                # What a process has written outlives it: only a power cut needs fsync.
                self._running[name] = subprocess.Popen(
                    [*command.arguments, "--fsync=off", "--log_min_messages=log"],
                    user=command.user,
                    env=command.environment,
                    stderr=log,
                )
            return _query(self._server.url("postgres"), "SELECT 1") == 1  # type: ignore[union-attr]

        wait_until(answers, f"the database answers, see {log.name}", 60)

    def kill(self, name: str) -> None:
        self._running[name].kill()
        self._running[name].wait()

    def end(self) -> None:
        for process in reversed(self._running.values()):
            process.terminate()
            process.wait()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[BinaryIO]:
    """Yield the file that all processes write to."""
    with (tmp_path / "log").open("wb") as file:
        yield file


@pytest.fixture
def embedded(tmp_path: Path, broker: str, log: BinaryIO) -> Iterator[tuple[str, Processes]]:
    """Yield a database that may be killed, with the processes around it."""
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:2]:
        parent.chmod(0o755)
    with run_directory.made() as sockets:
        server = EmbeddedDatabase(tmp_path / "data", sockets, lambda *_: None)
        url = server.url("postgres")
        processes = Processes(broker, url, log, server)
        try:
            processes.start("database")
            schema.upgrade(url)
            yield url, processes
        finally:
            processes.end()


def test_kills_of_the_sink_and_the_database_lose_nothing_and_double_nothing(
    broker: str, embedded: tuple[str, Processes]
) -> None:
    url, processes = embedded
    _kill_again_and_again(broker, url, processes, VICTIMS)


@pytest.mark.parametrize("store_server", ["timescaledb"], indirect=True)
def test_kills_of_the_sink_leave_no_aggregate_behind(broker: str, store: str, log: BinaryIO) -> None:
    processes = Processes(broker, store, log)
    try:
        _kill_again_and_again(broker, store, processes, VICTIMS[2:])
    finally:
        processes.end()


def _kill_again_and_again(
    broker: str, url: str, processes: Processes, victims: tuple[tuple[str, ...], ...]
) -> None:
    chance = random.Random(1)
    processes.start("sink")
    with Feed(broker) as feed:
        for number in range(KILLS):
            before = feed.stored

            def writes(before: int = before) -> bool:
                feed.stored = max(feed.stored, _stored(url))
                return feed.stored > before

            wait_until(writes, "the sink writes", 60)
            time.sleep(chance.uniform(0, 0.4))  # anywhere in a batch
            names = victims[number % len(victims)]
            for name in names:
                processes.kill(name)
            for name in reversed(names):
                processes.start(name)
    wait_until(lambda: _stored(url) == feed.messages, "all that was sent is stored", 120)
    _assert_holds(url, feed.sent)


def _assert_holds(url: str, ticks: list[Tick]) -> None:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT symbol, trade_id, ts, price, size, repaired FROM ticks ORDER BY trade_id"
        ).fetchall()
    assert [(symbol, number, from_datetime(ts), *rest) for symbol, number, ts, *rest in rows] == [
        (one.symbol, one.trade_id, one.event_us, one.price, one.size, False) for one in ticks
    ]
    assert_bars(url, ticks)


def _stored(url: str) -> int:
    """Return how many messages the stored offsets have passed."""
    return _query(url, "SELECT coalesce(sum(next_offset), 0)::bigint FROM stream_offsets")


def _query(url: str, query: str) -> int:
    """Return a number, 0 while the database is away."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute(query).fetchone()
    except psycopg.OperationalError:
        return 0
    assert row is not None
    return int(row[0])


def _tick(number: int, event_us: int) -> Tick:
    return builders.tick(
        symbol=SYMBOLS[number % 3],
        trade_id=number,
        event_us=event_us,
        received_us=event_us + 10,
        price=100.0 + number % 11,
        size=0.5 + number % 5,
        buyer_is_maker=number % 2 == 0,
    )
