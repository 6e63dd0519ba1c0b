"""Workers of stream_analytics on one broker, their load, and their output."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from services.common.clock import SECOND
from services.common.codec import decode, encode
from services.contracts.messages import Alert, PairConfig, Signal, Tick, TimeMark
from services.contracts.topics import ALERTS, SIGNALS, TICKS, TIME_MARKS
from services.ingest.time_marks import TimeMarks
from services.stream_analytics.corrections import Outcome
from tests.analytics import final_signals, outcomes, published, walk
from tests.broker import produce
from tests.brokers.kafka import PARTITIONS
from tests.forks import Forked
from tests.waiting import wait_until

START_US = 1_767_225_600_000_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "BNBUSDT", "ADAUSDT")
PAIRS = [f"{y}-{x}" for y, x in zip(SYMBOLS, SYMBOLS[1:] + SYMBOLS, strict=False)]
WINDOW = 30
_LEAVE_S = 10


Expected = Mapping[str, Sequence[Outcome]]


def tape(seconds: int, per_second: float = 30) -> list[Tick]:
    """Return six walking futures, `per_second` trades of all together."""
    draw = random.Random(5)
    prices = {symbol: 10.0 ** draw.uniform(0, 5) for symbol in SYMBOLS}
    return walk(prices, per_second, START_US, seconds, draw)


def expected(ticks: Sequence[Tick], ends: bool = True, window: int = WINDOW) -> Expected:
    """Return what one uninterrupted worker says of each pair."""
    return {pair: outcomes(ticks, PairConfig(pair=pair, window=window), ends) for pair in PAIRS}


def closes(said: Expected) -> int:
    """Return how many seconds of all pairs are closed."""
    return sum(map(len, said.values()))


class Load:
    """A tape on its way to the broker, as it was received, with the marks of ingest: `chunk_s` of it every `pause_s`.

    Those that end it come unless it is only a part (`ends`).
    """

    def __init__(
        self,
        servers: str,
        ticks: Sequence[Tick],
        pause_s: float,
        chunk_s: float = 2.0,
        partitions: int = PARTITIONS,
        ends: bool = True,
    ) -> None:
        self._servers = servers
        self._ticks = list(ticks)
        self._pause_s = pause_s
        self._chunk_us = round(chunk_s * SECOND)
        self._partitions = partitions
        self._ends = ends
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def wait(self) -> None:
        """Return when all is sent."""
        self._thread.join()

    def end(self) -> None:
        """Send no more."""
        self._ending.set()
        self.wait()

    def _run(self) -> None:
        marks, until_us = TimeMarks(), START_US
        while self._ticks and not self._ending.wait(self._pause_s):
            until_us += self._chunk_us
            chunk = list(takewhile(lambda tick: tick.received_us < until_us, self._ticks))  # noqa: B023
            del self._ticks[: len(chunk)]
            chunk, found = published(chunk, marks)
            found += marks.end() if self._ends and not self._ticks else []
            self._send(TICKS.name, chunk)
            self._send(TIME_MARKS.name, found)

    def _send(self, topic: str, messages: Iterable[Tick | TimeMark]) -> None:
        placed = ((encode(one), SYMBOLS.index(one.symbol) % self._partitions) for one in messages)
        produce(self._servers, topic, placed)


class Workers:
    """Processes of one group; `log` is what they write, `more` are settings beyond what all tests need."""

    def __init__(self, servers: str, log: Path, **more: object) -> None:
        self._log = log
        self._members: list[subprocess.Popen[bytes] | Forked] = []
        self._environment = {
            **os.environ,
            "PAIRSTREAM_BROKERS": servers,
            "PAIRSTREAM_LOG_FORMAT": "json",
            "PAIRSTREAM_FETCH_MAX_WAIT_MS": "100",
            "PAIRSTREAM_SESSION_TIMEOUT_S": "3",
            "PAIRSTREAM_SAVE_INTERVAL_S": "0.5",
            "PAIRSTREAM_SYMBOLS": ",".join(SYMBOLS),
            "PAIRSTREAM_PAIRS": ",".join(PAIRS),
            "PAIRSTREAM_WINDOW": str(WINDOW),
            **{f"PAIRSTREAM_{name.upper()}": str(value) for name, value in more.items()},
        }

    def join(self, *command: str) -> None:
        """Start one more, or `command` in its place."""
        with self._log.open("ab") as log:
            if command:
                started = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
                self._members.append(started)
            else:
                self._members.append(Forked("stream_analytics", self._environment, self._log))

    def kill_oldest(self) -> None:
        """End the one that has been there for longest as a power cut does."""
        oldest = self._members.pop(0)
        oldest.kill()
        oldest.wait()

    def pause_oldest(self) -> subprocess.Popen[bytes] | Forked:
        """Stop the one that has been there for longest, as a stalled machine does, and return it, now the newest."""
        oldest = self._members.pop(0)
        self._members.append(oldest)
        oldest.send_signal(signal.SIGSTOP)
        return oldest

    def oldest_leaves(self) -> None:
        """End the one that has been there for longest as the supervisor does; AssertionError unless it goes well."""
        oldest = self._members.pop(0)
        oldest.terminate()
        code = oldest.wait(_LEAVE_S)
        assert code == 0, code

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
    """What the workers have published so far: signals of closed seconds, and alerts, in the order of their topics."""

    def __init__(self, servers: str, partitions: int = PARTITIONS) -> None:
        settings = {"bootstrap.servers": servers, "group.id": "test", "enable.auto.commit": False}
        self._consumer = Consumer(settings)
        topics = (SIGNALS.name, ALERTS.name)
        self._consumer.assign([TopicPartition(name, n, 0) for name in topics for n in range(partitions)])
        self._signals: dict[tuple[str, int, int], bytes] = {}
        self._alerts: dict[str, bytes] = {}

    def close(self) -> None:
        """Read no more."""
        self._consumer.close()

    def read(self) -> None:
        """Take what has come; AssertionError if one says of the same second something else than before."""
        for message in self._consumer.consume(1_000, timeout=0.1):
            assert message.error() is None, message.error()
            value = message.value() or b""
            if message.topic() == ALERTS.name:
                known = self._alerts.setdefault(decode(value, Alert).alert_id, value)
                assert known == value, (known, value)
            elif (signal := decode(value, Signal)).closed:
                key = signal.pair, signal.event_us, signal.revision
                assert self._signals.setdefault(key, value) == value, (self._signals[key], value)

    def wait_for(self, count: int, workers: Workers, within_s: float = 45) -> None:
        """Read until so many different seconds of pairs have been closed."""

        def closed() -> int:
            self.read()
            return len(self._signals)

        wait_until(lambda: workers.are_well() and closed() >= count, f"{count} signals", within_s)

    def check(self, said: Expected) -> None:
        """AssertionError unless the bytes are those of one uninterrupted worker, of each pair in its order."""
        for pair, told in said.items():
            signals = [value for (name, *_), value in self._signals.items() if name == pair]
            assert signals == [encode(one.signal) for one in told]
            alerts = [value for value in self._alerts.values() if decode(value, Alert).pair == pair]
            assert alerts == [encode(alert) for one in told for alert in one.alerts]

    def holds(self, said: Expected) -> bool:
        """Read, and tell whether every second ends with what one uninterrupted worker says, and all of its alerts."""
        self.read()
        latest = {(name, at): value for (name, at, _), value in sorted(self._signals.items())}
        expected = {
            (pair, one.event_us): encode(one) for pair, told in said.items() for one in final_signals(told)
        }
        alerts = {alert.alert_id for told in said.values() for one in told for alert in one.alerts}
        return latest == expected and self._alerts.keys() == alerts


@contextmanager
def group(servers: str, partitions: int = PARTITIONS, **more: object) -> Iterator[tuple[Workers, Sayings]]:
    """Yield a group without members and what reads what it says; the members' log ends in stderr."""
    with tempfile.TemporaryDirectory(prefix="pairstream-workers-") as directory:
        log = Path(directory, "log")
        workers = Workers(servers, log, partitions=partitions, **more)
        sayings = Sayings(servers, partitions)
        try:
            yield workers, sayings
        finally:
            workers.kill()
            sayings.close()
            if log.exists():
                sys.stderr.write(log.read_text()[-4000:])
