"""Cache of a query that is asked often and whose result changes slowly."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class CachedQuery(Generic[T]):
    """Cache of one answer for `keep_s` seconds of `clock`; callers during a query wait for its result."""

    def __init__(self, ask: Callable[[], Awaitable[T]], keep_s: float, clock: Callable[[], float]) -> None:
        self._ask = ask
        self._keep_s = keep_s
        self._clock = clock
        self._asking = asyncio.Lock()
        self._answer: tuple[float, T] | None = None

    async def get(self) -> T:
        """Return the answer, which others have too: not to be changed."""
        async with self._asking:
            if self._answer is None or self._clock() - self._answer[0] >= self._keep_s:
                asked_at = self._clock()
                self._answer = asked_at, await self._ask()
            return self._answer[1]
