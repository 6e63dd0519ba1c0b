"""Topic reader: its first offsets, and new partitions."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import pytest
from aiokafka import TopicPartition

from services.api.service_health import ServiceHealth
from services.api.stream import topic_reader as live_tail
from services.api.stream.live_state import LiveState
from services.api.stream.topic_reader import AWAY, BACKLOG, TopicReader
from services.api.tape_health import TapeHealth
from services.common.errors import TransientError
from services.common.heartbeat import HeartbeatState
from services.common.kafka import clients
from services.common.settings import KafkaSettings
from services.common.unreadable import Unreadable
from tests.unit.api.stream.fake_reading import (
    ADDED,
    BEATS,
    FIRST,
    Letters,
    Partitions,
    Record,
)


@pytest.fixture(autouse=True)
def _ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the consumer where partitions end, and no broker."""

    async def ends(consumer: Partitions, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: consumer.ends[partition] for partition in partitions}

    monkeypatch.setattr(clients, "ends", ends)


def read(
    ends: dict[TopicPartition, int], *steps: dict[TopicPartition, int] | tuple[int, dict[TopicPartition, int]]
) -> tuple[Partitions, LiveState, HeartbeatState, TopicReader]:
    consumer, live_state, heartbeat = Partitions(ends), LiveState(), HeartbeatState("api")
    consumer.steps = list(steps)
    tail = TopicReader(KafkaSettings(), live_state, TapeHealth(), ServiceHealth(), heartbeat)
    tail._producer = Letters()
    read_on(tail, consumer)
    return consumer, live_state, heartbeat, tail


def read_on(tail: TopicReader, consumer: Partitions) -> None:
    async def run() -> None:
        with suppress(asyncio.CancelledError):
            await tail.read(consumer)

    asyncio.run(run())


def test_only_the_end_of_a_long_partition_is_read() -> None:
    consumer, live_state, _, tail = read({FIRST: 10_000})
    assert consumer.read[0] == (0, 10_000 - BACKLOG["ticks"])
    assert live_state.ticks["S0"].message.trade_id == 9_999
    assert tail.caught_up.is_set()


def test_a_bad_message_is_counted_and_an_empty_one_is_nothing() -> None:
    _, live_state, heartbeat, _ = read({FIRST: 40})
    assert (heartbeat.counters["messages"], heartbeat.counters["bad_messages"]) == (38, 2)
    assert live_state.ticks["S0"].message.trade_id == 39


def test_a_bad_heartbeat_is_buried_as_nobody_else_reads_them_and_a_bad_tick_is_not() -> None:
    place = TopicPartition("heartbeats", 2)

    async def run() -> None:
        tail = TopicReader(KafkaSettings(), LiveState(), TapeHealth(), ServiceHealth(), heartbeat)
        tail._producer = letters
        lost = Unreadable(b"", 3, 9, "why")
        for one in (place, FIRST):
            await tail._take_all(one, [Record(2, None), Record(3, b"{"), Record(9, lost)])

    heartbeat, letters = HeartbeatState("api"), Letters()
    asyncio.run(run())
    assert letters.sent == [("dead-letters", "heartbeats/2/3"), ("dead-letters", "heartbeats/2/3-9")]
    assert (heartbeat.counters["bad_messages"], heartbeat.counters["dead_letters"]) == (16, 8)


def test_nothing_is_read_twice_when_a_partition_is_added() -> None:
    _, live_state, heartbeat, _ = read({FIRST: 30}, {FIRST: 30}, {FIRST: 36, ADDED: 5}, {FIRST: 38, ADDED: 6})
    taken = sum(1 for n in range(38) if n % 10 != 7 or n % 20 == 7) + 6
    assert heartbeat.counters["messages"] == taken
    assert {symbol: entry.message.trade_id for symbol, entry in live_state.ticks.items()} == {
        "S0": 36,
        "S1": 5,
    }


def test_a_partition_that_has_begun_anew_is_read() -> None:
    _, live_state, heartbeat, _ = read({FIRST: 30}, {FIRST: 30}, {ADDED: 3}, {FIRST: 5, ADDED: 3})
    assert heartbeat.counters["messages"] == 29 + 3 + 5
    assert live_state.ticks["S1"].message.trade_id == 2


def test_what_the_broker_deleted_unread_is_counted_and_the_rest_is_read() -> None:
    consumer, live_state, heartbeat, _ = read({FIRST: 30}, {FIRST: 30}, (40, {FIRST: 50}))
    assert heartbeat.lost == {"ticks": 10}
    assert [offset for _, offset in consumer.read] == [*range(30), *range(40, 50)]
    assert live_state.ticks["S0"].message.trade_id == 49


