"""Ingest's outbox on Kafka: brokers die while it sends, and nothing it was given is missing afterwards."""

import asyncio

import pytest

from services.common import kafka as clients
from services.common.settings import KafkaSettings
from services.common.topics import TICKS
from services.ingest.outbox import Outbox
from tests.broker import read_all
from tests.brokers.kafka import PARTITIONS, Cluster
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

MESSAGES = [b"%d" % number for number in range(6_000)]


async def send_while_it_dies(cluster: Cluster, back_again: bool) -> None:
    """Send all messages; the first broker dies in the middle of it."""
    broker = cluster.brokers[0]
    settings = KafkaSettings(brokers=cluster.servers)
    async with clients.producer(settings, enable_idempotence=True) as producer:
        outbox = Outbox(producer.send)
        for number, value in enumerate(MESSAGES):
            if number == len(MESSAGES) // 2:
                broker.kill()
            await outbox.send(TICKS.name, value=value, partition=number % PARTITIONS)
        if back_again:
            broker.start()
        async with asyncio.timeout(60):
            await outbox.flush()


def sent(servers: str) -> set[bytes]:
    return {record.value for record in asyncio.run(read_all(servers, TICKS.name))}


def test_a_broker_that_dies_and_comes_back_costs_no_message(kafka: Cluster) -> None:
    asyncio.run(send_while_it_dies(kafka, back_again=True))
    assert sent(kafka.servers) == set(MESSAGES)


def test_others_take_over_from_a_broker_that_stays_away(three_kafkas: Cluster) -> None:
    asyncio.run(send_while_it_dies(three_kafkas, back_again=False))
    left = three_kafkas.brokers[1:]
    wait_until(lambda: all(broker.listens() for broker in left), "two brokers are left")
    assert sent(",".join(broker.address for broker in left)) == set(MESSAGES)
