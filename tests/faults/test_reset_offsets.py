"""Offsets of a group reset by an operator: the stored read positions rule, and no number changes."""

import asyncio

import pytest

from services.contracts.topics import ANALYTICS_GROUP, LEG_TRADES, TICKS, TIME_MARKS, WINDOWS
from services.stream_analytics.state_storage import pair_of
from tests.broker import read_all, reset_group
from tests.brokers.kafka import Cluster
from tests.waiting import wait_until
from tests.workers import PAIRS, START_US, Load, closes, expected, group, tape

pytestmark = pytest.mark.integration

_SECONDS = 60
_STOPPED_AFTER_US = 40_000_000


def stored(servers: str) -> set[str]:
    """Return the pairs of which a state is stored."""
    return {pair_of(record.key or b"") for record in asyncio.run(read_all(servers, WINDOWS.name))}


@pytest.mark.long
@pytest.mark.parametrize("where", ["beginning", "end"])
def test_a_worker_goes_on_where_its_states_do(kafka: Cluster, where: str) -> None:
    ticks = tape(seconds=_SECONDS)
    first = [tick for tick in ticks if tick.event_us < START_US + _STOPPED_AFTER_US]
    said = expected(ticks)
    with group(kafka.servers, save_interval_s=0.3, correction_horizon_s=5) as (workers, sayings):
        workers.join()
        Load(kafka.servers, first, pause_s=0.05, ends=False).wait()
        sayings.wait_for(closes(expected(first, ends=False)), workers)
        wait_until(lambda: stored(kafka.servers) >= set(PAIRS), "a stored state of each pair")
        workers.oldest_leaves()
        reset_group(kafka.servers, ANALYTICS_GROUP, LEG_TRADES.name, to_end=where == "end")
        workers.join()
        Load(kafka.servers, ticks[len(first) :], pause_s=0.05).wait()
        wait_until(lambda: sayings.holds(said), "the numbers of one uninterrupted worker", within_s=60)
        sayings.check(said)


def test_trades_that_came_before_a_reset_to_the_end_are_read(kafka: Cluster) -> None:
    """Nothing that nobody has read yet is passed over, though the group says so of every topic."""
    ticks = tape(seconds=_SECONDS)
    first = [tick for tick in ticks if tick.event_us < START_US + _STOPPED_AFTER_US]
    said = expected(ticks)
    with group(kafka.servers, save_interval_s=0.3, correction_horizon_s=5) as (workers, sayings):
        workers.join()
        Load(kafka.servers, first, pause_s=0.05, ends=False).wait()
        sayings.wait_for(closes(expected(first, ends=False)), workers)
        wait_until(
            lambda: stored(kafka.servers) >= {*PAIRS, "read"}, "a stored state of each pair, and positions"
        )
        workers.oldest_leaves()
        Load(kafka.servers, ticks[len(first) :], pause_s=0.05).wait()
        for topic in (TICKS, TIME_MARKS, LEG_TRADES):
            reset_group(kafka.servers, ANALYTICS_GROUP, topic.name, to_end=True)
        workers.join()
        wait_until(lambda: sayings.holds(said), "the numbers of one uninterrupted worker", within_s=60)
        sayings.check(said)
