"""Send queue: which messages share a batch, and how long it waits for more."""

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition

from services.common.kafka import send_queue
from services.common.kafka.publisher import Publisher
from services.common.kafka.waker import Waker
from tests.publishing import PARTITIONS, FakeProducer, publishing, settle


def test_what_comes_in_one_turn_of_the_loop_goes_together() -> None:
    async def work(out: Publisher) -> None:
        for value in (b"1", b"2", b"3"):
            await out.send("ticks", value=value, partition=1)
        assert producer.batches == []
        await settle()
        assert [[one.value for one in batch] for batch in producer.batches] == [[b"1", b"2", b"3"]]
        await out.send("ticks", value=b"4", partition=1)
        await settle()
        assert len(producer.batches) == 2

    producer = FakeProducer()
    publishing(producer, work)


def test_while_many_come_they_wait_for_more() -> None:
    """Batches cost more than messages; few messages do not wait."""

    async def batches(out: Publisher, every_s: float) -> int:
        before = len(producer.batches)
        for _ in range(round(2.0 / every_s)):
            await out.send("ticks", value=b"1", partition=1)
            await asyncio.sleep(every_s)
        return len(producer.batches) - before

    async def work(out: Publisher) -> None:
        assert await batches(out, 0.01) == 200
        assert 150 <= await batches(out, 0.001) <= 225
        assert await batches(out, 0.01) >= 190

    producer = FakeProducer()
    publishing(producer, work)


def test_what_holds_many_things_already_waits_for_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_queue, "LINGER_S", 0.02)

    async def work(out: Publisher) -> None:
        await out.send("leg-trades", value=b"1", partition=1)
        await out.send("leg-trades", value=b"2", partition=1, at_once=True)
        await out.send("leg-trades", value=b"3", partition=2)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [[one.value for one in batch] for batch in producer.batches] == [[b"1", b"2"]]

    producer = FakeProducer()
    assert len(publishing(producer, work).taken) == 3


def test_a_full_batch_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_queue, "LINGER_S", 0.02)

    async def work(out: Publisher) -> None:
        for _ in range(3):
            await out.send("ticks", value=b"x" * 400, partition=1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [len(batch) for batch in producer.batches] == [2]

    producer = FakeProducer(batch_bytes=1_000)
    publishing(producer, work)
    assert [len(batch) for batch in producer.batches] == [2, 1]


def test_the_readers_of_what_came_are_woken_once_an_answer() -> None:
    woken: list[set[TopicPartition]] = []

    class Listening(Waker):
        def wake(self, places: Any) -> None:
            woken.append({one.place for one in places})

    async def work(out: Publisher) -> None:
        for topic in ("ticks", "alerts"):
            for partition in range(PARTITIONS):
                await out.send(topic, value=b"1", partition=partition)
        await settle()
        assert woken == [
            {TopicPartition(topic, number) for topic in ("ticks", "alerts") for number in range(PARTITIONS)}
        ]

    publishing(FakeProducer(), work, waker=Listening(None))
