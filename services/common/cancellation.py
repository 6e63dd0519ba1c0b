"""Cancellation done right, where Python 3.11 and libraries swallow one, leave one behind, or invent one.

``asyncio.wait_for`` forgets a cancellation that comes in the same moment as the result or the error of what it waits
for: a task that loops for ever around such a library would never end. `checkpoint`, `pause` and `end` see to it.

``asyncio.TaskGroup`` cancels the task it is in when a child fails, and if that is waiting for the others already, takes
the cancellation never back: the task counts as cancelled for the rest of its life. And a client that closes a
connection cancels what others wait for on it; that ends them in silence, for a group takes it for their wish.
`TaskGroup` here does neither.
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

from services.common.errors import TransientError

T = TypeVar("T")
# Longer than a client may take to say goodbye.
_AGAIN_S = 5.0


def checkpoint() -> None:
    """Raise CancelledError if the running task has been cancelled and is running all the same."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop runs
        return
    if task is not None and task.cancelling() > 0:
        raise asyncio.CancelledError


async def pause(seconds: float) -> None:
    """Sleep between two rounds of a loop that only a cancellation ends."""
    checkpoint()
    await asyncio.sleep(seconds)


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and return once all have ended; one whose cancellation was swallowed is cancelled again.

    What they have ended with is for the caller to ask.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_S)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # or the loop complains that nobody did


async def asked(work: Awaitable[T], name: str) -> T:
    """Return what `work` returns; TransientError, naming it, if it is cancelled though the running task is not."""
    try:
        return await work
    except asyncio.CancelledError:
        checkpoint()
        raise TransientError(
            f"{name}: expected a result, received a cancellation that nobody asked for"
        ) from None


class _Parent:
    """The task a group is in, and how often the group has cancelled it."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task
        self._cancelled = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def cancel(self) -> bool:
        self._cancelled += 1
        return self._task.cancel()

    def uncancel(self) -> int:
        self._cancelled -= 1
        return self._task.uncancel()

    def take_back(self) -> None:
        while self._cancelled > 0:
            self.uncancel()


class TaskGroup(asyncio.TaskGroup):
    """TaskGroup of asyncio that leaves no cancellation behind and in which no child ends in silence."""

    async def __aenter__(self) -> "TaskGroup":
        await super().__aenter__()
        self._parent = _Parent(self._parent_task)  # type: ignore[has-type]
        self._parent_task = self._parent
        return self

    async def __aexit__(self, *raised: Any) -> None:
        try:
            await super().__aexit__(*raised)
        finally:
            self._parent.take_back()

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """Start a child; a cancellation that no task asked for becomes a TransientError."""
        assert isinstance(coro, Coroutine), "generators are of old"
        name = name or str(getattr(coro, "__qualname__", "a task"))
        task = super().create_task(asked(coro, name), name=name, context=context)
        # One that is cancelled before its first step is never begun.
        task.add_done_callback(lambda _: coro.close())
        return task
