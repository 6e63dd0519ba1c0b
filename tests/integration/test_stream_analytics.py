"""stream_analytics as a process on the embedded broker: its output, which no kill changes."""

import asyncio
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import pytest
from confluent_kafka import Producer
from prometheus_client.parser import text_string_to_metric_families

from services.common.clock import SECOND
from services.common.codec import decode, encode
from services.contracts.messages import Alert, PairConfig, Signal, Tick
from services.contracts.pairs import Pair
from services.ingest.time_marks import TimeMarks
from services.stream_analytics.metrics import STAGES
from tests.analytics import outcomes, published, walk
from tests.broker import produce, read_all
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

WINDOW = 30
PAIR = Pair("ETHUSDT", "BTCUSDT")
START_US = 1_767_225_600_000_000
COMMAND = (sys.executable, "-m", "services.stream_analytics")
PARTITION = {"ETHUSDT": 0, "BTCUSDT": 1}


def tape(seconds: int) -> list[Tick]:
    """Return two walking futures, some 10 trades a second together."""
    return walk({"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0}, 10, START_US, seconds, random.Random(11))


def expected(ticks: list[Tick]) -> tuple[list[Signal], list[Alert]]:
    """Return what one uninterrupted worker says."""
    said = outcomes(ticks, PairConfig(pair=str(PAIR), window=WINDOW), ends=False)
    return [outcome.signal for outcome in said], [alert for outcome in said for alert in outcome.alerts]


class Start(Protocol):
    def __call__(self, command: Sequence[str] = COMMAND, **more: object) -> subprocess.Popen[bytes]: ...


@pytest.fixture
def start(broker: str) -> Iterator[Start]:
    """Return a function that starts the service; what still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []
    environment = {
        **os.environ,
        "PAIRSTREAM_BROKERS": broker,
        "PAIRSTREAM_FETCH_MAX_WAIT_MS": "25",
        "PAIRSTREAM_SESSION_TIMEOUT_S": "3",
        "PAIRSTREAM_WINDOW": str(WINDOW),
    }

    def run(command: Sequence[str] = COMMAND, **more: object) -> subprocess.Popen[bytes]:
        given = {f"PAIRSTREAM_{name.upper()}": str(value) for name, value in more.items()}
        started.append(subprocess.Popen(command, env=environment | given))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


def send(broker: str, ticks: list[Tick]) -> None:
    """Publish trades and the marks between them, as ingest does."""
    ticks, found = published(ticks, TimeMarks())
    produce(broker, "ticks", ((encode(tick), PARTITION[tick.symbol]) for tick in ticks))
    produce(broker, "time-marks", ((encode(mark), PARTITION[mark.symbol]) for mark in found))


def received(broker: str, at_least: int, within_s: float = 60) -> list[Signal]:
    """Wait until so many seconds have signals, and return all messages, repeated ones too."""
    deadline = time.monotonic() + within_s
    while True:
        signals = [decode(record.value, Signal) for record in asyncio.run(read_all(broker, "signals"))]
        signals = [signal for signal in signals if signal.closed]
        if len({signal.event_us for signal in signals}) >= at_least:
            return signals
        assert time.monotonic() < deadline, f"expected {at_least} signals, received {len(signals)}"
        time.sleep(0.1)


def test_kills_change_no_number(broker: str, start: Start) -> None:
    ticks = tape(120)
    signals, alerts = expected(ticks)
    assert len(alerts) > 2
    third = len(ticks) // 3
    process = start()
    for number in range(3):
        send(broker, ticks[number * third : (number + 1) * third])
        received(broker, at_least=len(expected(ticks[: (number + 1) * third])[0]) - 5)
        if number < 2:
            process.kill()
            process.wait()
            process = start()
    got = received(broker, at_least=len(expected(ticks[: 3 * third])[0]))
    by_time = {signal.event_us: signal for signal in got}
    # The same message may come twice, never two that differ.
    assert all(by_time[signal.event_us] == signal for signal in got)
    assert [by_time[signal.event_us] for signal in signals if signal.event_us in by_time] == signals[
        : len(by_time)
    ]
    told = [decode(record.value, Alert) for record in asyncio.run(read_all(broker, "alerts"))]
    got_alerts = {alert.alert_id: alert for alert in told}
    assert all(got_alerts[alert.alert_id] == alert for alert in told)
    assert got_alerts == {alert.alert_id: alert for alert in alerts[: len(got_alerts)]}
    assert len(got_alerts) >= len(alerts) - 1
    process.terminate()
    assert process.wait(30) == 0


def test_a_bad_message_is_put_aside_and_a_quiet_leg_makes_the_signal_stale(broker: str, start: Start) -> None:
    port = free_port()
    start(metrics_port=port)
    ticks = tape(20)
    last_x = max(tick.event_us for tick in ticks if tick.symbol == PAIR.x)
    quiet = [tick for tick in tape(60) if tick.symbol == PAIR.y and tick.event_us > last_x]
    produce(broker, "ticks", [(b'{"not": "a tick"}', 0), (b"\xff\x00", 1)])
    send(broker, ticks + quiet)
    received(broker, at_least=40)
    signals = {s.event_us: s for s in received(broker, at_least=40)}
    stale = [signal for signal in signals.values() if signal.event_us > last_x + 10 * SECOND]
    assert stale
    assert {(signal.quality, signal.reason, signal.zscore) for signal in stale} == {
        ("stale", "trades of BTCUSDT may be on their way", None)
    }
    dead = asyncio.run(read_all(broker, "dead-letters"))
    assert {record.value for record in dead} == {b'{"not": "a tick"}', b"\xff\x00"}
    headers = [dict(record.headers) for record in dead]
    assert {header["origin"] for header in headers} == {b"ticks/0/0", b"ticks/1/0"}
    assert all(b"expected a Tick" in header["reason"] for header in headers)
    check_metrics(port, len(ticks) + len(quiet), len(stale))


def check_metrics(port: int, ticks: int, stale: int) -> None:
    """Ask a worker how it is, as Prometheus does."""

    def ask(path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            assert answer.status == 200
            return str(answer.read().decode())

    def measured() -> dict[str, float]:
        families = text_string_to_metric_families(ask("/metrics"))
        samples = [sample for family in families for sample in family.samples]
        return {
            sample.name.removeprefix("pairstream_stream_") + sample.labels.get("stage", ""): sample.value
            for sample in samples
        }

    assert ask("/healthz") == "ok\n"
    wait_until(lambda: measured().get("lag_messages") == 0, "nothing waits to be read")
    found = measured()
    counts = {name: found[f"{name}_total"] for name in ("ticks", "late", "dead_letters", "alerts")}
    assert counts == {"ticks": ticks, "late": 0, "dead_letters": 2, "alerts": 0}
    assert found["stale_total"] >= stale
    assert found["signals_total"] > 0
    assert found["live_signals_total"] > 0
    assert (found["pairs"], found["lag_seconds"]) == (1, 0)
    assert found["recovery_seconds"] > 0
    assert all(found[f"stage_seconds_count{stage}"] > 0 for stage in STAGES)


class Feeder:
    """Send a tape second by second, as fast as the test needs it."""

    def __init__(self, broker: str, ticks: list[Tick]) -> None:
        self._broker = broker
        self._ticks = ticks
        self._sent = 0

    def until(self, is_enough: Callable[[list[Signal]], bool], what: str) -> list[Signal]:
        """Send on until the signals say what is waited for, and return them."""
        found: list[Signal] = []

        def look() -> bool:
            nonlocal found
            send(self._broker, self._ticks[self._sent : self._sent + 20])
            self._sent += 20
            found = [decode(one.value, Signal) for one in asyncio.run(read_all(self._broker, "signals"))]
            return is_enough(found)

        wait_until(look, what)
        return found


def configure(broker: str, name: str, config: PairConfig | bytes | None) -> None:
    producer = Producer({"bootstrap.servers": broker})
    value = encode(config) if isinstance(config, PairConfig) else config
    producer.produce("pairs", value, key=name.encode())
    assert producer.flush(10) == 0


def test_pairs_come_change_and_go_while_it_runs_and_speak_between_closes(broker: str, start: Start) -> None:
    start(signal_interval_ms=0)
    feeder, swapped = Feeder(broker, tape(3_000)), "BTCUSDT-ETHUSDT"
    feeder.until(lambda signals: any(signal.closed for signal in signals), "a first close")
    [first] = [decode(record.value, PairConfig) for record in asyncio.run(read_all(broker, "pairs"))]
    assert (first.pair, first.window) == (str(PAIR), WINDOW)

    configure(broker, swapped, PairConfig(pair=swapped, window=20, min_samples=5, method="tls"))
    signals = feeder.until(
        lambda signals: any(s.pair == swapped and s.zscore for s in signals), "the new pair"
    )
    assert {(s.method, s.window) for s in signals if s.pair == swapped} == {("tls", 20)}
    live = [signal for signal in signals if not signal.closed and signal.pair == str(PAIR)]
    assert len(live) > len({signal.event_us for signal in signals if signal.closed})

    configure(broker, str(PAIR), PairConfig(pair=str(PAIR), window=40))
    feeder.until(
        lambda signals: any(s.pair == str(PAIR) and s.window == 40 for s in signals), "the new window"
    )
    configure(broker, str(PAIR), None)
    ended = len(feeder.until(lambda signals: signals[-1].pair == swapped, "only the pair that is left"))
    signals = feeder.until(lambda signals: len(signals) > ended + 100, "signals of the pair that is left")
    last = max(signal.event_us for signal in signals if signal.pair == str(PAIR))
    assert last < max(signal.event_us for signal in signals) - 2 * SECOND
    # What is no configuration is put aside, and changes nothing.
    configure(broker, swapped, b'{"pair": "BTCUSDT"}')
    wait_until(lambda: len(asyncio.run(read_all(broker, "dead-letters"))) == 1, "a dead letter")


STUCK = """
import asyncio
from services.common import process
from services.common.settings import load
from services.stream_analytics.faust.app import StreamAnalytics
from services.stream_analytics.settings import StreamSettings

async def serve():
    worker = StreamAnalytics(load(StreamSettings))
    async def stop_fetching():
        while not worker.counters["signals"]:
            await asyncio.sleep(0.01)
        worker.app.consumer.pause_partitions(worker.app.consumer.assignment())
    worker.app.task(stop_fetching)
    await worker.serve()

process.run("stream_analytics", serve)
"""


def test_a_worker_that_no_longer_reads_ends_itself(broker: str, start: Start) -> None:
    process = start((sys.executable, "-c", STUCK), stall_timeout_s=1)
    feeder = Feeder(broker, tape(3_000))
    feeder.until(lambda _: process.poll() is not None, "that it ends")
    assert process.returncode == 1
