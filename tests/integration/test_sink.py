"""Sink as a process, on the embedded broker and database, through outages of both."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator

import msgspec
import psycopg
import pytest
from confluent_kafka import Producer

from services.common.clock import SECOND, from_datetime
from services.common.codec import decode, encode
from services.contracts.messages import Heartbeat, TapeEvent, TapeEventKind, Tick
from services.contracts.topics import SINK_GROUP
from tests import builders
from tests.broker import first_offsets, produce, read_all, reset_group
from tests.brokers.kafka import Cluster
from tests.fix_broker import embedded_broker
from tests.fix_database import Postgres
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

START_US = 1_767_225_600_000_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
Start = Callable[[str, str], subprocess.Popen[bytes]]


def tick(number: int) -> Tick:
    return builders.tick(
        symbol=SYMBOLS[number % 3],
        trade_id=number,
        event_us=START_US + number * 7_000,
        received_us=START_US + number * 7_000 + 10,
        price=100.0 + number % 11,
        size=0.5 + number % 5,
        buyer_is_maker=number % 2 == 0,
    )


def send(broker: str, values: Iterable[bytes]) -> None:
    """Send each value to the partition of its turn."""
    produce(broker, "ticks", ((value, number % 3) for number, value in enumerate(values)))


def latest_heartbeat(broker: str) -> Heartbeat:
    records = asyncio.run(read_all(broker, "heartbeats"))
    return max((decode(record.value, Heartbeat) for record in records), key=lambda one: one.at_us)


def misses_the_database(beat: Heartbeat) -> bool:
    """Tell whether the sink knows that nobody answers; before, it may say how its connection ended."""
    return beat.state == "degraded" and beat.detail == "the database does not answer"


def count(url: str, table: str = "ticks") -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        assert row is not None
        return int(row[0])


def assert_store_holds(url: str, ticks: Iterable[Tick]) -> None:
    """Compare the tables with exactly these ticks and with bars recomputed from them."""
    ordered = sorted(ticks, key=lambda one: (one.symbol, one.event_us))
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT symbol, trade_id, ts, price FROM ticks ORDER BY symbol, ts"
        ).fetchall()
        bars = connection.execute(
            "SELECT symbol, ts, open, high, low, close, volume, trade_count FROM ohlc_1s ORDER BY symbol, ts"
        ).fetchall()
        hours = connection.execute("SELECT sum(trade_count), sum(volume) FROM ohlc_1h").fetchone()
    assert [(symbol, number, from_datetime(ts), price) for symbol, number, ts, price in rows] == [
        (one.symbol, one.trade_id, one.event_us, one.price) for one in ordered
    ]
    expected = []
    for (symbol, second), group in itertools.groupby(
        ordered, lambda one: (one.symbol, one.event_us // SECOND)
    ):
        trades = list(group)
        prices = [one.price for one in trades]
        volume = sum(one.size for one in trades)
        edges = (prices[0], max(prices), min(prices), prices[-1])
        expected.append((symbol, second * SECOND, *edges, volume, len(trades)))
    assert [(symbol, from_datetime(ts), *rest) for symbol, ts, *rest in bars] == expected
    assert hours == (len(ordered), sum(one.size for one in ordered))


@pytest.fixture
def start() -> Iterator[Start]:
    """Return what starts a sink; whatever is still running afterwards is killed."""
    running: list[subprocess.Popen[bytes]] = []

    def started(broker: str, url: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PAIRSTREAM_BROKERS": broker,
            "PAIRSTREAM_DATABASE_URL": url,
            "PAIRSTREAM_FETCH_MAX_WAIT_MS": "25",
            "PAIRSTREAM_BATCH_ROWS": "200",
        }
        command = [sys.executable, "-m", "services.sink"]
        running.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE))
        return running[-1]

    yield started
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def stop(process: subprocess.Popen[bytes]) -> str:
    """Stop a sink as the supervisor does, and return its log."""
    process.send_signal(signal.SIGTERM)
    log = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 0, log
    return log


def test_it_survives_poison_and_a_restart_of_the_database(
    broker: str, database_url: str, postgres: Postgres, start: Start
) -> None:
    ticks = [tick(number) for number in range(900)]
    nul = encode(tick(0)).replace(b"BTCUSDT", rb"BTC\u0000USDT")
    huge = b"\xff" * 1_048_000  # as much as a message may have, so none is left for a dead letter's headers
    poison = [huge, b'{"venue":"binance"}', nul]
    process = start(broker, database_url)
    send(broker, [*map(encode, ticks[:150]), *poison, *map(encode, ticks[150:300])])
    wait_until(lambda: count(database_url) == 300, "the ticks around the poison are stored")

    postgres.stop()
    try:
        send(broker, map(encode, ticks[300:600]))
        wait_until(lambda: misses_the_database(latest_heartbeat(broker)), "the sink says what it is without")
    finally:
        postgres.start()
    send(broker, map(encode, ticks[600:]))
    wait_until(lambda: count(database_url) == 900, "the ticks of the outage are stored")
    wait_until(lambda: latest_heartbeat(broker).lag_messages == 0, "nothing waits to be read")

    wait_until(lambda: latest_heartbeat(broker).state == "running", "the sink says it is well")
    beat = latest_heartbeat(broker)
    assert beat.detail is None
    assert (beat.counters["ticks"], beat.counters["dead_letters"], beat.counters["lost"]) == (900, 3, 0)
    letters = asyncio.run(read_all(broker, "dead-letters"))
    assert sorted(letter.value for letter in letters) == sorted([huge[:1_000_000], *poison[1:]])
    assert {dict(letter.headers)["origin"] for letter in letters} == {
        b"ticks/0/50",
        b"ticks/1/50",
        b"ticks/2/50",
    }
    stop(process)
    assert_store_holds(database_url, ticks)


def test_it_keeps_the_gap_ledger_and_which_ticks_were_repaired(
    broker: str, database_url: str, start: Start
) -> None:
    def event(kind: TapeEventKind, at_us: int) -> tuple[bytes, int]:
        found = TapeEvent(
            kind=kind,
            venue="binance",
            symbol=SYMBOLS[0],
            at_us=at_us,
            first_id=3,
            last_id=5,
            start_us=START_US,
            end_us=START_US + SECOND,
        )
        return encode(found), 1

    process = start(broker, database_url)
    produce(broker, "tape-events", [event("gap_found", 1), event("coverage", 2), event("reconnect", 3)])
    wait_until(lambda: count(database_url, "gaps WHERE state = 'found'") == 1, "the gap is stored")
    send(broker, map(encode, [tick(0), msgspec.structs.replace(tick(3), repaired=True)]))
    produce(broker, "tape-events", [event("gap_repaired", 4), event("coverage", 5)])
    wait_until(lambda: count(database_url, "gaps WHERE state = 'repaired'") == 1, "it is repaired")
    wait_until(lambda: count(database_url, "ticks") == 2, "the ticks are stored")
    expected = {"ticks": 2, "gaps": 2, "dead_letters": 0}
    wait_until(lambda: expected.items() <= latest_heartbeat(broker).counters.items(), "its counters say so")
    stop(process)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT trade_id, repaired FROM ticks ORDER BY 1").fetchall() == [
            (0, False),
            (3, True),
        ]
        offsets = "SELECT next_offset FROM stream_offsets WHERE topic = 'tape-events'"
        assert (5,) in connection.execute(offsets).fetchall()


def test_stored_offsets_hold_for_their_own_cluster_and_within_its_range(
    broker: str, database_url: str, start: Start
) -> None:
    ticks = [tick(number) for number in range(120)]
    send(broker, map(encode, ticks[:60]))
    process = start(broker, database_url)
    wait_until(lambda: count(database_url) == 60, "the first cluster's ticks are stored")
    stop(process)

    with embedded_broker() as fresh:
        send(fresh, map(encode, ticks[60:90]))
        process = start(fresh, database_url)
        wait_until(lambda: count(database_url) == 90, "a fresh cluster is read from its beginning")
        stop(process)

    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE stream_offsets SET next_offset = 1000000 WHERE next_offset = 20")
    send(broker, map(encode, ticks[90:]))
    process = start(broker, database_url)
    wait_until(lambda: count(database_url) == 120, "an offset beyond the end is not waited for")
    assert '"expected": 1000000' in stop(process)
    assert_store_holds(database_url, ticks)


@pytest.mark.parametrize("is_paused", [False, True], ids=["started again", "paused"])
def test_of_what_the_broker_deleted_unread_each_message_is_counted(
    broker: str, database_url: str, start: Start, is_paused: bool
) -> None:
    send(broker, map(encode, map(tick, range(3))))
    process = start(broker, database_url)
    wait_until(lambda: count(database_url) == 3, "the first ticks are stored")
    wait_until(lambda: latest_heartbeat(broker).lag_messages == 0, "nothing waits to be read")
    if is_paused:
        process.send_signal(signal.SIGSTOP)
    else:
        stop(process)
    # Both brokers of the tests keep 5 MiB of a partition.
    padding = b" " * 100_000
    send(broker, (encode(tick(number)) + padding for number in range(3, 303)))
    wait_until(lambda: min(first_offsets(broker, "ticks")[:3]) > 10, "the first of them are deleted")
    if is_paused:
        process.send_signal(signal.SIGCONT)
    else:
        process = start(broker, database_url)
    wait_until(lambda: latest_heartbeat(broker).lost.get("ticks", 0) > 30, "the loss is counted")
    send(broker, map(encode, map(tick, range(303, 306))))
    wait_until(lambda: count(database_url, "ticks WHERE trade_id >= 303") == 3, "it goes on")
    wait_until(lambda: latest_heartbeat(broker).lag_messages == 0, "nothing waits to be read any more")

    def said() -> int:
        events = [decode(record.value, TapeEvent) for record in asyncio.run(read_all(broker, "tape-events"))]
        assert {(one.kind, one.reader, one.topic) for one in events} == {("messages_lost", "sink", "ticks")}
        return sum(one.messages or 0 for one in events)

    lost = 306 - count(database_url)
    wait_until(lambda: said() == lost, "the loss is said")
    beat = latest_heartbeat(broker)
    assert (beat.lost, beat.counters["lost"], beat.state) == ({"ticks": lost}, lost, "running")
    stop(process)


def test_marks_of_transactions_are_no_loss_and_do_not_wait_to_be_read(
    kafka: Cluster, database_url: str, start: Start
) -> None:
    process = start(kafka.servers, database_url)
    producer = Producer({"bootstrap.servers": kafka.servers, "transactional.id": "test"})
    producer.init_transactions(30)
    for first in (0, 3):
        producer.begin_transaction()
        for number in range(first, first + 3):
            producer.produce("ticks", encode(tick(number)), partition=number % 3)
        producer.commit_transaction(30)
    wait_until(lambda: count(database_url) == 6, "the ticks of both transactions are stored")
    wait_until(lambda: latest_heartbeat(kafka.servers).lag_messages == 0, "nothing waits to be read")
    offsets = "stream_offsets WHERE topic = 'ticks' AND next_offset = 4"
    wait_until(lambda: count(database_url, offsets) == 3, "the marks are passed")
    assert latest_heartbeat(kafka.servers).lost == {}
    stop(process)


def test_offsets_of_the_group_that_an_operator_has_reset_change_nothing(
    kafka: Cluster, database_url: str, start: Start
) -> None:
    ticks = [tick(number) for number in range(900)]
    sent = 0
    for to_end in (True, False):
        process = start(kafka.servers, database_url)
        send(kafka.servers, map(encode, ticks[sent : sent + 150]))
        sent += 150
        wait_until(lambda: count(database_url) == sent, "the ticks are stored")  # noqa: B023
        stop(process)
        # What would be skipped if the group were believed.
        send(kafka.servers, map(encode, ticks[sent : sent + 150]))
        sent += 150
        reset_group(kafka.servers, SINK_GROUP, "ticks", to_end)
    process = start(kafka.servers, database_url)
    send(kafka.servers, map(encode, ticks[sent:]))
    wait_until(lambda: count(database_url) == 900, "the rest is stored")
    stop(process)
    assert_store_holds(database_url, ticks)
    beat = latest_heartbeat(kafka.servers)
    assert (beat.counters["duplicates"], beat.counters["lost"]) == (0, 0)
