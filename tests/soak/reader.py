"""Reader that hands every message on the topics to a checker at once, as the embedded broker keeps little."""

from typing import NoReturn

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.common.codec import decode
from services.contracts.messages import Heartbeat, TapeEvent, Tick
from services.contracts.topics import DEAD_LETTERS, HEARTBEATS, TAPE_EVENTS, TICKS
from tests.soak.checker import Checker

_PARTITIONS = 4


async def read(broker: str, checker: Checker) -> NoReturn:
    """Read until cancelled; AssertionError if the broker has deleted something unread."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker, fetch_max_wait_ms=40, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        topics = (TICKS, TAPE_EVENTS, HEARTBEATS, DEAD_LETTERS)
        consumer.assign(
            [TopicPartition(topic.name, number) for topic in topics for number in range(_PARTITIONS)]
        )
        due: dict[TopicPartition, int] = {}
        while True:
            for partition, records in (await consumer.getmany(timeout_ms=1000)).items():
                for record in records:
                    expected = due.get(partition, 0)
                    assert record.offset == expected, (
                        f"expected offset {expected} of {partition}: {record.offset}"
                    )
                    due[partition] = record.offset + 1
                    _show(checker, partition.topic, record.value)
    finally:
        await consumer.stop()


def _show(checker: Checker, topic: str, value: bytes) -> None:
    if topic == TICKS.name:
        checker.tick(decode(value, Tick))
    elif topic == TAPE_EVENTS.name:
        checker.event(decode(value, TapeEvent))
    elif topic == HEARTBEATS.name:
        beat = decode(value, Heartbeat)
        if beat.service == "ingest":
            checker.heartbeat = beat
    else:
        checker.dead_letters += 1
