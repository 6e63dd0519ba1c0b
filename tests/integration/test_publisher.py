"""Publisher on brokers that die, lose their leader or keep little: no message is missing."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition

from services.common.codec import encode
from services.common.kafka import clients as clients
from services.common.kafka.publisher import publisher
from services.common.settings import KafkaSettings
from services.contracts.topics import TICKS
from tests import builders
from tests.broker import read_all
from tests.brokers.kafka import PARTITIONS, Cluster
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

MESSAGES = [b"%d" % number for number in range(6_000)]
PLACE = TopicPartition(TICKS.name, 0)
# The embedded broker keeps so much of a partition, and the Kafka of the tests, too.
KEEPS = 5 << 20
TICKS_SENT = 120_000


async def send_while_it_dies(cluster: Cluster, back_again: bool) -> None:
    """Send all messages; the first broker dies in the middle of it."""
    broker = cluster.brokers[0]
    async with publisher(KafkaSettings(brokers=cluster.servers)) as out:
        for number, value in enumerate(MESSAGES):
            if number == len(MESSAGES) // 2:
                broker.kill()
            await out.send(TICKS.name, value=value, partition=number % PARTITIONS)
        if back_again:
            broker.start()
        async with asyncio.timeout(60):
            await out.flush()


def require_all_in_order(servers: str) -> None:
    """Require every message once, each partition's in the order in which they were sent."""
    records = asyncio.run(read_all(servers, TICKS.name))
    for number in range(PARTITIONS):
        came = [record.value for record in records if record.partition == number]
        assert came == MESSAGES[number::PARTITIONS]


def test_a_broker_that_dies_and_comes_back_costs_no_message(kafka: Cluster) -> None:
    asyncio.run(send_while_it_dies(kafka, back_again=True))
    require_all_in_order(kafka.servers)


@pytest.mark.long
def test_others_take_over_from_a_broker_that_stays_away(three_kafkas: Cluster) -> None:
    asyncio.run(send_while_it_dies(three_kafkas, back_again=False))
    left = three_kafkas.brokers[1:]
    wait_until(lambda: all(broker.listens() for broker in left), "two brokers are left")
    require_all_in_order(",".join(broker.address for broker in left))


def test_a_partition_without_a_leader_is_waited_for_however_long(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For longer than a producer keeps what it cannot send."""

    async def run() -> None:
        async with publisher(KafkaSettings(brokers=broker), request_timeout_ms=200) as out:
            await out.send(TICKS.name, value=MESSAGES[0], partition=0)
            await out.flush()
            back_s = time.monotonic() + 1.0
            cluster = out._producer.client.cluster
            leader = cluster.leader_for_partition
            monkeypatch.setattr(
                cluster,
                "leader_for_partition",
                lambda place: leader(place) if time.monotonic() > back_s else -1,
            )
            for number, value in enumerate(MESSAGES[1:], 1):
                await out.send(TICKS.name, value=value, partition=number % PARTITIONS)
            async with asyncio.timeout(30):
                await out.flush()
            assert time.monotonic() > back_s

    asyncio.run(run())
    require_all_in_order(broker)


def tick(number: int) -> bytes:
    return encode(
        builders.tick(
            venue="test",
            trade_id=number,
            event_us=1_767_225_600_000_000 + 997 * number,
            received_us=1_767_225_600_000_000 + 997 * number + 90,
            price=100.0 + number % 977,
            size=0.5 + number % 89,
            buyer_is_maker=number % 3 == 0,
        )
    )


async def read_slowly(settings: KafkaSettings, group: str, at_once: int) -> None:
    """Read every tick in the order of its number, and commit again and again; the broker must still have the next."""
    following = 0
    async with clients.consumer(settings, group_id=group) as consumer:
        consumer.assign([PLACE])
        while following < TICKS_SENT:
            for records in (await consumer.getmany(timeout_ms=100, max_records=at_once)).values():
                assert (records[0].offset, records[-1].offset + 1) == (following, following + len(records))
                assert [record.value for record in records] == [
                    *map(tick, range(following, records[-1].offset + 1))
                ]
                following = records[-1].offset + 1
                await consumer.commit({PLACE: following})
                earliest = (await consumer.beginning_offsets([PLACE]))[PLACE]
                assert earliest <= following


def test_a_producer_that_could_be_faster_drops_nothing_that_is_unread(broker: str) -> None:
    settings = KafkaSettings(
        brokers=broker, kafka_compression="none", broker_keeps_bytes=KEEPS, fetch_max_wait_ms=5
    )

    async def produce() -> int:
        """Send all and return the bytes of it."""
        size = 0
        async with publisher(settings) as out:
            for number in range(TICKS_SENT):
                size += len(value := tick(number))
                await out.send(TICKS.name, value=value, partition=PLACE.partition)
            await out.flush()
        return size

    async def run() -> None:
        paces: Sequence[int] = (3_000, 500)
        async with asyncio.timeout(120), asyncio.TaskGroup() as tasks:
            for group, at_once in zip(TICKS.groups, paces, strict=True):
                tasks.create_task(read_slowly(settings, group, at_once))
            producing = tasks.create_task(produce())
        assert producing.result() > 3 * KEEPS

    asyncio.run(run())
