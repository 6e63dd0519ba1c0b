"""Publisher: no message is lost or overtaken, whatever the broker does."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    LeaderNotAvailableError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import FatalError
from services.common.kafka.flow_control import FlowControl
from services.common.kafka.lag import Lag
from services.common.kafka.publisher import Publisher, partition_of_key
from services.common.kafka.send_queue import LINGER_S
from tests import virtual_time
from tests.publishing import PARTITIONS, FakeProducer, publisher, publishing, settle

AWAY = (KafkaTimeoutError, KafkaConnectionError, LeaderNotAvailableError, UnknownTopicOrPartitionError)


def send_all(producer: FakeProducer, *values: bytes, **options: Any) -> list[bytes | None]:
    async def work(out: Publisher) -> None:
        for value in values:
            await out.send("ticks", value=value, partition=0)
        await out.flush()

    return publishing(producer, work, **options).values("ticks")


def test_a_message_is_sent_as_it_was_given() -> None:
    async def work(out: Publisher) -> None:
        await out.send("alerts", key=b"k", value=b"v", headers=[("reason", b"none")], timestamp_ms=7)
        await out.send("pairs", key=b"k", value=None)

    alert, pair = publishing(FakeProducer(), work).taken
    assert (alert.topic, alert.key, alert.value, list(alert.headers), alert.timestamp_ms) == (
        "alerts",
        b"k",
        b"v",
        [("reason", b"none")],
        7,
    )
    assert (pair.key, pair.value) == (b"k", None)
    assert pair.timestamp_ms > 1_600_000_000_000


@given(st.binary(max_size=20), st.integers(1, 64))
def test_a_key_has_the_partition_that_kafkas_own_clients_give_it(key: bytes, count: int) -> None:
    numbers = list(range(count))
    assert partition_of_key(key, numbers) == DefaultPartitioner()(key, numbers, numbers)


def test_messages_without_a_key_go_anywhere() -> None:
    async def work(out: Publisher) -> None:
        for _ in range(100):
            await out.send("ticks", value=b"v")

    assert {one.partition for one in publishing(FakeProducer(), work).taken} == set(range(PARTITIONS))


def test_a_message_larger_than_a_batch_goes_alone() -> None:
    values = [b"1", b"x" * 5_000, b"2"]
    assert send_all(FakeProducer(batch_bytes=1_000), *values) == values


@given(
    st.lists(st.tuples(st.integers(0, PARTITIONS - 1), st.booleans()), max_size=60),
    st.lists(st.sampled_from(AWAY), max_size=8),
    st.integers(80, 400),
    st.integers(100, 2_000),
)
def test_whatever_the_broker_does_all_comes_once_and_in_order(
    sent: list[tuple[int, bool]], refusals: list[type[KafkaError]], batch_bytes: int, limit_bytes: int
) -> None:
    """Each message has its number; some wait before the next one, as long as a batch does."""

    async def work(out: Publisher) -> None:
        for number, (partition, pauses) in enumerate(sent):
            await out.send("ticks", value=b"%d" % number, partition=partition)
            if pauses:
                await asyncio.sleep(LINGER_S)
        await out.flush()
        assert out.lag() == Lag(0, 0.0)

    producer = FakeProducer(*(refusal() for refusal in refusals), batch_bytes=batch_bytes)
    publishing(producer, work, limit_bytes=limit_bytes)
    for partition in range(PARTITIONS):
        came = [one.value for one in producer.taken if one.partition == partition]
        assert came == [b"%d" % number for number, (place, _) in enumerate(sent) if place == partition]


def test_a_broker_that_knows_no_partitions_yet_is_asked_again() -> None:
    async def work(out: Publisher) -> None:
        await out.send("ticks", key=b"BTCUSDT", value=b"1")

    producer = publishing(FakeProducer(*(error() for error in AWAY)), work)
    assert producer.values("ticks") == [b"1"]


async def require_refused(awaited: Awaitable[object]) -> None:
    expected = r"expected the broker to take messages of ticks, received .*TopicAuthorizationFailed"
    with pytest.raises(FatalError, match=expected):
        await awaited


def test_a_topic_that_is_refused_for_good_is_fatal() -> None:
    async def work(out: Publisher) -> None:
        await require_refused(out.send("ticks", key=b"k", value=b"1"))

    assert publishing(FakeProducer(TopicAuthorizationFailedError()), work).taken == []


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_refusal_for_good_is_fatal_for_everybody(is_taken: bool) -> None:
    """Whether the batch is refused at once or after it was taken."""

    async def work(out: Publisher) -> None:
        running = asyncio.create_task(out.run())
        await require_refused(await out.send("ticks", value=b"1", partition=0))
        await require_refused(running)
        for again in (out.run(), out.flush(), out.send("ticks", value=b"2", partition=0)):
            await require_refused(again)

    error = TopicAuthorizationFailedError()
    producer = FakeProducer(*([] if is_taken else [error]))
    producer.verdict = lambda _: error
    assert publishing(producer, work).taken == []


def test_a_refusal_ends_the_wait_of_those_who_wait_for_room() -> None:
    async def work(out: Publisher) -> None:
        for _ in range(20):
            await out.send("ticks", value=b"x" * 50, partition=0)

    producer = FakeProducer(batch_bytes=100)
    producer.verdict = lambda _: TopicAuthorizationFailedError()
    with pytest.raises(FatalError):
        publishing(producer, work, limit_bytes=200)


def test_a_delivery_that_nobody_cancelled_does_not_end_in_silence() -> None:
    class Closing(FakeProducer):
        async def send_batch(self, *_: Any, **__: Any) -> Any:
            raise asyncio.CancelledError  # as a client has it that closes its connection

    async def work(out: Publisher) -> None:
        running = asyncio.create_task(out.run())
        await out.send("ticks", value=b"1", partition=0)
        with pytest.raises(FatalError, match=r"the delivery of ticks: .* nobody asked for"):
            await running

    publishing(Closing(), work)


def test_a_defect_is_not_swallowed() -> None:
    producer = FakeProducer()
    producer.verdict = lambda _: ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        send_all(producer, b"1")


def test_waits_when_too_much_of_a_topic_is_outstanding_and_lets_others_pass() -> None:
    async def fill(out: Publisher) -> None:
        for _ in range(1_000):
            await out.send("ticks", value=b"x" * 90, partition=0)

    async def work(out: Publisher) -> None:
        filling = asyncio.create_task(fill(out))
        await settle()
        messages = out.lag().messages
        assert messages is not None
        assert 5 <= messages < 20
        await settle()
        assert (out.lag().messages, filling.done()) == (messages, False)
        beat = await out.send("heartbeats", key=b"ingest", value=b"alive")
        await settle()
        producer.holds = False
        producer.answer()
        await beat
        await filling

    producer = FakeProducer(batch_bytes=400)
    producer.holds = True
    publishing(producer, work, limit_bytes=1_000)
    assert len(producer.values("ticks")) == 1_000


def test_what_the_broker_has_not_taken_is_counted_and_timed() -> None:
    async def work(out: Publisher) -> None:
        assert out.lag() == Lag(0, 0.0)
        await out.send("ticks", value=b"1", partition=0)
        await asyncio.sleep(2.0)
        await out.send("ticks", value=b"2", partition=1)
        await asyncio.sleep(1.0)
        assert out.lag() == Lag(2, 3.0)
        producer.answer(1)
        await settle()
        assert out.lag().messages == 1
        assert out.lag().seconds == pytest.approx(1.0, abs=0.1)
        producer.answer()
        await settle()
        assert out.lag() == Lag(0, 0.0)

    producer = FakeProducer()
    producer.holds = True
    publishing(producer, work)


def test_one_topic_can_be_waited_for() -> None:
    async def work(out: Publisher) -> None:
        await out.send("ticks", value=b"1", partition=0)
        producer.holds = True
        await out.send("alerts", value=b"1", partition=0)
        producer.holds = False
        began_s = asyncio.get_running_loop().time()
        await out.flush("ticks")
        assert producer.values("ticks") == [b"1"]
        assert asyncio.get_running_loop().time() == began_s

    producer = FakeProducer()
    publishing(producer, work)


def test_who_gives_up_waiting_takes_nothing_back() -> None:
    async def work(out: Publisher) -> None:
        delivered = await out.send("ticks", value=b"1", partition=0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await out.flush()
        producer.answer()
        await delivered

    producer = FakeProducer()
    producer.holds = True
    assert publishing(producer, work).values("ticks") == [b"1"]


def test_closing_waits_for_a_moment_and_then_says_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    async def work(out: Publisher) -> None:
        await out.send("ticks", value=b"1", partition=0)
        await out.send("ticks", value=b"2", partition=1)

    producer = FakeProducer()
    producer.holds = True
    publishing(producer, work)
    assert "the service ends before the broker has all its messages" in (said := capsys.readouterr().out)
    assert "messages=2" in said


def test_what_waits_for_its_readers_is_told_apart() -> None:
    offset = 0

    async def committed(_: str, places: Any) -> dict[Any, int]:
        return dict.fromkeys(places, offset)

    async def work(out: Publisher) -> None:
        nonlocal offset
        for _ in range(20):
            await out.send("ticks", value=b"x" * 80, partition=0)
        await asyncio.sleep(1.0)
        assert (out.has_room("ticks"), out.has_room("alerts")) == (False, True)
        assert 0 < len(producer.taken) < 20
        offset = 20
        await out.flush()
        assert out.has_room("ticks")
        assert len(producer.taken) == 20

    async def run() -> None:
        made = publisher(producer, flow=FlowControl(committed, 1_000))
        await work(made)
        await made.close()

    producer = FakeProducer(batch_bytes=300)
    virtual_time.run(run())
