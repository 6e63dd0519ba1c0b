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
