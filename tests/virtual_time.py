"""Virtual time: it passes as soon as every task waits for it."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Return the seconds that have passed."""
        return self._now_s

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self._now_s += seconds


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: _Loop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now; if nothing is, the time that would be waited has passed."""
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "expected something to wait for, everybody waits for ever"
            self._loop.pass_by(max(0.0, timeout))
        return ready


def run(main: Coroutine[Any, Any, T], within_s: float = 10_000) -> T:
    """Run `main` as `asyncio.run` does, without I/O; AssertionError if everybody waits for ever.

    TimeoutError if it has not ended when `within_s` have passed.
    """

    async def limited() -> T:
        async with asyncio.timeout(within_s):
            return await main

    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(limited())
