"""A broker for tests: librdkafka's mock cluster, on a loopback port of its own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer


@contextmanager
def embedded_broker() -> Iterator[str]:
    """Start an empty broker and yield its address; topics appear with 4 partitions when asked for."""
    quiet = logging.getLogger("librdkafka")
    quiet.setLevel(logging.CRITICAL)
    owner = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "127.0.0.1"}, logger=quiet)
    (address,) = owner.list_topics(timeout=10).brokers.values()
    yield f"{address.host}:{address.port}"
    del owner


@pytest.fixture
def broker() -> Iterator[str]:
    """Start a broker of its own for one test and return its address."""
    with embedded_broker() as address:
        yield address
