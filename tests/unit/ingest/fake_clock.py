"""Fake clock that moves only while a task sleeps."""

from services.common.clock import SECOND


class FakeClock:
    """Time starts at `now` (epoch, us); `slept` holds every wait in seconds."""

    def __init__(self, now: int = 1_800_000_000 * SECOND) -> None:
        self.now = now
        self.slept: list[float] = []

    def now_us(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += round(seconds * SECOND)
