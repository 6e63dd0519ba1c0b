import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from services.common.cancellation import TaskGroup, checkpoint, end, pause
from services.common.errors import TransientError


def test_a_loop_ends_though_its_cancellation_was_swallowed() -> None:
    began = asyncio.Event()

    async def stubborn() -> None:
        while True:
            began.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.001)
            await pause(0)

    async def scene() -> None:
        task = asyncio.create_task(stubborn())
        await began.wait()
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.cancelled()

    asyncio.run(scene())


def test_a_task_that_nobody_cancelled_goes_on_even_after_a_timeout_inside_it() -> None:
    async def scene() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.001):
                await asyncio.sleep(60)
        checkpoint()
        await pause(0)

    asyncio.run(scene())


def test_outside_a_loop_there_is_nothing_to_end() -> None:
    checkpoint()


async def _wait_for_ever() -> None:
    await asyncio.Event().wait()


async def _fail() -> None:
    raise ValueError


async def _run(group: asyncio.TaskGroup, *children: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async with group:
        for child in children:
            group.create_task(child())


def test_a_group_whose_child_has_failed_leaves_no_cancellation_behind() -> None:
    async def scene(group: asyncio.TaskGroup) -> None:
        with pytest.raises(ExceptionGroup):
            await _run(group, _wait_for_ever, _fail)
        checkpoint()

    asyncio.run(scene(TaskGroup()))
    if sys.version_info < (3, 12):  # what ours is for
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(scene(asyncio.TaskGroup()))


def test_a_cancellation_beside_a_failure_is_not_forgotten() -> None:
    async def work(began: asyncio.Event) -> None:
        with contextlib.suppress(ExceptionGroup):
            async with TaskGroup() as group:
                group.create_task(_wait_for_ever())
                group.create_task(_fail())
                began.set()
        await pause(60)

    async def scene() -> None:
        began = asyncio.Event()
        task = asyncio.create_task(work(began))
        await began.wait()
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.cancelled()

    asyncio.run(scene())


def test_a_child_that_nobody_cancelled_is_a_failure_of_its_group() -> None:
    async def child() -> None:
        waiting = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(waiting.cancel)  # as a client does that closes its connection
        await waiting

    async def scene() -> None:
        with pytest.raises(ExceptionGroup) as raised:
            await _run(TaskGroup(), _wait_for_ever, child)
        (error,) = raised.value.exceptions
        assert isinstance(error, TransientError)
        assert "child: expected a result, received a cancellation that nobody asked for" in str(error)

    asyncio.run(scene())


def test_a_child_that_its_owner_cancels_is_none() -> None:
    async def scene() -> None:
        async with TaskGroup() as group:
            child = group.create_task(_wait_for_ever())
            await asyncio.sleep(0)
            child.cancel()
        assert child.cancelled()

    asyncio.run(scene())


def test_who_swallows_its_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.common.cancellation._AGAIN_S", 0.01)

    async def stubborn() -> None:
        for _ in range(2):
            with contextlib.suppress(asyncio.CancelledError):
                await _wait_for_ever()
        await _wait_for_ever()

    async def scene() -> None:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        await asyncio.wait_for(end(task), 5)
        assert task.cancelled()

    asyncio.run(scene())


def test_a_library_that_loses_a_cancellation_in_the_moment_of_its_result_does_not_keep_the_task() -> None:
    async def work(result: asyncio.Future[None]) -> None:
        await asyncio.wait_for(result, 60)  # before Python 3.12 it returns, cancelled or not
        while True:
            await pause(0.01)

    async def scene() -> None:
        result = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(work(result))
        await asyncio.sleep(0.01)
        result.set_result(None)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.cancelled()

    asyncio.run(scene())
