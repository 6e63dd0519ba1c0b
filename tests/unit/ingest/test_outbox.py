"""Nothing handed to the outbox is lost, whatever the broker does."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    LeaderNotAvailableError,
    TopicAuthorizationFailedError,
)

from services.common.errors import FatalError
from services.common.lag import Lag
from services.ingest.outbox import Outbox
from tests.unit.ingest.fake_clock import FakeClock


class Broker:
    """Takes what `verdict` lets it take; `refuse` are errors to raise before that, one a call."""

    def __init__(self, *refuse: KafkaError) -> None:
        self.refuse = list(refuse)
        self.verdict: Callable[[bytes], KafkaError | None] = lambda _: None
        self.taken: list[bytes] = []
        self.calls = 0

    async def send(self, topic: str, *, value: bytes, **_: Any) -> asyncio.Future[Any]:
        self.calls += 1
        if self.refuse:
            raise self.refuse.pop(0)
        delivery = asyncio.get_running_loop().create_future()
        if error := self.verdict(value):
            delivery.set_exception(error)
        else:
            self.taken.append(value)
            delivery.set_result(topic)
        return delivery


def send_all(broker: Broker, values: list[bytes], **options: Any) -> None:
    async def run() -> None:
        outbox = Outbox(broker.send, FakeClock().sleep, **options)
        for value in values:
            await outbox.send("ticks", value=value)
        await outbox.flush()

    asyncio.run(run())


def test_what_the_broker_has_not_taken_is_counted_and_timed() -> None:
    now_s, deliveries = 0.0, list[asyncio.Future[Any]]()

    async def send(topic: str, **_: Any) -> asyncio.Future[Any]:
        deliveries.append(asyncio.get_running_loop().create_future())
        return deliveries[-1]

    async def run() -> None:
        nonlocal now_s
        outbox = Outbox(send, seconds=lambda: now_s)
        assert outbox.lag() == Lag(0, 0.0)
        for sent_s in (1.0, 2.0, 5.0):
            now_s = sent_s
            await outbox.send("ticks", value=b"")
        now_s = 7.0
        assert outbox.lag() == Lag(3, 6.0)
        deliveries[0].set_result(None)
        deliveries[1].set_exception(LeaderNotAvailableError())
        assert outbox.lag() == Lag(2, 5.0)
        await outbox.send("ticks", value=b"")
        assert outbox.lag() == Lag(3, 2.0)

    asyncio.run(run())


def test_a_failed_delivery_is_sent_again() -> None:
    broker, failed = Broker(), set[bytes]()

    def once(value: bytes) -> KafkaError | None:
        if value == b"2" and value not in failed:
            failed.add(value)
            return LeaderNotAvailableError()
        return None

    broker.verdict = once
    send_all(broker, [b"1", b"2", b"3"])
    assert sorted(broker.taken) == [b"1", b"2", b"3"]
    assert broker.calls == 4


def test_a_full_buffer_is_waited_for() -> None:
    broker = Broker(KafkaTimeoutError(), KafkaTimeoutError())
    send_all(broker, [b"1", b"2"])
    assert broker.taken == [b"1", b"2"]


def test_a_refusal_for_good_is_fatal() -> None:
    with pytest.raises(FatalError, match="TopicAuthorizationFailed"):
        send_all(Broker(TopicAuthorizationFailedError()), [b"1"])
    broker = Broker()
    broker.verdict = lambda _: TopicAuthorizationFailedError()
    with pytest.raises(FatalError, match="TopicAuthorizationFailed"):
        send_all(broker, [b"1"])


def test_waits_when_too_much_is_outstanding() -> None:
    deliveries: list[asyncio.Future[Any]] = []

    async def send(*_: Any, **__: Any) -> asyncio.Future[Any]:
        deliveries.append(asyncio.get_running_loop().create_future())
        return deliveries[-1]

    async def run() -> None:
        outbox = Outbox(send, limit=2)
        for _ in range(3):
            await outbox.send("ticks", value=b"")
        fourth = asyncio.ensure_future(outbox.send("ticks", value=b""))
        await asyncio.sleep(0)
        assert (len(deliveries), fourth.done()) == (3, False)
        deliveries[0].set_result(None)
        await fourth
        assert len(deliveries) == 4

    asyncio.run(run())
