"""Brokers for tests: the embedded one always, and Apache Kafka where a real broker makes a difference.

``pytest --all-brokers`` (``make brokers``) runs every test that needs a broker on both.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.local.embedded_broker import EmbeddedBroker
from tests.brokers import distribution
from tests.brokers.kafka import Cluster, kafka_cluster

# Here the broker decides: offsets and what becomes of them, limits, transactions, several topics read at once.
# Groups of several members, recovery and compaction are tested on Kafka alone. Kafka takes 2 s to start.
_ON_BOTH = {
    "test_stored_offsets_hold_for_their_own_cluster_and_within_its_range",
    "test_of_what_the_broker_deleted_unread_each_message_is_counted",
    "test_each_message_is_read_or_counted_and_the_reading_goes_on",
    "test_what_was_fetched_before_a_seek_comes_again",
    "test_a_broker_is_told_from_something_else",
    "test_a_topic_without_messages_is_told_from_one_with_some",
    "test_a_snapshot_of_store_and_topics_and_then_what_is_new",
    "test_a_producer_that_could_be_faster_drops_nothing_that_is_unread",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-brokers", action="store_true", help="run every test that needs a broker on Kafka, too"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_both = metafunc.config.getoption("all_brokers") or metafunc.function.__name__ in _ON_BOTH
    if on_both and "broker" in metafunc.fixturenames:
        metafunc.parametrize("broker", ["embedded", "kafka"], indirect=True)


@contextmanager
def embedded_broker() -> Iterator[str]:
    """Start an empty broker and yield its address; topics appear with 4 partitions when asked for."""
    broker = EmbeddedBroker()
    yield broker.servers
    del broker


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """Start a broker of its own for one test and return its address."""
    if getattr(request, "param", "embedded") == "kafka":
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
def three_kafkas(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Start a cluster of three for one test; each topic has a replica on every broker."""
    skip_without_kafka()
    if not request.config.getoption("all_brokers"):
        pytest.skip("three brokers at once: `make brokers`")
    with kafka_cluster(brokers=3) as cluster:
        yield cluster


def skip_without_kafka() -> None:
    """Skip the test, saying why, where no Kafka can run."""
    if reason := distribution.missing():
        pytest.skip(reason)
