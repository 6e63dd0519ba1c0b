"""Helpers that write to a broker and read from it."""

from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, Message, Producer
from confluent_kafka import TopicPartition as ConfluentPartition
from confluent_kafka.admin import AdminClient


def produce(
    broker: str,
    topic: str,
    values: Iterable[tuple[bytes, int]],
    key: bytes | None = None,
    codec: str = "none",
) -> None:
    """Send each value to its partition, and wait until the broker has them all; AssertionError if it refuses one."""
    options = {"linger.ms": 5, "message.max.bytes": 2_000_000, "compression.type": codec}
    producer = Producer({"bootstrap.servers": broker, **options})
    refused: list[KafkaError] = []

    def answered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            refused.append(error)

    for value, partition in values:
        producer.produce(topic, value, key=key, partition=partition, on_delivery=answered)
        producer.poll(0)
    assert producer.flush(60) == 0
    assert not refused, refused[0]


def first_offsets(broker: str, topic: str) -> list[int]:
    """Return the offset of the first message that is kept of each partition."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "test"})
    try:
        places = [ConfluentPartition(topic, number) for number in range(4)]
        return [consumer.get_watermark_offsets(place, timeout=10)[0] for place in places]
    finally:
        consumer.close()


def reset_group(broker: str, group: str, topic: str, to_end: bool) -> None:
    """Put the offsets of a group without members at the end or the beginning of a topic, as an operator does."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "test"})
    places = [ConfluentPartition(topic, number) for number in range(4)]
    for place in places:
        place.offset = consumer.get_watermark_offsets(place, timeout=10)[to_end]
    consumer.close()
    admin = AdminClient({"bootstrap.servers": broker})
    answered = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)])[group]
    assert all(place.error is None for place in answered.result(20).topic_partitions)


async def read_all(broker: str, topic: str) -> list[ConsumerRecord]:
    """Return every message of `topic`."""
    consumer = AIOKafkaConsumer(bootstrap_servers=broker, fetch_max_wait_ms=25, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(4)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        records: list[ConsumerRecord] = []
        # Not every offset has a message: some are compacted away, some are marks of transactions.
        for partition, end in ends.items():
            while await consumer.position(partition) < end:
                for received in (await consumer.getmany(timeout_ms=1000)).values():
                    records += received
        return records
    finally:
        await consumer.stop()
