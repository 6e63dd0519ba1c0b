"""Ticks deleted by the broker while no worker runs: counted, reported, and never taken for a quiet market."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from services.common.clock import SECOND
from services.common.codec import decode, encode
from services.common.kafka import clients, flow_control
from services.common.settings import KafkaSettings
from services.contracts.messages import Heartbeat, Signal, TapeEvent
from services.contracts.topics import ANALYTICS_GROUP, HEARTBEATS, SIGNALS, TAPE_EVENTS, TICKS, TIME_MARKS
from services.ingest.time_marks import TimeMarks
from tests import builders
from tests.analytics import published, walk
from tests.broker import produce, read_all
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

START_US = 1_767_225_600_000_000
PARTITION = {"ETHUSDT": 0, "BTCUSDT": 1}
# More than the embedded broker keeps of a partition.
_FLOOD_BYTES = 6 << 20


@contextmanager
def worker(broker: str) -> Iterator[None]:
    """Run one, until it is killed."""
    environment = {
        **os.environ,
        "PAIRSTREAM_BROKERS": broker,
        "PAIRSTREAM_FETCH_MAX_WAIT_MS": "25",
        "PAIRSTREAM_SESSION_TIMEOUT_S": "3",
        "PAIRSTREAM_WINDOW": "30",
    }
    process = subprocess.Popen((sys.executable, "-m", "services.stream_analytics"), env=environment)
    try:
        yield
    finally:
        process.kill()
        process.wait()


class Tape:
    """A tape that goes on where it was, with the marks of ingest."""

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self._ticks = walk({"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0}, 10, START_US, 150, random.Random(11))
        self._marks = TimeMarks()

    def send(self, until_s: int) -> None:
        """Publish what happened until then."""
        until_us = START_US + until_s * SECOND
        some = [tick for tick in self._ticks if tick.event_us < until_us]
        del self._ticks[: len(some)]
        some, marks = published(some, self._marks)
        produce(self._broker, TICKS.name, ((encode(tick), PARTITION[tick.symbol]) for tick in some))
        produce(self._broker, TIME_MARKS.name, ((encode(mark), PARTITION[mark.symbol]) for mark in marks))


async def delete_records(broker: str) -> None:
    """Have Kafka delete what there is of both partitions of ticks, as retention does."""
    async with clients.admin(KafkaSettings(brokers=broker)) as admin:
        await admin.delete_records(
            {
                TopicPartition(TICKS.name, number): RecordsToDelete(before_offset=-1)
                for number in PARTITION.values()
            }
        )


def flood(broker: str) -> None:
    """Push what there is out of both partitions of the embedded broker's ticks."""
    tick = builders.tick(venue="test", symbol="FLOOD", event_us=START_US)
    raw = encode(tick)
    for number in PARTITION.values():
        produce(broker, TICKS.name, ((raw, number) for _ in range(_FLOOD_BYTES // len(raw))))


async def read_next(broker: str) -> dict[TopicPartition, int]:
    """Return where the group goes on, -1 where it has acknowledged nothing."""
    async with clients.admin(KafkaSettings(brokers=broker)) as admin:
        places = [TopicPartition(TICKS.name, number) for number in PARTITION.values()]
        return dict(await flow_control.asking(admin)(ANALYTICS_GROUP, places))


async def deleted(broker: str) -> int:
    """Return how many messages the group has not acknowledged and can no longer read."""
    following = await read_next(broker)
    async with clients.consumer(KafkaSettings(brokers=broker)) as consumer:
        consumer.assign(list(following))
        earliest = await consumer.beginning_offsets(list(following))
    return sum(earliest[place] - offset for place, offset in following.items())


def closes(broker: str) -> dict[int, Signal]:
    """Return the closed signals by the seconds of the tape that they end."""
    signals = [decode(record.value, Signal) for record in asyncio.run(read_all(broker, SIGNALS.name))]
    return {(signal.event_us - START_US) // SECOND: signal for signal in signals if signal.closed}


def said(broker: str) -> int:
    """Return how many messages are said to be lost on the topic of what happens to tapes."""
    events = [decode(record.value, TapeEvent) for record in asyncio.run(read_all(broker, TAPE_EVENTS.name))]
    lost = [event for event in events if event.kind == "messages_lost"]
    assert all((event.reader, event.topic) == ("stream_analytics", TICKS.name) for event in lost)
    return sum(event.messages or 0 for event in lost)


def test_what_was_deleted_unread_is_counted_and_its_seconds_are_torn_by_loss(
    request: pytest.FixtureRequest, broker: str
) -> None:
    tape = Tape(broker)
    with worker(broker):
        tape.send(50)
        wait_until(lambda: 45 in closes(broker), "45 closed seconds", within_s=60)
        wait_until(lambda: min(asyncio.run(read_next(broker)).values()) > 0, "acknowledged ticks")
    tape.send(100)
    if request.node.callspec.params["broker"] == "kafka":
        asyncio.run(delete_records(broker))
    else:
        flood(broker)
    # What comes now may push out more of the flood.
    tape.send(150)
    lost = asyncio.run(deleted(broker))
    assert lost > 400
    with worker(broker):
        wait_until(lambda: 145 in closes(broker), "145 closed seconds", within_s=60)
        wait_until(lambda: said(broker) == lost, f"{lost} lost messages", within_s=10)
        beats = [decode(record.value, Heartbeat) for record in asyncio.run(read_all(broker, HEARTBEATS.name))]
        assert max(beats, key=lambda beat: beat.at_us).lost == {TICKS.name: lost}
    signals = closes(broker)
    assert signals[145].quality == "ok"
    unseen = [signals[second] for second in range(52, 100) if second in signals]
    assert {signal.quality for signal in unseen} == {"stale"}
    assert {signal.reason for signal in unseen if "were lost unread" not in (signal.reason or "")} == set()
    assert not any("quiet" in (signal.reason or "") for signal in signals.values())