def test_where_nothing_is_left_the_loss_is_counted_at_once() -> None:
    consumer, _, heartbeat, _ = read({FIRST: 30}, {FIRST: 30}, (45, {FIRST: 45}))
    assert (heartbeat.lost, consumer.read[-1]) == ({"ticks": 15}, (0, 29))


def test_the_backlog_passed_over_at_the_start_is_no_loss_but_later_everything_is_read() -> None:
    consumer, _, heartbeat, tail = read({FIRST: 10_000})
    assert (heartbeat.lost, consumer.sought) == ({}, [10_000 - BACKLOG["ticks"]])
    again = Partitions({FIRST: 40_000})
    again.first = 10_500
    read_on(tail, again)
    assert (heartbeat.lost, again.sought, len(again.read)) == ({"ticks": 500}, [10_500], 29_500)


def test_a_topic_made_anew_under_the_same_name_is_read_from_its_first_message() -> None:
    consumer, _, heartbeat, _ = read({FIRST: 30}, {FIRST: 30}, {FIRST: 5}, {FIRST: 5}, {FIRST: 6})
    assert [offset for _, offset in consumer.read[30:]] == [*range(5), *range(5), 5]
    assert (heartbeat.lost, heartbeat.counters["messages"]) == ({}, 29 + 6)


def problem(tail: TopicReader) -> str | None:
    return tail.problem


def test_topics_are_readable_while_the_broker_answers_and_what_comes_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_tail, "INTERVAL_S", 0.0)
    monkeypatch.setattr(live_tail, "STALLED_S", 0.0)
    consumer, _, _, tail = read({FIRST: 30})
    assert tail.problem == AWAY
    looks: list[str | None] = []

    async def grow(_: Partitions, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        looks.append(tail.problem)
        consumer.ends = {FIRST: consumer.ends[FIRST] + 1}
        return dict(consumer.ends)

    monkeypatch.setattr(clients, "ends", grow)
    with pytest.raises(TransientError, match="expected ticks/0 to be read, but offset 30 has stood still"):
        asyncio.run(tail._watch(consumer))
    assert looks[:2] == [AWAY, None]
    assert "offset 30 has stood still" in (problem(tail) or "")
    read_on(tail, Partitions({FIRST: 40}))
    assert problem(tail) is None
    monkeypatch.setattr(live_tail, "SILENT_S", 0.0)
    assert problem(tail) == AWAY


def test_a_broker_that_answers_nobody_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_tail, "ANSWER_S", 0.01)
    consumer, _, _, tail = read({FIRST: 30})

    async def hang(_: Partitions, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(clients, "ends", hang)
    with pytest.raises(TransientError, match="expected an answer of the broker"):
        asyncio.run(tail._watch(consumer))
    assert tail.problem == AWAY


def test_heartbeats_are_taken_in_the_order_they_came_and_what_is_none_is_counted() -> None:
    _, _, heartbeat, tail = read({BEATS: 13})
    assert (heartbeat.counters["messages"], heartbeat.counters["bad_messages"]) == (13, 2)
    letters = tail._producer
    assert isinstance(letters, Letters)
    assert letters.sent == [("dead-letters", "heartbeats/0/3"), ("dead-letters", "heartbeats/0/8")]
    assert heartbeat.counters["dead_letters"] == 2
    (sink,) = [one for one in tail._health.services(heartbeat.message()) if one["service"] == "sink"]
    assert (sink["instances"][0]["said"], sink["age_s"]) == ("degraded", None)


def test_who_beats_is_alive_once_it_is_known_what_came_before() -> None:
    """The reader asks for the ends, then more comes."""
    consumer, heartbeat = Partitions({BEATS: 10}), HeartbeatState("api")
    health = ServiceHealth()
    tail = TopicReader(KafkaSettings(), LiveState(), TapeHealth(), health, heartbeat)
    tail._producer = Letters()

    async def run() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await tail._watch(consumer)
        assert tail.problem is None
        with suppress(asyncio.CancelledError):
            await tail.read(consumer)
        assert state() == "catching up"
        consumer.ends = {BEATS: 13}
        with suppress(asyncio.CancelledError):
            await tail.read(consumer)
        assert state() == "degraded"

    def state() -> object:
        return next(one["state"] for one in health.services(heartbeat.message()) if one["service"] == "sink")

    asyncio.run(run())
