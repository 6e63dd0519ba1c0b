"""Unreadable messages on Kafka for every reader: all codecs, damaged batches, every end of a transaction."""

import asyncio
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Producer

from services.api.stream.topic_reader import BACKLOG
from services.common.codec import decode, encode
from services.contracts.messages import Heartbeat, PairConfig, Tick
from tests.api_process import running_api
from tests.broker import produce, read_all
from tests.brokers.kafka import Cluster
from tests.child import processes
from tests.waiting import wait_until
from tests.workers import PAIRS, SYMBOLS, tape

pytestmark = pytest.mark.integration

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
READERS = ("sink", "stream_analytics", "api")
TAPE = tape(60, per_second=30)
TICKS = TAPE[:1_500]
# Of a batch of Kafka: its first offset, the length of what follows; further on its records.
_HEAD, _RECORDS = struct.Struct(">qi"), 61


@contextmanager
def readers(broker: str, database_url: str) -> Iterator[None]:
    """Run every service that reads, none of which may end."""
    given = {
        "PAIRSTREAM_BROKERS": broker,
        "PAIRSTREAM_DATABASE_URL": database_url,
        "PAIRSTREAM_FETCH_MAX_WAIT_MS": "25",
        "PAIRSTREAM_WINDOW": "30",
        "PAIRSTREAM_SESSION_TIMEOUT_S": "3",
        "PAIRSTREAM_PAIRS": ",".join(PAIRS),
        "PAIRSTREAM_SYMBOLS": ",".join(SYMBOLS),
    }
    with (
        processes("services.sink", "services.stream_analytics", **given),
        running_api(broker, database_url),
    ):
        yield


def send(broker: str, ticks: Sequence[Tick], codec: str = "none") -> None:
    placed = ((encode(tick), SYMBOLS.index(tick.symbol) % 4) for tick in ticks)
    produce(broker, "ticks", placed, codec=codec)


def stored(url: str) -> set[tuple[str, int]]:
    with psycopg.connect(url) as connection:
        return set(connection.execute("SELECT symbol, trade_id FROM ticks").fetchall())


def names(ticks: Sequence[Tick]) -> set[tuple[str, int]]:
    return {(tick.symbol, tick.trade_id) for tick in ticks}


def beats(broker: str) -> dict[str, Heartbeat]:
    """Return the last word of each service."""
    found = [decode(one.value, Heartbeat) for one in asyncio.run(read_all(broker, "heartbeats"))]
    return {beat.service: beat for beat in sorted(found, key=lambda one: one.at_us)}


def bad(broker: str) -> list[int]:
    """Return of how many messages each reader says that they cannot be read."""
    found = beats(broker)
    return [
        found[service].counters["bad_messages" if service == "api" else "dead_letters"]
        if service in found
        else 0
        for service in READERS
    ]


def wait_for(broker: str, count: int, ticks: int) -> None:
    """Wait until so many ticks are read, and every reader knows of `count` messages that they cannot be."""

    def read() -> list[int]:
        found = beats(broker)
        return [found[service].counters["ticks"] if service in found else 0 for service in READERS[:2]]

    wait_until(lambda: read() == [ticks] * 2, f"{ticks} ticks are read: {read()}", 60)
    wait_until(lambda: bad(broker) == [count] * 3, f"{count} are known to be bad: {bad(broker)}")


