"""Supervisor of a service's tasks: each runs, is restarted, or its failure is known."""

import asyncio
from collections.abc import Callable, Coroutine, MutableMapping
from dataclasses import dataclass
from typing import Any

import structlog

from services.common.backoff import Backoff
from services.common.cancellation import end
from services.common.errors import FatalError

Work = Callable[[], Coroutine[Any, Any, Any]]
COUNTER = "restarted_tasks"
_FIRST_S, _LONGEST_S = 0.1, 5.0
# A task that has run for this long may start again at once.
_STEADY_S = 30.0

log = structlog.get_logger()


@dataclass
class _Kept:
    name: str
    work: Work
    is_restarted: bool
    may_return: bool
    trouble: str | None = None


class Supervisor:
    """Runs tasks, and restarts one that has ended by itself: returned, failed, or cancelled by no one of
    ours.

    What they end with is logged, and counted as ``restarted_tasks``. A FatalError is the end of all of them.
    """

    def __init__(self, counters: MutableMapping[str, int] | None = None) -> None:
        """`counters` are those of the service's heartbeat, if it has one."""
        self._counters = {} if counters is None else counters
        self._counters.setdefault(COUNTER, 0)
        self._kept: list[_Kept] = []

    def keep(self, name: str, work: Work) -> None:
        """Run `work` for ever: it is restarted whenever it ends."""
        self._kept.append(_Kept(name, work, is_restarted=True, may_return=False))

    def finish(self, name: str, work: Work) -> None:
        """Run `work` until it returns."""
        self._kept.append(_Kept(name, work, is_restarted=True, may_return=True))

    def require(self, name: str, work: Work, *, may_return: bool = False) -> None:
        """Run `work`, and end all tasks with a FatalError if it ends, but for a return where it `may_return`."""
        self._kept.append(_Kept(name, work, is_restarted=False, may_return=may_return))

    def problems(self) -> list[str]:
        """Return which tasks do not run at the moment, and why."""
        return [f"{one.name} is started again: it {one.trouble}" for one in self._kept if one.trouble]

    async def run(self) -> None:
        """Run the tasks until cancelled; FatalError if a required one ends."""
        tasks = [asyncio.create_task(self._keep(one), name=one.name) for one in self._kept]
        pending = set(tasks)
        try:
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            await end(*tasks)

    async def _keep(self, one: _Kept) -> None:
        loop, backoff = asyncio.get_running_loop(), Backoff(_FIRST_S, _LONGEST_S)
        while True:
            began_s = loop.time()
            # A task of its own each time: what a library has done to the last one is gone with it.
            running = asyncio.create_task(one.work(), name=one.name)
            one.trouble = None
            try:
                await asyncio.wait([running])
            finally:
                await end(running)
            error = None if running.cancelled() else running.exception()
            if (fatal := _fatal(error)) is not None:
                raise fatal
            if one.may_return and not running.cancelled() and error is None:
                return
            trouble = _trouble(running, error)
            if not one.is_restarted:
                log.error("a task has ended", task=one.name, reason=trouble, exc_info=error)
                raise FatalError(f"{one.name}: expected it to run for ever, but it {trouble}")
            if loop.time() - began_s > _STEADY_S:
                backoff.reset()
            delay_s = backoff.next_s()
            log.error(
                "a task has ended and is started again",
                task=one.name,
                reason=trouble,
                retry_in_s=round(delay_s, 1),
                exc_info=error,
            )
            self._counters[COUNTER] += 1
            one.trouble = trouble
            await asyncio.sleep(delay_s)


def _trouble(task: asyncio.Task[Any], error: BaseException | None) -> str:
    if task.cancelled():
        return "was cancelled though nobody asked"
    return "returned" if error is None else f"failed: {error!r}"


def _fatal(error: BaseException | None) -> FatalError | None:
    """Return the FatalError in what a task, or a group in it, has failed with."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for one in error.exceptions if (found := _fatal(one)) is not None), None)
    return error if isinstance(error, FatalError) else None
