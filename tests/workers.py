"""Several workers of stream_analytics on one broker, the load they are under, and what they say."""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from services.common.clock import SECOND
from services.common.messages import Alert, PairConfig, Signal, Tick, TimeMark, decode, encode
from services.common.topics import ALERTS, SIGNALS, TICKS, TIME_MARKS
from services.ingest.time_marks import TimeMarks
from tests.analytics import walk
from tests.broker import produce
from tests.brokers.kafka import PARTITIONS
from tests.waiting import wait_until

START_US = 1_767_225_600_000_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "BNBUSDT", "ADAUSDT")
PAIRS = [PairConfig(pair=f"{y}-{x}", window=30) for y, x in zip(SYMBOLS, SYMBOLS[1:] + SYMBOLS, strict=False)]
_CHUNK_US = 2 * SECOND
_LEAVE_S = 10


def tape(seconds: int) -> list[Tick]:
    """Return six walking futures, some 30 trades a second together."""
    draw = random.Random(5)
    return walk({symbol: 10.0 ** draw.uniform(0, 5) for symbol in SYMBOLS}, 30, START_US, seconds, draw)


class Load:
    """A tape on its way to the broker, with the marks of ingest: two seconds of it every `pause_s`."""

    def __init__(self, servers: str, ticks: Sequence[Tick], pause_s: float) -> None:
        self._servers = servers
        self._ticks = list(ticks)
        self._pause_s = pause_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        """Send no more."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        marks, until_us = TimeMarks(), START_US
        while self._ticks and not self._ending.wait(self._pause_s):
            until_us += _CHUNK_US
            chunk = [tick for tick in self._ticks if tick.event_us < until_us]
            del self._ticks[: len(chunk)]
            found = [mark for tick in chunk for mark in marks.trade(tick)]
            found += [] if self._ticks else marks.end()
            self._send(TICKS.name, chunk)
            self._send(TIME_MARKS.name, found)

    def _send(self, topic: str, messages: Iterable[Tick | TimeMark]) -> None:
        placed = ((encode(one), SYMBOLS.index(one.symbol) % PARTITIONS) for one in messages)
        produce(self._servers, topic, placed)


class Workers:
    """Processes of one group; `log` is what they write."""

    def __init__(self, servers: str, log: Path) -> None:
        self._log = log
        self._members: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **os.environ,
            "PAIRSTREAM_BROKERS": servers,
            "PAIRSTREAM_LOG_FORMAT": "json",
            "PAIRSTREAM_FETCH_MAX_WAIT_MS": "100",
            "PAIRSTREAM_PARTITIONS": str(PARTITIONS),
            "PAIRSTREAM_SESSION_TIMEOUT_S": "3",
            "PAIRSTREAM_SAVE_INTERVAL_S": "0.5",
            "PAIRSTREAM_SYMBOLS": ",".join(SYMBOLS),
            "PAIRSTREAM_PAIRS": ",".join(config.pair for config in PAIRS),
            "PAIRSTREAM_WINDOW": str(PAIRS[0].window),
        }

    def join(self) -> None:
        """Start one more."""
        command = [sys.executable, "-m", "services.stream_analytics"]
        with self._log.open("ab") as log:
            self._members.append(subprocess.Popen(command, env=self._environment, stdout=log, stderr=log))

    def kill_oldest(self) -> None:
        """End the one that has been there for longest as a power cut does."""
        oldest = self._members.pop(0)
        oldest.kill()
        oldest.wait()

    def oldest_leaves(self) -> None:
        """End the one that has been there for longest as the supervisor does; AssertionError unless it goes well."""
        oldest = self._members.pop(0)
        oldest.terminate()
        assert oldest.wait(_LEAVE_S) == 0

    def are_well(self) -> bool:
        """Return true; AssertionError if one has ended by itself."""
        codes = [code for member in self._members if (code := member.poll()) is not None]
        assert not codes, f"expected the workers to run, they ended with {codes}"
        return True

    def kill(self) -> None:
        """End them all."""
        while self._members:
            self.kill_oldest()


class Sayings:
    """What the workers have published so far, repeated or not: signals of closed seconds, and alerts."""

    def __init__(self, servers: str) -> None:
        settings = {"bootstrap.servers": servers, "group.id": "test", "enable.auto.commit": False}
        self._consumer = Consumer(settings)
        topics = (SIGNALS.name, ALERTS.name)
        self._consumer.assign([TopicPartition(name, n, 0) for name in topics for n in range(PARTITIONS)])
        self.signals: list[Signal] = []
        self.alerts: list[Alert] = []

    def close(self) -> None:
        """Read no more."""
        self._consumer.close()

    def read(self) -> None:
        """Take what has come."""
        for message in self._consumer.consume(1_000, timeout=0.1):
            assert message.error() is None, message.error()
            if message.topic() == ALERTS.name:
                self.alerts.append(decode(message.value(), Alert))
            elif (signal := decode(message.value(), Signal)).closed:
                self.signals.append(signal)

    def wait_for(self, count: int, workers: Workers, within_s: float = 45) -> None:
        """Read until so many different seconds of pairs have been closed."""

        def closed() -> int:
            self.read()
            return len({(signal.pair, signal.event_us) for signal in self.signals})

        wait_until(lambda: workers.are_well() and closed() >= count, f"{count} signals", within_s)
