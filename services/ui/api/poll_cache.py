"""Poll cache: responses of the API that are refreshed in the background and shared by every session."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar

from services.common.errors import BadMessageError, TransientError

UNUSED_S = 60.0

T = TypeVar("T")
K = TypeVar("K")


class Used(Protocol):
    """Something of which is known when it was last looked at, on the monotonic clock."""

    used_s: float


U = TypeVar("U", bound=Used)


def drop_unused(held: dict[K, U], now_s: float) -> None:
    """Take out of `held` the entries that were not read for a minute."""
    for key in [key for key, one in held.items() if now_s - one.used_s > UNUSED_S]:
        del held[key]


class PolledAnswer(Generic[T]):
    """One answer: ``value`` is the last one, None before the first; ``error`` says why there is no newer one."""

    def __init__(self) -> None:
        self.value: T | None = None
        self.error: str | None = None
        self.used_s = 0.0
        self._asked_s = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    def refresh_if_due(self, ask: Callable[[], Awaitable[T]], every_s: float, now_s: float) -> None:
        """Call `ask` again in the background, unless it has answered within `every_s` seconds."""
        self.used_s = now_s
        if now_s - self._asked_s >= every_s and (self._asking is None or self._asking.done()):
            self._asked_s = now_s
            self._asking = asyncio.create_task(self._ask(ask))

    async def settled(self) -> None:
        """Wait for the question under way, if there is one."""
        if self._asking is not None:
            await self._asking

    async def _ask(self, ask: Callable[[], Awaitable[T]]) -> None:
        try:
            self.value = await ask()
        except (TransientError, BadMessageError) as error:
            self.error = str(error)
        else:
            self.error = None


class PollCache:
    """Cache of every response that some session shows; one that none has read for a minute is dropped."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._readings: dict[Hashable, PolledAnswer[Any]] = {}

    def get(self, key: Hashable, ask: Callable[[], Awaitable[T]], every_s: float) -> PolledAnswer[T]:
        """Return the last answer of `ask`, which is called every `every_s` seconds; `key` names the question."""
        now_s = self._monotonic()
        drop_unused(self._readings, now_s)
        reading: PolledAnswer[T] = self._readings.setdefault(key, PolledAnswer())
        reading.refresh_if_due(ask, every_s, now_s)
        return reading
