"""Read topics beside the pipeline, in a thread of its own."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from services.common import clock
from services.contracts.topics import Topic
from tests.brokers.kafka import PARTITIONS

_POLL_S = 0.2
# What follows the first message of a fetch is here already.
_MORE = 10_000

# Until the services have made a topic, it is not there.
_NOT_YET = {
    *(KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._ALL_BROKERS_DOWN),
    *(KafkaError._TRANSPORT, KafkaError._PARTITION_EOF),
}

Take = Callable[[str, bytes, int], None]


@contextmanager
def reading(servers: str, topics: Sequence[Topic], take: Take, wait_ms: int) -> Iterator[None]:
    """Read topics from their beginning until the block ends; what `take` or the broker raises is raised then.

    `take` gets the topic, the message and when it was here (epoch, us), in the thread that reads. A fetch waits
    `wait_ms` on the embedded broker.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "benchmark",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": wait_ms,
            "fetch.queue.backoff.ms": 5,
        }
    )
    consumer.assign(
        [TopicPartition(one.name, number, OFFSET_BEGINNING) for one in topics for number in range(PARTITIONS)]
    )
    ending = threading.Event()
    errors: list[Exception] = []

    def read() -> None:
        try:
            while not ending.is_set():
                if (first := consumer.poll(_POLL_S)) is not None:
                    for message in [first, *consumer.consume(_MORE, 0)]:
                        _give(message, take, clock.now_us())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=read, name="reader")
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
        consumer.close()
    if errors:
        raise errors[0]


def _give(message: Message, take: Take, now_us: int) -> None:
    error = message.error()
    if error is None:
        take(message.topic() or "", message.value() or b"", now_us)
    elif error.code() not in _NOT_YET:
        raise AssertionError(f"expected messages, received {error}")
