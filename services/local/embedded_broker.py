"""Embedded broker: librdkafka's mock cluster, which speaks the real protocol on a loopback port."""

import logging

from confluent_kafka import KafkaException, Producer

from services.common.errors import FatalError

# The broker answers a fetch only when the fetch's wait is over: the latency of readers that are not woken.
FETCH_MAX_WAIT_MS = 5
# Of a partition; then it drops the oldest messages.
KEEPS_BYTES = 5 << 20


class EmbeddedBroker:
    """A broker that lives as long as this object: memory only, 4 partitions a topic, 5 MiB kept in each."""

    def __init__(self) -> None:
        quiet = logging.getLogger("librdkafka")
        quiet.setLevel(logging.CRITICAL)
        # bootstrap.servers is ignored by a mock cluster, but a producer cannot be built without it.
        try:
            self._owner = Producer(
                {"test.mock.num.brokers": 1, "bootstrap.servers": "127.0.0.1"}, logger=quiet
            )
            brokers = self._owner.list_topics(timeout=10).brokers.values()
        except KafkaException as error:
            raise FatalError(
                f"expected the embedded broker to listen on loopback, received {error}"
            ) from error
        self.servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        if not self.servers:
            raise FatalError("expected the embedded broker to name its address, received none")