def pairs_known(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {pair for (pair,) in connection.execute("SELECT DISTINCT pair FROM signals")}


def damage(segment: Path, number: int) -> tuple[int, int]:
    """Flip a byte of the records of a batch; return its first and its last offset."""
    raw = bytearray(segment.read_bytes())
    place, found = 0, []
    while place < len(raw):
        first, length = _HEAD.unpack_from(raw, place)
        found.append((place, first))
        place += _HEAD.size + length
    place, first = found[number]
    raw[place + _RECORDS + 20] ^= 0xFF
    segment.write_bytes(raw)
    return first, found[number + 1][1] - 1


def test_a_batch_that_is_damaged_is_said_by_every_reader_and_the_rest_is_read(
    kafka: Cluster, database_url: str
) -> None:
    broker, one = kafka.servers, kafka.brokers[0]
    configs = [(encode(PairConfig(pair=pair, window=30)), 1) for pair in PAIRS]
    for number, codec in enumerate(CODECS):
        some = TICKS[number * 300 : (number + 1) * 300]
        produce(broker, "ticks", [(encode(tick), 2) for tick in some], codec=codec)
        produce(broker, "pairs", configs[number : number + 1], PAIRS[number].encode())
    one.stop()
    spans = [damage(one.segment("ticks", 2), number) for number in (0, 3)]
    lost_pair, _ = damage(one.segment("pairs", 1), 1)
    one.start()
    wait_until(one.listens, "the broker listens")
    lost = sum(last - first + 1 for first, last in spans)
    kept = [tick for offset, tick in enumerate(TICKS) if not any(a <= offset <= b for a, b in spans)]
    seen = spans[1][1] + 1 - (len(TICKS) - BACKLOG["ticks"])
    assert (lost, seen) == (600, 200)
    with readers(broker, database_url):
        wait_until(lambda: stored(database_url) == names(kept), "every tick around the damage", 60)
        wait_until(lambda: len(letters(broker)) == 5, f"five dead letters: {letters(broker)}", 30)
        expected = {(service, f"ticks/2/{first}-{last}") for service in READERS[:2] for first, last in spans}
        assert letters(broker) == expected | {("stream_analytics", f"pairs/1/{lost_pair}")}

        wait_until(
            lambda: bad(broker) == [lost, lost + 1, seen], f"all that was lost is counted: {bad(broker)}"
        )
        wait_for_lags(broker, 0)


def letters(broker: str) -> set[tuple[str, str]]:
    """Return who buried what."""
    found = [dict(one.headers) for one in asyncio.run(read_all(broker, "dead-letters"))]
    return {(one["service"].decode(), one["origin"].decode()) for one in found}


def wait_for_lags(broker: str, messages: int) -> None:
    """Wait until every reader says that so many messages are unread."""
    for service in READERS:
        wait_until(
            lambda: beats(broker)[service].lag_messages == messages,  # noqa: B023
            f"{messages} are the lag of {service}",
        )


def test_every_reader_takes_every_codec_and_of_transactions_what_was_committed(
    kafka: Cluster, database_url: str
) -> None:
    """What a transaction that is open holds back is lag."""
    broker = kafka.servers
    parts = [TAPE[begin : begin + 60] for begin in range(len(TICKS), len(TICKS) + 240, 60)]
    assert len(parts[3]) == 60

    def producer() -> Producer:
        made = Producer({"bootstrap.servers": broker, "transactional.id": "test", "linger.ms": 5})
        made.init_transactions(30)
        return made

    def put(made: Producer, ticks: Sequence[Tick]) -> None:
        made.begin_transaction()
        for tick in ticks:
            made.produce("ticks", encode(tick), partition=1)
        made.flush(10)

    for codec, pair in zip(CODECS, PAIRS, strict=False):
        produce(broker, "pairs", [(encode(PairConfig(pair=pair, window=30)), 1)], pair.encode(), codec)
    with readers(broker, database_url):
        share = len(TICKS) // len(CODECS)
        for number, codec in enumerate(CODECS):
            send(broker, TICKS[number * share : (number + 1) * share], codec)
        wait_for(broker, 0, len(TICKS))
        assert stored(database_url) == names(TICKS)
        wait_until(lambda: pairs_known(database_url) == set(PAIRS[: len(CODECS)]), "signals of each pair", 30)
        assert asyncio.run(read_all(broker, "dead-letters")) == []

        made = producer()
        put(made, parts[0])
        made.commit_transaction(30)
        put(made, parts[1])
        made.abort_transaction(30)
        wait_for(broker, 60, len(TICKS) + 60)
        wait_for_lags(broker, 0)
        put(made, parts[2])
        produce(broker, "ticks", [(encode(tick), 1) for tick in parts[3]])
        wait_for_lags(broker, 120)
        assert stored(database_url) == names([*TICKS, *parts[0]])
        # Whoever takes its name ends the transaction that another has left open.
        producer()
        wait_for(broker, 120, len(TICKS) + 120)
        wait_for_lags(broker, 0)
        assert stored(database_url) == names([*TICKS, *parts[0], *parts[3]])
    reasons = {dict(one.headers)["reason"] for one in asyncio.run(read_all(broker, "dead-letters"))}
    assert reasons == {b"expected a committed transaction, received one that its producer aborted"}
