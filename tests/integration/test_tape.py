"""Ingest as a process among faults of venue, broker and its own: the tape is complete afterwards.

The short form of ``make soak``; ``make faults`` runs the longer ones in ``tests/soak/faults.py``.
"""

import asyncio

import pytest

from services.common.kafka import clients
from services.common.settings import KafkaSettings
from services.contracts.topics import TICKS
from tests.broker import produce
from tests.fake_venue.faults import Jump, Reorder, Skip
from tests.soak.fix_rig import RATES, SETTLE_S, Running
from tests.soak.performance import perform
from tests.soak.schedule import Away, small_faults

pytestmark = pytest.mark.integration


def test_nothing_is_missing_after_random_faults_and_a_sudden_death(running: Running) -> None:
    async def work() -> None:
        rig = running.rig
        # Trades that come backwards come all at once, more than the buffer holds.
        burst = Reorder(symbol="BTCUSDT", count=600)
        await perform(
            rig, [(0.0, Skip(count=10)), (0.0, Jump(count=5)), (0.0, burst), (0.0, Away("stuck", 2.5))]
        )
        await perform(rig, small_faults(seed=2, symbols=[*RATES], seconds=3, every_s=0.2))
        assert await rig.settle(SETTLE_S) == []
        assert all(seen.repaired for seen in rig.checker.seen.values())
        assert {"gap_repaired", "gap_refuted", "reconnect", "dropped"} <= set(rig.checker.kinds)
        # A gap that the sink has not entered by the next start is closed only at the start after that.
        await rig.wait_until_stored(running.database_url)
        await rig.restart()
        assert await rig.settle(SETTLE_S) == []

    running.run(work())


def test_a_topic_without_messages_is_told_from_one_with_some(broker: str) -> None:
    """Ingest fills the empty one from the store, and must not fill the other a second time."""
    settings = KafkaSettings(brokers=broker)
    assert asyncio.run(clients.is_empty(settings, TICKS))
    produce(broker, TICKS.name, [(b"{}", 3)])
    assert not asyncio.run(clients.is_empty(settings, TICKS))
