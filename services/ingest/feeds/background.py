"""Background work beside a feed that is being read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from services.common.cancellation import asked, end
from services.contracts.messages import TapeEvent, Tick
from services.ingest.connections.buffer import Buffer


class Aside(NamedTuple):
    """Items that no frame has brought; who put them waits until they are published."""

    items: Sequence[Tick | TapeEvent]
    published: asyncio.Event


class Second(NamedTuple):
    """A second has passed."""


class Failed(NamedTuple):
    """A background task has ended with an error, which is the end of the feed."""

    error: BaseException


Work = Callable[[], Coroutine[None, None, None]]


@asynccontextmanager
async def background(buffer: Buffer[Any], *first: Work) -> AsyncIterator[Callable[[Work], None]]:
    """Yield a function that starts more work; an error of any comes through the buffer, all end with the block.

    A task group would cancel whoever reads the feed in the middle of what it does.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def run(work: Work) -> None:
        try:
            await asked(work(), "work beside the feed")
        except Exception as error:
            buffer.tell(Failed(error))

    def start(work: Work) -> None:
        tasks.add(asyncio.create_task(run(work)))

    for work in first:
        start(work)
    try:
        yield start
    finally:
        await end(*tasks)
