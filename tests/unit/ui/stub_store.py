"""Stub of the store that series buffers read, and a clock that tests set."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from services.common.clock import SECOND
from services.ui.series.buffer import SeriesBuffer
from tests.unit.ui.conftest import START_S


class Store:
    """What the API has stored, and how often it was read."""

    def __init__(self, points: Sequence[Any]) -> None:
        self.points = list(points)
        self.asked: list[int] = []
        self.error: Exception | None = None

    async def newest(self, count: int) -> Sequence[Any]:
        self.asked.append(count)
        if self.error is not None:
            raise self.error
        return tuple(self.points[-count:])

    async def older(self, count: int, before_us: int) -> list[Any]:
        """Note the reading as one of less than nothing."""
        await self.newest(-count)
        return [point for point in self.points if point.start_us < before_us][-count:]


class Clock:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def play(steps: Coroutine[Any, Any, None]) -> None:
    asyncio.run(steps)


async def read(track: SeriesBuffer[Any], clock: Clock, *news: Any) -> None:
    clock.s += 1
    track.refresh_if_due(news)
    await track.settled()


def seconds(track: SeriesBuffer[Any]) -> list[int]:
    return [
        getattr(point, "event_us", getattr(point, "start_us", 0)) // SECOND - START_S
        for point in track.points
    ]
