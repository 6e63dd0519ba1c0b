"""Outages of a broker: signals go on soon after each kind, and no number changes."""

import httpx
import pytest

from tests.brokers.kafka import Cluster
from tests.outages import OUTAGES, Outage
from tests.ports import free_port
from tests.waiting import wait_until
from tests.workers import Load, closes, expected, group, tape

pytestmark = pytest.mark.integration
BACK_S = 10.0
# What the machine may take on top, which has others to serve.
BUSY_S = 5.0


@pytest.mark.parametrize("outage", OUTAGES)
def test_signals_come_again_soon_after_a_broker_was_away(kafka: Cluster, outage: Outage) -> None:
    ticks, port = tape(40), free_port()

    def is_well() -> bool:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success

    middle = len(ticks) // 2
    before = closes(expected(ticks[:middle], ends=False))
    with group(kafka.servers, metrics_port=port) as (workers, sayings):
        workers.join()
        Load(kafka.servers, ticks[:middle], pause_s=0.1, ends=False).wait()
        sayings.wait_for(before, workers)
        assert is_well()
        with outage(kafka.brokers[0]):
            wait_until(lambda: workers.are_well() and not is_well(), "the worker says that it is degraded")
        Load(kafka.servers, ticks[middle:], pause_s=0.1).wait()
        sayings.wait_for(before + 1, workers, BACK_S + BUSY_S)
        sayings.wait_for(closes(expected(ticks)), workers)
        sayings.check(expected(ticks))
        wait_until(is_well, "the worker is well again")
