"""Pace: tape time on the wall clock."""

import asyncio
import math

import pytest

from services.common.clock import SECOND
from services.ingest.feeds.pace import Pace
from tests.unit.ingest.fake_clock import FakeClock

TAPE = [0, 1 * SECOND, 1 * SECOND, 5 * SECOND, 4 * SECOND, 9 * SECOND]


def play(speed: float, tape: list[int]) -> FakeClock:
    clock = FakeClock()

    async def run() -> None:
        pace = Pace(speed, clock.now_us, clock.sleep)
        for at in tape:
            await pace.until(at)

    asyncio.run(run())
    return clock


@pytest.mark.parametrize("speed", [1.0, 4.0, 0.5])
def test_waits_between_receipts_divided_by_speed(speed: float) -> None:
    assert play(speed, TAPE).slept == [1 / speed, 4 / speed, 4 / speed]


def test_infinity_never_waits_but_lets_others_run() -> None:
    clock = play(math.inf, [second * SECOND for second in range(1000)])
    assert set(clock.slept) == {0}
    assert len(clock.slept) >= 3


def test_the_present_of_the_tape_goes_on_while_nobody_waits() -> None:
    def present_after(seconds: float, speed: float) -> float:
        clock = FakeClock()
        pace = Pace(speed, clock.now_us, clock.sleep)
        assert pace.present_us() == clock.now
        asyncio.run(pace.until(7 * SECOND))
        clock.now += round(seconds * SECOND)
        return pace.present_us() / SECOND

    assert present_after(3, 1.0) == 10
    assert present_after(3, 20.0) == 67
    assert present_after(3, math.inf) == 7


def test_time_lost_elsewhere_is_caught_up() -> None:
    clock = FakeClock()

    async def run() -> None:
        pace = Pace(1.0, clock.now_us, clock.sleep)
        await pace.until(0)
        clock.now += 3 * SECOND
        await pace.until(2 * SECOND)
        await pace.until(5 * SECOND)

    asyncio.run(run())
    assert clock.slept == [2.0]
