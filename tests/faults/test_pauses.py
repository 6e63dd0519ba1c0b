"""Worker paused for longer than its session: what it writes when it wakes changes no number."""

import signal

import pytest

from tests.brokers.kafka import Cluster
from tests.waiting import wait_until
from tests.workers import Load, closes, expected, group, tape

pytestmark = pytest.mark.integration

# A third of it is longer than a session.
_SECONDS = 48


@pytest.mark.parametrize(
    "ends", [pytest.param("wakes", marks=pytest.mark.long), "wakes, and the other is killed"]
)
def test_a_worker_that_wakes_changes_no_bit(kafka: Cluster, ends: str) -> None:
    ticks = tape(seconds=_SECONDS)
    said = expected(ticks)
    with group(kafka.servers, save_interval_s=2, correction_horizon_s=1) as (workers, sayings):
        workers.join()
        workers.join()
        load = Load(kafka.servers, ticks, pause_s=0.5, chunk_s=1.0)
        sayings.wait_for(closes(said) // 3, workers)
        paused = workers.pause_oldest()
        load_ends = closes(said) * 2 // 3
        sayings.wait_for(load_ends, workers, within_s=90)
        paused.send_signal(signal.SIGCONT)
        if "killed" in ends:
            sayings.wait_for(closes(said) * 5 // 6, workers, within_s=90)
            workers.kill_oldest()
        load.wait()
        wait_until(lambda: sayings.holds(said), "the numbers of one uninterrupted worker", within_s=90)
        sayings.check(said)
