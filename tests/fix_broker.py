"""Brokers for tests: the embedded one, Apache Kafka in its place (`long`), and a Kafka that a test may kill."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.local.embedded_broker import EmbeddedBroker
from tests.brokers import distribution
from tests.brokers.kafka import Cluster, kafka_cluster


@contextmanager
def embedded_broker() -> Iterator[str]:
    """Start an empty broker and yield its address; topics appear with 4 partitions when asked for."""
    broker = EmbeddedBroker()
    yield broker.servers
    del broker


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.long)])
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """Start a broker of its own for one test and return its address: every test that takes it runs on each kind."""
    if request.param == "kafka":
        yield request.getfixturevalue("kafka").servers
    else:
        with embedded_broker() as address:
            yield address


@pytest.fixture
def kafka() -> Iterator[Cluster]:
    """Start a Kafka of its own for one test: one broker, with pairstream's topics and nothing in them."""
    skip_without_kafka()
    with kafka_cluster() as cluster:
        yield cluster


@pytest.fixture
def three_kafkas() -> Iterator[Cluster]:
    """Start a cluster of three for one test; each topic has a replica on every broker."""
    skip_without_kafka()
    with kafka_cluster(brokers=3) as cluster:
        yield cluster


def skip_without_kafka() -> None:
    """Skip the test, saying why, where no Kafka can run."""
    if reason := distribution.missing():
        pytest.skip(reason)
