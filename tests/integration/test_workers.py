"""Several workers of stream_analytics on Kafka, under load: who comes, leaves or dies changes no number."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.common.messages import encode
from tests.analytics import outcomes
from tests.brokers.kafka import Cluster
from tests.workers import PAIRS, Load, Sayings, Workers, tape

pytestmark = pytest.mark.integration


@pytest.fixture
def workers(kafka: Cluster) -> Iterator[Workers]:
    """Return a group without members; its members' log is shown where a test fails."""
    with tempfile.TemporaryDirectory(prefix="pairstream-workers-") as directory:
        log = Path(directory, "log")
        group = Workers(kafka.servers, log)
        yield group
        group.kill()
        sys.stderr.write(log.read_text()[-4000:])


@pytest.fixture
def sayings(kafka: Cluster) -> Iterator[Sayings]:
    """Return what reads the signals and alerts of the group."""
    reader = Sayings(kafka.servers)
    yield reader
    reader.close()


def test_kill_join_and_leave_under_load_change_no_number(
    kafka: Cluster, workers: Workers, sayings: Sayings
) -> None:
    ticks = tape(seconds=100)
    expected = [outcome for config in PAIRS for outcome in outcomes(ticks, config)]
    count = len(expected)
    workers.join()
    load = Load(kafka.servers, ticks, pause_s=0.25)
    try:
        sayings.wait_for(count // 10, workers)
        workers.join()
        sayings.wait_for(count // 5, workers)
        workers.kill_oldest()
        workers.join()
        sayings.wait_for(count // 2, workers)
        workers.oldest_leaves()
        sayings.wait_for(count, workers)
    finally:
        load.end()
    # The same message may come twice, never two that differ.
    assert {encode(one) for one in sayings.signals} == {encode(one.signal) for one in expected}
    assert {encode(one) for one in sayings.alerts} == {encode(one.alert) for one in expected if one.alert}
