"""Recovery of state from a changelog that Kafka has compacted, bit for bit."""

import asyncio

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from services.common.clock import SECOND
from services.contracts.topics import WINDOWS
from tests.broker import read_all
from tests.brokers.kafka import PARTITIONS, Cluster
from tests.waiting import wait_until
from tests.workers import START_US, Load, closes, expected, group, tape

pytestmark = pytest.mark.integration

# The ring of this window has six chunks of 128 samples: before the kill its slots are written again.
_WINDOW = 300
_KILLED_AFTER_US = 1_000 * SECOND


@pytest.fixture
def compacting(kafka: Cluster) -> str:
    """Return a Kafka that compacts the changelog within seconds."""
    eager = {
        "segment.ms": "200",
        "min.cleanable.dirty.ratio": "0.01",
        "delete.retention.ms": "0",
        "max.compaction.lag.ms": "200",
    }
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in eager.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, WINDOWS.name, incremental_configs=entries)
    client = AdminClient({"bootstrap.servers": kafka.servers})
    for answer in client.incremental_alter_configs([resource]).values():
        answer.result(10)
    return kafka.servers


def left_and_sent(servers: str) -> tuple[int, int]:
    """Return how many messages the changelog has, and how many were sent to it."""
    records = asyncio.run(read_all(servers, WINDOWS.name))
    ends = {record.partition: record.offset + 1 for record in records}
    return len(records), sum(ends.values())


def is_compacted(servers: str) -> bool:
    left, sent = left_and_sent(servers)
    return left < 0.8 * sent


def end_with_a_mark(producer: Producer) -> None:
    """End each partition of the changelog with an offset without a message, as a compacted tombstone leaves it."""
    producer.begin_transaction()
    for number in range(PARTITIONS):
        producer.produce(WINDOWS.name, b"", key=b"unknown", partition=number)
    producer.commit_transaction(10)


@pytest.mark.long
def test_a_kill_after_a_compaction_changes_no_bit(compacting: str) -> None:
    ticks = tape(seconds=1_100, per_second=12)
    first = [tick for tick in ticks if tick.event_us < START_US + _KILLED_AFTER_US]
    said = expected(ticks, window=_WINDOW)
    with group(compacting, window=_WINDOW, save_interval_s=0.1) as (workers, sayings):
        workers.join()
        load = Load(compacting, first, pause_s=0.05, chunk_s=15.0, ends=False)
        producer = Producer({"bootstrap.servers": compacting, "transactional.id": "test"})
        producer.init_transactions(10)
        load.wait()
        sayings.wait_for(closes(expected(first, ends=False, window=_WINDOW)), workers)
        wait_until(lambda: is_compacted(compacting), "a compacted changelog", within_s=60)
        workers.kill_oldest()
        end_with_a_mark(producer)
        workers.join()
        Load(compacting, ticks[len(first) :], pause_s=0.0, chunk_s=1_000.0).wait()
        sayings.wait_for(closes(said), workers)
        sayings.check(said)
