"""``python -m tests.chaos --minutes 3``: two of each service among random faults; exit code 1 if a number is wrong.

Trades come at 500 a second, of six symbols and ten pairs, on Kafka and PostgreSQL, and 50 more a second of a venue that
ingest reads. Every few seconds something is killed, ended, paused for 5 to 30 s or cut off: services, ingest and
dashboard among them, broker, database, network. In the end the store, two clients of streams and a reader of the topics
must hold what one uninterrupted worker says, the store every trade of the venue, and the dashboard must read its API.
"""

import argparse
import math
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from confluent_kafka import Producer
from msgspec import structs

from services.common.clock import SECOND
from services.common.codec import encode
from services.contracts.messages import Tick, TimeMark
from services.contracts.topics import TICKS, TIME_MARKS
from services.ingest.time_marks import TimeMarks
from services.local import run_directory
from services.local.embedded_database import EmbeddedDatabase
from services.store import schema
from tests.brokers.kafka import kafka_cluster
from tests.chaos.actors import Actor, Database, Kafka, Network, Service
from tests.chaos.venue import LiveVenue, of_dashboard
from tests.chaos.verdicts import ALL_PAIRS, WINDOW, complaints, expected_of, settled
from tests.chaos.witnesses import StreamClient, TopicReader
from tests.ports import free_port
from tests.workers import START_US, SYMBOLS, tape

RATE = 500
_CALM_S = 15.0
_SETTLE_S = 120.0
_NEWS_S = 30.0

_WORDS = {signal.SIGKILL: "killed", signal.SIGTERM: "ended"}


class Load(threading.Thread):
    """A tape on its way to the broker as time passes, by a producer that gives nothing up."""

    def __init__(self, servers: str, ticks: list[Tick]) -> None:
        super().__init__(daemon=True)
        self._ticks = ticks
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "enable.idempotence": True,
                "linger.ms": 5,
                "log_level": 0,
                "message.timeout.ms": 0,
                "partitioner": "murmur2_random",
                "queue.buffering.max.messages": 1_000_000,
            }
        )

    def run(self) -> None:
        """Send it all."""
        marks, began_s = TimeMarks(), time.monotonic()
        for tick in self._ticks:
            due_s = began_s + (tick.event_us - START_US) / SECOND
            while (left_s := due_s - time.monotonic()) > 0.002:
                self._producer.poll(min(left_s, 0.05))
            told, found = marks.trade(tick, 0)
            self._send(TICKS.name, told)
            for mark in found:
                self._send(TIME_MARKS.name, mark)
        for mark in marks.end():
            self._send(TIME_MARKS.name, mark)
        self._producer.flush()

    def _send(self, topic: str, message: Tick | TimeMark) -> None:
        self._producer.produce(topic, encode(message), key=message.symbol)


