"""Performance of a schedule of faults, with a watch on ingest's memory."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple, NoReturn

from tests.soak.rig import Rig
from tests.soak.schedule import Act, Away, Kill


class Performance(NamedTuple):
    """What was done how often, and ingest's resident memory second by second (bytes)."""

    done: Counter[str]
    memory: list[int]

    @property
    def growth(self) -> float:
        """By which share the last tenth of the second half exceeds its first tenth, medians compared."""
        half = self.memory[len(self.memory) // 2 :]
        tenth = max(1, len(half) // 10)
        return statistics.median(half[-tenth:]) / statistics.median(half[:tenth]) - 1


async def perform(rig: Rig, acts: Iterable[tuple[float, Act]]) -> Performance:
    """Do each act at its time (seconds from now) and return when all are over; what fails ends it."""
    performance = Performance(Counter(), [])
    start = time.monotonic()

    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(_watch(rig, performance.memory))
        async with asyncio.TaskGroup() as doing:
            for at_s, act in acts:
                await asyncio.sleep(max(0.0, at_s - (time.monotonic() - start)))
                performance.done[_name(act)] += 1
                task = doing.create_task(_do(rig, act))
                if isinstance(act, Kill):
                    await task
        watching.cancel()
    return performance


async def _watch(rig: Rig, memory: list[int]) -> NoReturn:
    while True:
        if not rig.restarting:
            rig.is_well()
            memory.append(rig.rss())
        await asyncio.sleep(1)


async def _do(rig: Rig, act: Act) -> None:
    match act:
        case Kill(away_s):
            await rig.restart(away_s)
        case Away("gone", seconds):
            await rig.proxy.be_away(seconds)
        case Away("stuck", seconds):
            await rig.proxy.stall(seconds)
        case Away(_, seconds):
            await rig.proxy.slow(seconds, 0.3)
        case _:
            await rig.inject(act)


def _name(act: Act) -> str:
    return f"broker {act.how}" if isinstance(act, Away) else type(act).__name__.lower()
