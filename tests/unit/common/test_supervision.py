"""Supervisor of tasks: a task that ends is started again, or the process ends."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from services.common.cancellation import TaskGroup, end
from services.common.errors import FatalError, TransientError
from services.common.supervision import COUNTER, Supervisor


async def _return() -> None:
    """End as if all were done."""


async def _fail() -> None:
    raise ValueError("no such thing")


async def _be_cancelled_by_nobody() -> None:
    raise asyncio.CancelledError


async def _cancel_yourself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(60)


async def _fail_in_a_group() -> None:
    async with TaskGroup() as group:
        group.create_task(_fail())


ENDS = (_return, _fail, _be_cancelled_by_nobody, _cancel_yourself, _fail_in_a_group)


@pytest.mark.parametrize("ending", ENDS)
def test_a_task_that_ends_is_started_again_counted_and_named(
    ending: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    counters: dict[str, int] = {}
    tasks = Supervisor(counters)
    starts, problems = 0, []

    async def work() -> None:
        nonlocal starts
        starts += 1
        if starts < 3:
            await ending()
        else:
            await asyncio.Event().wait()

    async def look() -> None:
        while starts < 3:
            problems.extend(tasks.problems())
            await asyncio.sleep(0.01)

    tasks.keep("the reader", work)

    async def scene() -> None:
        running = asyncio.create_task(tasks.run())
        await asyncio.wait_for(look(), 10)
        await end(running)
        assert running.cancelled()

    asyncio.run(scene())
    assert (starts, counters[COUNTER]) == (3, 2)
    assert problems[0].startswith("the reader is started again: it ")
    assert tasks.problems() == []


def test_a_task_with_an_end_is_done_once_it_returns() -> None:
    tasks, tries = Supervisor(), 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise TransientError("away")

    tasks.finish("the seed", work)
    asyncio.run(asyncio.wait_for(tasks.run(), 10))
    assert tries == 2


@pytest.mark.parametrize("ending", ENDS)
def test_where_a_task_cannot_be_started_again_all_end_with_the_reason(
    ending: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    ended = []

    async def other() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("other")

    tasks = Supervisor()
    tasks.keep("other", other)
    tasks.require("the feed", ending)
    with pytest.raises(FatalError, match=r"^the feed: expected it to run for ever, but it "):
        asyncio.run(asyncio.wait_for(tasks.run(), 10))
    assert ended == ["other"]


def test_a_fatal_error_is_never_tried_again_even_out_of_a_group() -> None:
    async def refuse() -> None:
        raise FatalError("expected another schema")

    async def work() -> None:
        async with TaskGroup() as group:
            group.create_task(refuse())

    tasks = Supervisor()
    tasks.keep("the writer", work)
    with pytest.raises(FatalError, match=r"^expected another schema$"):
        asyncio.run(tasks.run())


def test_the_end_waits_until_each_task_has_said_goodbye() -> None:
    said = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            said.append("goodbye")

    async def scene() -> None:
        tasks = Supervisor()
        tasks.keep("one", work)
        tasks.keep("two", work)
        running = asyncio.create_task(tasks.run())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await end(running)

    asyncio.run(scene())
    assert said == ["goodbye", "goodbye"]
