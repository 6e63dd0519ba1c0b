"""Background work: no failure goes unnoticed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from services.common.errors import TransientError
from services.ingest.connections.buffer import Buffer
from services.ingest.feeds.background import Failed, background


async def _fail() -> None:
    raise ValueError


async def _be_cancelled_by_nobody() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize(("work", "kind"), [(_fail, ValueError), (_be_cancelled_by_nobody, TransientError)])
def test_however_work_fails_the_feed_is_told(
    work: Callable[[], Coroutine[Any, Any, None]], kind: type[Exception]
) -> None:
    async def scene() -> object:
        buffer: Buffer[Any] = Buffer(10)
        async with background(buffer, work), asyncio.timeout(10):
            return await buffer.next()

    told = asyncio.run(scene())
    assert isinstance(told, Failed)
    assert isinstance(told.error, kind)