class Chaos:
    """Everything that runs."""

    def __init__(
        self,
        actors: dict[str, Actor],
        network: Network,
        chance: random.Random,
        witnesses: Mapping[str, Callable[[], float]],
    ) -> None:
        """`witnesses` return when (monotonic, s) each was told something last."""
        self.actors = actors
        self.network = network
        self.done: list[str] = []
        self.again_s = dict.fromkeys(witnesses, 0.0)
        """The longest time from the end of a fault until a witness was told something."""
        self._witnesses = witnesses
        self._chance = chance
        self._began_s = time.monotonic()

    def go_on(self, seconds: float) -> None:
        """Do one thing after the other until the time is over, and let everything go on then."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(self._chance.uniform(2, 8))
            self._do_one()
            for actor in self.actors.values():
                if isinstance(actor, Service) and actor.ensure():
                    self._say(f"{actor.name} had ended by itself")

    def _do_one(self) -> None:
        what = self._chance.choice([*self.actors, "network"])
        if what == "network":
            seconds = self._chance.uniform(0.1, 3)
            self._say(f"network cut for {seconds:.1f} s")
            self.network.reset(seconds)
        else:
            actor, how = self.actors[what], self._chance.choice(["kill", "end", "pause", "pause"])
            seconds = self._chance.uniform(5, 30) if how == "pause" else self._chance.uniform(0.2, 3)
            if how == "pause":
                self._say(f"{what} paused for {seconds:.1f} s")
                actor.send(signal.SIGSTOP)
                time.sleep(seconds)
                actor.send(signal.SIGCONT)
            else:
                signum = signal.SIGKILL if how == "kill" else signal.SIGTERM
                self._say(f"{what} {_WORDS[signum]} for {seconds:.1f} s")
                actor.end(signum)
                time.sleep(seconds)
                actor.start()
        self._wait_for_news()

    def _wait_for_news(self) -> None:
        ended_s, waiting = time.monotonic(), dict(self._witnesses)
        while waiting and (took_s := time.monotonic() - ended_s) < _NEWS_S:
            for name in [name for name, told_s in waiting.items() if told_s() > ended_s]:
                del waiting[name]
                self.again_s[name] = max(self.again_s[name], took_s)
            time.sleep(0.05)
        for name in waiting:
            self.again_s[name] = math.inf

    def _say(self, what: str) -> None:
        line = f"{time.monotonic() - self._began_s:6.1f} s  {what}"
        self.done.append(line)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _told_s(witness: StreamClient | TopicReader) -> float:
    return witness.told_s


def run(seed: int, minutes: float, directory: Path) -> list[str]:
    """Run it all and return what is wrong."""
    chance = random.Random(seed)
    seconds = round(60 * minutes + 2 * _CALM_S)
    # A trade is stored as it was sent: the received time is its own.
    ticks = [structs.replace(tick, received_us=tick.event_us) for tick in tape(seconds, RATE)]
    expected = expected_of(ticks)
    with ExitStack() as stack:
        cluster = stack.enter_context(kafka_cluster())
        sockets = stack.enter_context(run_directory.made())
        server = EmbeddedDatabase(directory / "data", sockets, lambda *_: None)
        postgres = Database(server, directory / "database.log")
        stack.callback(postgres.end, signal.SIGKILL)
        postgres.start()
        schema.upgrade(postgres.url)
        network = Network(cluster.servers)
        stack.callback(network.close)
        shared = {
            "PAIRSTREAM_BROKERS": network.address,
            "PAIRSTREAM_DATABASE_URL": postgres.url,
            "PAIRSTREAM_LOG_FORMAT": "json",
            "PAIRSTREAM_SYMBOLS": ",".join(SYMBOLS),
            "PAIRSTREAM_PAIRS": ",".join(ALL_PAIRS),
            "PAIRSTREAM_WINDOW": str(WINDOW),
            "PAIRSTREAM_SESSION_TIMEOUT_S": "6",
            "PAIRSTREAM_CORRECTION_HORIZON_S": "5",
            "PAIRSTREAM_API_ANALYSIS_IDLE": "1h",
        }
        venue = LiveVenue()
        stack.callback(venue.close)
        ports = free_port(), free_port()
        ui = {
            "PAIRSTREAM_API_URL": f"http://127.0.0.1:{ports[0]}",
            "PAIRSTREAM_UI_PORT": str(free_port()),
        }
        actors: dict[str, Actor] = {"broker": Kafka(cluster.brokers[0]), "database": postgres}
        services = [
            Service(name, shared | {"PAIRSTREAM_API_PORT": str(ports[number - 1])}, directory, number)
            for name in ("sink", "stream_analytics", "api")
            for number in (1, 2)
        ]
        ingest = Service("ingest", shared | venue.environment, directory, 1)
        dashboard = Service("ui", shared | ui, directory, 1)
        for service in (*services, ingest, dashboard):
            actors[service.name] = service
            stack.callback(service.end, signal.SIGKILL)
            service.start()
        reader = TopicReader(cluster.servers)
        clients = [StreamClient(f"http://127.0.0.1:{port}", ALL_PAIRS, START_US) for port in ports]
        for one in (reader, *clients):
            one.start()
        load = Load(cluster.servers, ticks)
        time.sleep(_CALM_S)
        load.start()
        time.sleep(_CALM_S)
        told = {f"client {number}": partial(_told_s, one) for number, one in enumerate(clients, 1)}
        chaos = Chaos(actors, network, chance, {"topic": partial(_told_s, reader), **told})
        chaos.go_on(60 * minutes)
        venue.end()
        load.join()
        wrong, _ = settled(lambda: venue.missing(postgres.url), _SETTLE_S)
        # While it trades on, bars follow.
        ingest.end(signal.SIGTERM)

        def found() -> list[str]:
            traded = [*ticks, *venue.ticks(postgres.url)]
            page = of_dashboard(f"http://127.0.0.1:{ui['PAIRSTREAM_UI_PORT']}", dashboard.log)
            return [*complaints(postgres.url, traded, expected, clients, reader), *page]

        others, took_s = settled(found, _SETTLE_S)
        wrong += others
        sys.stdout.write(
            f"{len(chaos.done)} faults, {len(ticks):,} trades, {len(expected[0]):,} seconds, "
            f"settled {took_s:.0f} s later; news again after a fault: "
            + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in chaos.again_s.items())
            + "\n"
        )
        return wrong


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--seed", type=int, help="of the faults; drawn and printed if it is not given")
    parser.add_argument("--logs", type=Path, help="a directory for what the processes say; kept")
    given = parser.parse_args()
    seed = random.randrange(10_000) if given.seed is None else given.seed
    sys.stdout.write(f"seed {seed}\n")
    directory = given.logs or Path(tempfile.mkdtemp(prefix="pairstream-chaos-"))
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    wrong = run(seed, given.minutes, directory)
    sys.stdout.write("\n".join([*wrong, f"complaints {len(wrong)}"]) + "\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
