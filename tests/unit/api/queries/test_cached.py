"""Cached query."""

import asyncio

import pytest

from services.api.queries.cached import CachedQuery


def test_an_answer_is_kept_and_asked_for_once_however_many_wait() -> None:
    asked, now = 0, 0.0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return asked

    async def scenario() -> None:
        nonlocal now
        recent = CachedQuery(ask, 2.0, lambda: now)
        assert await asyncio.gather(*(recent.get() for _ in range(5))) == [1] * 5
        now = 1.9
        assert await recent.get() == 1
        now = 2.0
        assert await recent.get() == 2

    asyncio.run(scenario())


def test_a_failure_is_not_kept() -> None:
    away = True

    async def ask() -> int:
        nonlocal away
        if away:
            away = False
            raise OSError("away")
        return 7

    async def scenario() -> None:
        recent = CachedQuery(ask, 2.0, lambda: 0.0)
        with pytest.raises(OSError, match="away"):
            await recent.get()
        assert await recent.get() == 7

    asyncio.run(scenario())
