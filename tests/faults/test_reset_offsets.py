"""An operator resets the offsets of a group: the states say where they go on, and no number changes."""

from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from services.common.topics import ANALYTICS_GROUP, LEG_TRADES
from tests.brokers.kafka import PARTITIONS, Cluster
from tests.waiting import wait_until
from tests.workers import START_US, Load, closes, expected, group, tape

pytestmark = pytest.mark.integration

_SECONDS = 60
_STOPPED_AFTER_US = 40_000_000


def reset(servers: str, where: str) -> None:
    """Have the group go on at the beginning, or the end, of the trades on their way to the pairs."""
    spec: Any = getattr(OffsetSpec, "earliest" if where == "beginning" else "latest")()
    client = AdminClient({"bootstrap.servers": servers})
    places = [TopicPartition(LEG_TRADES.name, number) for number in range(PARTITIONS)]
    found = {
        place: answer.result(10).offset
        for place, answer in client.list_offsets(dict.fromkeys(places, spec)).items()
    }
    offsets = [TopicPartition(place.topic, place.partition, offset) for place, offset in found.items()]
    request = [ConsumerGroupTopicPartitions(ANALYTICS_GROUP, offsets)]
    for answer in client.alter_consumer_group_offsets(request).values():
        answer.result(10)


@pytest.mark.parametrize("where", ["beginning", "end"])
def test_a_worker_goes_on_where_its_states_do(kafka: Cluster, where: str) -> None:
    ticks = tape(seconds=_SECONDS)
    first = [tick for tick in ticks if tick.event_us < START_US + _STOPPED_AFTER_US]
    said = expected(ticks)
    with group(kafka.servers, save_interval_s=0.3, correction_horizon_s=5) as (workers, sayings):
        workers.join()
        Load(kafka.servers, first, pause_s=0.05, ends=False).wait()
        sayings.wait_for(closes(expected(first, ends=False)), workers)
        workers.oldest_leaves()
        reset(kafka.servers, where)
        workers.join()
        Load(kafka.servers, ticks[len(first) :], pause_s=0.05).wait()
        wait_until(lambda: sayings.holds(said), "the numbers of one uninterrupted worker", within_s=60)
        sayings.check(said)
