"""Alerting as a process: every transition is told, under one id, whatever happens to it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
import pytest

from services.common.clock import SECOND
from services.common.codec import decode, encode
from services.common.kafka.compacted import publish
from services.common.kafka.publisher import partition_of_key
from services.common.settings import KafkaSettings
from services.contracts.messages import Alert, Heartbeat, PairConfig, RadarEvent, Rule, Signal, TapeEvent
from services.contracts.radar_messages import RadarEventKind
from services.contracts.topics import ALERTS, HEARTBEATS, PAIRS, RADAR, RULES, SIGNALS, TAPE_EVENTS
from services.rules.alerts import alert_of
from services.rules.engine import Engine
from services.rules.observation import of_signal
from tests import builders
from tests.api_process import store
from tests.broker import produce, read_all
from tests.brokers.kafka import Cluster
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

START_US = 1_767_225_600_000_000
NAMES = ("ETHUSDT-BTCUSDT", "SOLUSDT-BTCUSDT", "SOLUSDT-ETHUSDT")


def rule(name: str, **options: Any) -> Rule:
    """Return a rule: |z| from 2 on, until it is at 1 again."""
    body = {"id": name, "conditions": [{"metric": "zscore", "operator": "outside", "fire": 2, "clear": 1}]}
    return msgspec.convert(body | options, Rule)


def signals(seconds: Sequence[int], zscores: Sequence[float], pair: str = NAMES[0]) -> list[Signal]:
    """Return a closed signal of each second."""
    return [
        builders.signal(START_US + second * SECOND, pair, zscore=zscore, spread=zscore)
        for second, zscore in zip(seconds, zscores, strict=True)
    ]


def wave(seconds: int) -> list[Signal]:
    """Return signals of all pairs, whose z-scores go up and down."""
    return [
        one
        for second in range(seconds)
        for place, pair in enumerate(NAMES)
        for one in signals([second], [3.0 if (second + place) % 7 < 3 else 0.0], pair)
    ]


def expected(rules: dict[str, Rule], tape: Sequence[Signal]) -> set[str]:
    """Return the ids of all that is to be told of a tape."""
    engine = Engine(30 * SECOND)
    engine.configure(rules)
    return {
        alert_of(one).alert_id for seen in tape for one in engine.observe("pair", seen.pair, of_signal(seen))
    }


class Alerting:
    """The service, its broker and its database."""

    def __init__(self, broker: str, url: str) -> None:
        self.broker, self.url = broker, url
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services.alerting"],
            env={
                **os.environ,
                "PAIRSTREAM_BROKERS": self.broker,
                "PAIRSTREAM_DATABASE_URL": self.url,
                "PAIRSTREAM_FETCH_MAX_WAIT_MS": "25",
            },
        )

    def kill(self) -> None:
        """Kill the process, as nobody should."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def configure(self, **rules: Rule | None) -> None:
        """Publish rules, None for one that is removed."""
        changes = {name.replace("_", "-"): one for name, one in rules.items()}
        asyncio.run(publish(KafkaSettings(brokers=self.broker), RULES, changes))

    def watch(self, *pairs: str, removed: Sequence[str] = ()) -> None:
        """Publish pairs."""
        changes = {name: PairConfig(pair=name) for name in pairs} | dict.fromkeys(removed)
        asyncio.run(publish(KafkaSettings(brokers=self.broker), PAIRS, changes))

    def send(self, tape: Sequence[Signal]) -> None:
        """Publish signals, each on the partition of its pair."""
        for pair in dict.fromkeys(one.pair for one in tape):
            number = partition_of_key(pair.encode(), range(4))
            values = [(encode(one), number) for one in tape if one.pair == pair]
            produce(self.broker, SIGNALS.name, values, key=pair.encode())

    def told(self) -> list[Alert]:
        """Return all alerts on the topic, in the order of each partition."""
        records = asyncio.run(read_all(self.broker, ALERTS.name))
        return [decode(record.value, Alert) for record in records]

    def wait_for(self, ids: set[str]) -> list[Alert]:
        """Wait until these are told, and return all."""
        wait_until(
            lambda: ids <= {one.alert_id for one in self.told()}, f"{sorted(ids)}, told {self.told()}", 60
        )
        return self.told()

    def rows(self, query: str) -> list[Any]:
        """Return the rows of a query."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture
def alerting(broker: str, database_url: str) -> Iterator[Alerting]:
    with running(broker, database_url) as one:
        yield one


@contextmanager
def running(broker: str, url: str) -> Iterator[Alerting]:
    """Start the service, with pairs; it is killed afterwards."""
    one = Alerting(broker, url)
    one.watch(*NAMES)
    one.start()
    try:
        yield one
    finally:
        one.kill()


def test_nothing_is_lost_nor_told_under_another_id_when_it_is_killed_again_and_again(
    alerting: Alerting,
) -> None:
    rules = {"a": rule("a"), "b": rule("b", for_s=1, clear_after=2)}
    alerting.configure(**rules)
    wait_until(lambda: len(alerting.rows("SELECT FROM rules")) == 2, "the rules to be stored")
    tape = wave(60)
    for part in range(2):
        alerting.send(tape[part * 90 : part * 90 + 90])
        alerting.wait_for(expected(rules, tape[: part * 90 + 45]))
        alerting.kill()
        alerting.start()
    told = alerting.wait_for(expected(rules, tape))
    assert {one.alert_id for one in told} == expected(rules, tape)
    by_id: dict[str, set[bytes]] = {}
    for one in told:
        by_id.setdefault(one.alert_id, set()).add(encode(one))
    assert all(len(messages) == 1 for messages in by_id.values())


@pytest.mark.long
def test_two_share_the_pairs_and_one_takes_over_from_the_other(kafka: Cluster, database_url: str) -> None:
    rules = {"a": rule("a"), "b": rule("b", for_s=1, clear_after=2)}
    tape = wave(60)
    with running(kafka.servers, database_url) as first, running(kafka.servers, database_url) as second:
        first.configure(**rules)
        wait_until(lambda: len(first.rows("SELECT FROM rules")) == 2, "the rules to be stored")
        first.send(tape[:90])
        first.wait_for(expected(rules, tape[:90]))
        first.kill()
        first.send(tape[90:])
        told = second.wait_for(expected(rules, tape))
    assert {one.alert_id for one in told if one.pair} == expected(rules, tape)


def test_edits_and_removals_end_what_is_open_of_their_own(alerting: Alerting) -> None:
    alerting.configure(a=rule("a"), b=rule("b"))
    high = [one for pair in NAMES for one in signals([0, 1], [0.0, 3.0], pair)]
    wait_until(lambda: len(alerting.rows("SELECT FROM rules")) == 2, "the rules to be stored")
    alerting.send(high)
    alerting.wait_for({f"{name}:{pair}:{START_US + SECOND}:firing" for name in "ab" for pair in NAMES})
    alerting.configure(a=rule("a", for_s=5))
    ended = {f"a:{pair}:{START_US + SECOND + 1}:ended" for pair in NAMES}
    assert not any(one.alert_id.startswith("b") for one in alerting.wait_for(ended) if one.state == "ended")
    alerting.watch(removed=NAMES[:1])
    alerting.wait_for({f"b:{NAMES[0]}:{START_US + SECOND + 1}:ended"})
    alerting.configure(b=None)
    alerting.wait_for({f"b:{pair}:{START_US + SECOND + 1}:ended" for pair in NAMES[1:]})
    assert alerting.rows("SELECT id FROM rules WHERE rule IS NULL") == [("b",)]


def test_what_the_rule_of_every_pair_told_ends_with_the_pair(alerting: Alerting) -> None:
    fired = builders.alert(
        alert_id="zscore:1:firing",
        rule_id="zscore",
        pair=NAMES[0],
        event_us=START_US,
        state="firing",
    )
    store(alerting.url, [fired])
    alerting.watch(removed=NAMES[:1])
    (ended,) = alerting.wait_for({f"zscore:{NAMES[0]}:{START_US}:ended"})
    assert (ended.state, ended.subject, ended.rule) == ("ended", NAMES[0], "zscore-threshold")


def test_a_correction_retracts(alerting: Alerting) -> None:
    alerting.configure(a=rule("a"))
    wait_until(lambda: len(alerting.rows("SELECT FROM rules")) == 1, "the rule to be stored")
    tape = signals([0, 1], [0.0, 3.0])
    alerting.send(tape)
    fired = f"a:{NAMES[0]}:{START_US + SECOND}:firing"
    alerting.wait_for({fired})
    alerting.kill()
    alerting.send([msgspec.structs.replace(tape[1], zscore=1.5, revision=1)])
    alerting.start()
    *_, retracted = alerting.wait_for({f"{fired}:retracted"})
    assert (retracted.state, retracted.retracts) == ("retracted", fired)


def beat(broker: str, service: str) -> None:
    """Have a service say once that it lives."""
    message = Heartbeat(service=service, at_us=START_US, started_us=START_US, state="running", version="1")
    produce(broker, HEARTBEATS.name, [(encode(message), 0)], key=service.encode())


def wait_for_rule(alerting: Alerting, rule_id: str, subject: str) -> None:
    """Wait until a rule fires of a subject."""
    wait_until(
        lambda: (
            (rule_id, subject, "firing") in {(one.rule, one.subject, one.state) for one in alerting.told()}
        ),
        f"{rule_id} of {subject}, told {alerting.told()}",
        60,
    )


def wait_for_service(alerting: Alerting, name: str) -> None:
    """Wait until a service is known."""
    query = "SELECT subject FROM alerting_states WHERE kind = 'service'"
    wait_until(lambda: (name,) in alerting.rows(query), f"{name} to be heard")


def test_a_stale_feed_is_told_by_a_rule_that_is_built_in(alerting: Alerting) -> None:
    wait_for_service(alerting, "alerting")
    event = TapeEvent(
        kind="stream_stale", venue="binance", symbol="BTCUSDT", at_us=START_US, stream="btcusdt@aggTrade"
    )
    produce(alerting.broker, TAPE_EVENTS.name, [(encode(event), 0)], key=b"BTCUSDT")
    wait_for_rule(alerting, "built-in.feed-stale", "BTCUSDT")


def test_a_pair_that_a_radar_confirms_and_then_does_no_longer_is_told(alerting: Alerting) -> None:
    # A radar may have told before anybody reads.
    confirm(alerting.broker, "confirmed")
    met = {"metric": "radar_confirmed", "operator": "above", "fire": 1}
    over = {"metric": "radar_confirmed", "operator": "below", "fire": 0}
    alerting.configure(
        mine=rule("mine", scope=["ETHUSDT-BTCUSDT"], conditions=[met]),
        gone=rule("gone", scope=["ETHUSDT-BTCUSDT"], conditions=[over]),
    )
    wait_for_rule(alerting, "mine", "BTCUSDT-ETHUSDT")
    alerting.kill()
    confirm(alerting.broker, "ended")
    alerting.start()
    wait_for_rule(alerting, "gone", "BTCUSDT-ETHUSDT")
    assert {(one.rule, one.state) for one in alerting.told()} == {
        *(("mine", "firing"), ("mine", "resolved"), ("gone", "firing"))
    }


def confirm(broker: str, kind: RadarEventKind) -> None:
    """Have a radar confirm a pair, or no longer."""
    event = RadarEvent(
        event_id=kind,
        radar="default",
        kind=kind,
        pair="BTCUSDT-ETHUSDT",
        at_us=START_US,
        confirmed_us=START_US,
        p_value=0.01,
    )
    produce(broker, RADAR.name, [(encode(event), 1)], key=event.pair.encode())


@pytest.mark.long
def test_a_silent_service_is_told_by_a_rule_that_is_built_in(alerting: Alerting) -> None:
    wait_for_service(alerting, "alerting")
    # Alerting's own heartbeats are the clock.
    beat(alerting.broker, "sink")
    wait_for_service(alerting, "sink")
    wait_for_rule(alerting, "built-in.service-silent", "sink")
