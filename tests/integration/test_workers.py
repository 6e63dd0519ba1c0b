"""Several workers of stream_analytics on Kafka: their number, joins, leaves and deaths change no number."""

import pytest

from tests.brokers.kafka import Cluster, kafka_cluster
from tests.disorder import KINDS, arrivals
from tests.fix_broker import skip_without_kafka
from tests.waiting import wait_until
from tests.workers import Load, closes, expected, group, tape

pytestmark = pytest.mark.integration
_SHORT = ("both in turn", "repaired gaps")


def test_kill_join_and_leave_under_load_change_no_number(kafka: Cluster) -> None:
    ticks = tape(seconds=100)
    said = expected(ticks)
    count = closes(said)
    with group(kafka.servers) as (workers, sayings):
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
        sayings.check(said)


@pytest.mark.long
@pytest.mark.parametrize(
    ("partitions", "members", "chunk_s", "pause_s"), [(1, 1, 100.0, 0.0), (3, 2, 0.7, 0.01)]
)
def test_neither_partitions_nor_workers_nor_speed_change_a_number(
    partitions: int, members: int, chunk_s: float, pause_s: float
) -> None:
    skip_without_kafka()
    ticks = tape(seconds=100)
    said = expected(ticks)
    with (
        kafka_cluster(partitions=partitions) as kafka,
        group(kafka.servers, partitions=partitions) as (workers, sayings),
    ):
        for _ in range(members):
            workers.join()
        load = Load(kafka.servers, ticks, pause_s, chunk_s, partitions)
        try:
            sayings.wait_for(closes(said), workers)
        finally:
            load.end()
        sayings.check(said)


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        pytest.param(
            kind,
            members,
            marks=[] if (kind, members) in {("both in turn", 3), ("repaired gaps", 1)} else pytest.mark.long,
        )
        for kind in KINDS
        for members in (1, 3)
    ],
)
def test_of_a_disorderly_tape_neither_workers_nor_a_kill_change_what_holds_in_the_end(
    kafka: Cluster, kind: str, members: int
) -> None:
    arrived = arrivals(tape(seconds=100), kind)
    said = expected(arrived)
    with group(kafka.servers) as (workers, sayings):
        for _ in range(members):
            workers.join()
        load = Load(kafka.servers, arrived, pause_s=0.1)
        try:
            sayings.wait_for(closes(said) // 3, workers)
            workers.kill_oldest()
            workers.join()
            load.wait()
            wait_until(lambda: sayings.holds(said), "what one worker says", within_s=60)
        finally:
            load.end()
