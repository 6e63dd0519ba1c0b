"""Single faults on one rig: ``make faults``. Its name keeps ``make test`` from collecting it."""

import pytest

from tests.fake_venue import faults
from tests.fake_venue.faults import Damage
from tests.soak.fix_rig import RATES, SETTLE_S, Running
from tests.soak.performance import perform
from tests.soak.schedule import Away

SYMBOLS = [*RATES]


async def survives(running: Running, *injected: faults.Fault) -> None:
    """Inject, and let the tape be complete afterwards."""
    for fault in injected:
        await running.rig.inject(fault)
    await running.rig.watch(1.0)
    assert await running.rig.settle(SETTLE_S) == []


@pytest.mark.parametrize(
    "fault",
    [
        faults.Drop(),
        *(faults.Drop(code=code) for code in (1000, 1001, 1008, 1011, 1012, 1013, 4000)),
        faults.Drop(half=True),
        faults.Silence(),
        faults.Silence(symbol="SOLUSDT"),
        faults.Silence(symbol="BTCUSDT", seconds=3),
        faults.Skip(count=1),
        faults.Skip(count=1500),
        faults.Repeat(count=100),
        faults.Reorder(count=100),
        faults.Jump(count=1),
        faults.Jump(symbol="BTCUSDT", count=1200),
        faults.Decorate(count=100),
        faults.Slow(delay_s=1.0),
    ],
    ids=str,
)
def test_the_stream(running: Running, fault: faults.Fault) -> None:
    running.run(survives(running, fault))


@pytest.mark.parametrize("damage", faults.DAMAGES)
def test_a_damaged_frame(running: Running, damage: Damage) -> None:
    running.run(survives(running, faults.Mangle(symbol="BTCUSDT", damage=damage, count=2)))


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_a_refused_upgrade(running: Running, status: int) -> None:
    refused = faults.RefuseUpgrade(status=status, count=2, retry_after_s=1 if status == 429 else None)
    running.run(survives(running, refused, faults.Drop()))


def test_a_refused_connection(running: Running) -> None:
    running.run(survives(running, faults.Refuse(seconds=3), faults.Drop()))


@pytest.mark.parametrize(
    "fault",
    [
        faults.Rest(status=429, retry_after_s=2),
        faults.Rest(status=418, retry_after_s=2),
        faults.Rest(status=500, count=3),
        faults.Rest(garbage=True, count=2),
        faults.Rest(delay_s=3),
    ],
    ids=str,
)
def test_a_gap_waits_for_a_venue_that_does_not_answer(running: Running, fault: faults.Rest) -> None:
    running.run(survives(running, fault, faults.Skip(symbol="BTCUSDT", count=10)))


def test_a_field_that_changes_its_type_is_an_alarm_and_no_end(running: Running) -> None:
    async def work() -> None:
        rig = running.rig
        before = rig.checker.dead_letters
        await rig.inject(faults.Mangle(damage="price_number", count=None))
        await rig.wait(lambda: rig.state == "degraded" and rig.checker.dead_letters > before + 100, 15)
        assert rig.state == "degraded"
        assert await rig.settle(SETTLE_S) == []

    running.run(work())


@pytest.mark.parametrize("how", ["stuck", "gone", "slow"])
def test_what_an_absent_broker_costs_is_said_and_repaired(running: Running, how: str) -> None:
    async def work() -> None:
        rig = running.rig
        before = rig.checker.kinds["dropped"]
        await perform(rig, [(0.0, Away(how, 4.0))])
        await rig.wait(lambda: rig.checker.kinds["dropped"] > before, 5)
        assert how == "slow" or rig.checker.kinds["dropped"] > before
        assert await rig.settle(SETTLE_S) == []

    running.run(work())


def test_after_a_sudden_death_only_what_was_missed_is_fetched(running: Running) -> None:
    async def work() -> None:
        rig = running.rig
        await rig.inject(faults.Skip(count=20))
        await rig.watch(1.0)
        await rig.wait_until_stored(running.database_url)
        before = rig.checker.repeats
        await rig.restart()
        assert await rig.settle(SETTLE_S) == []
        # A second of trades was on its way.
        assert rig.checker.repeats - before < 2 * sum(RATES.values())

    running.run(work())
