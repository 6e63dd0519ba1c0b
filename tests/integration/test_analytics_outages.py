"""Outages of a broker: signals go on soon after each kind, and no number changes."""

import httpx
import pytest

from tests.brokers.kafka import Cluster
from tests.outages import OUTAGES
from tests.ports import free_port
from tests.waiting import wait_until
from tests.workers import Load, closes, expected, group, tape

pytestmark = pytest.mark.integration
BACK_S = 10.0
# What the machine may take on top, which has others to serve.
BUSY_S = 5.0


def test_signals_come_again_soon_after_a_broker_was_away(kafka: Cluster) -> None:
    ticks, port = tape(40), free_port()
    third = len(ticks) // 3
    ends = [third, 2 * third]

    def is_well() -> bool:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success

    before = [closes(expected(ticks[:end], ends=False)) for end in ends]
    with group(kafka.servers, metrics_port=port) as (workers, sayings):
        workers.join()
        Load(kafka.servers, ticks[:third], pause_s=0.1, ends=False).wait()
        sayings.wait_for(before[0], workers)
        assert is_well()
        for outage, first, end, closed in zip(OUTAGES, ends, [ends[1], len(ticks)], before, strict=True):
            with outage(kafka.brokers[0]):
                wait_until(
                    lambda: workers.are_well() and not is_well(), "the worker says that it is degraded"
                )
            is_last = end == len(ticks)
            Load(kafka.servers, ticks[first:end], pause_s=0.1, ends=is_last).wait()
            sayings.wait_for(closed + 1, workers, BACK_S + BUSY_S)
            if not is_last:
                sayings.wait_for(before[1], workers)
            wait_until(is_well, "the worker is well again")
        sayings.wait_for(closes(expected(ticks)), workers)
        sayings.check(expected(ticks))
