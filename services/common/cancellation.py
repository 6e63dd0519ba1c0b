"""End a loop whose cancellation a library has swallowed.

Before Python 3.12 ``asyncio.wait_for`` forgets a cancellation that comes in the same moment as the result or the
error of what it waits for: as when a pool hands out a connection, or a server refuses one. A task that loops for
ever around such a library would then never end, and its process with it.
"""

import asyncio


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
