"""First start of stream_analytics, before any offset is committed: it reads from the first trade."""

import sys

import pytest

from tests.workers import Load, closes, expected, group, tape

pytestmark = pytest.mark.integration

# Before it seeks, a fetch that is under way takes everything there is, and Faust drops it.
HASTY = """
from faust.transport.drivers.aiokafka import Consumer
from services.stream_analytics.__main__ import main

seek = Consumer.perform_seek

async def perform_seek(self):
    was_flowing, self.flow_active = self.flow_active, True
    while not await self._getmany(self.assignment(), 1.0):
        pass
    self.flow_active = was_flowing
    await seek(self)

Consumer.perform_seek = perform_seek
main()
"""


def test_what_was_fetched_before_a_seek_comes_again(broker: str) -> None:
    ticks = tape(seconds=20)
    said = expected(ticks)
    with group(broker) as (workers, sayings):
        Load(broker, ticks, pause_s=0.0, chunk_s=20.0).wait()
        workers.join(sys.executable, "-c", HASTY)
        sayings.wait_for(closes(said), workers, within_s=40)
        sayings.check(said)


# The broker cannot name the partitions of any topic when the first assignment is made.
BLIND = """
from aiokafka.cluster import ClusterMetadata
from aiokafka.consumer.group_coordinator import GroupCoordinator
from services.stream_analytics.__main__ import main

blind = []
known = ClusterMetadata.partitions_for_topic
assign = GroupCoordinator._perform_assignment

def partitions_for_topic(self, topic):
    return None if self in blind[:1] and len(blind) == 1 else known(self, topic)

async def perform_assignment(self, *given):
    blind.append(self._cluster)
    try:
        return await assign(self, *given)
    finally:
        blind.append(None)

ClusterMetadata.partitions_for_topic = partitions_for_topic
GroupCoordinator._perform_assignment = perform_assignment
main()
"""


def test_topics_that_were_unknown_at_first_are_read_soon(broker: str) -> None:
    ticks = tape(seconds=20)
    said = expected(ticks)
    with group(broker) as (workers, sayings):
        workers.join(sys.executable, "-c", BLIND)
        Load(broker, ticks, pause_s=0.0, chunk_s=20.0).wait()
        sayings.wait_for(closes(said), workers, within_s=60)
        sayings.check(said)
