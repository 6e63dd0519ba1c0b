"""Embedded broker: a group begins at once, and each broker is one of its own."""

import asyncio
import os
import resource
import time

import pytest
from aiokafka import AIOKafkaConsumer
from confluent_kafka import KafkaException, Producer

from services.common.errors import FatalError
from services.local.embedded_broker import EmbeddedBroker
from tests.broker import produce


def test_the_first_member_of_a_group_waits_for_no_second_one() -> None:
    broker = EmbeddedBroker()
    produce(broker.servers, "ticks", [(b"one", 2)])

    async def first() -> tuple[float, bytes | None, int]:
        began_s = time.monotonic()
        consumer = AIOKafkaConsumer(
            "ticks", bootstrap_servers=broker.servers, group_id="readers", auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            record = await consumer.getone()
            return time.monotonic() - began_s, record.value, len(consumer.assignment())
        finally:
            await consumer.stop()

    took_s, value, partitions = asyncio.run(first())
    assert (value, partitions) == (b"one", 4)
    assert took_s < 2


def test_two_brokers_know_nothing_of_each_other_and_end_with_their_objects() -> None:
    one, other = EmbeddedBroker(), EmbeddedBroker()
    assert one.servers != other.servers
    produce(one.servers, "ticks", [(b"one", 0)])
    assert "ticks" not in Producer({"bootstrap.servers": other.servers}).list_topics(timeout=10).topics
    address = one.servers
    del one
    with pytest.raises(KafkaException):
        Producer({"bootstrap.servers": address}).list_topics(timeout=0.5)


def test_where_no_socket_can_be_had_it_says_so_and_the_process_lives() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for free in (0, 1, 2, 5, 10):
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + free, hard))
        try:
            with pytest.raises(
                FatalError, match=r"received Too many open files: raise the limit .*ulimit -n"
            ):
                EmbeddedBroker()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
