import asyncio
import contextlib

from services.common.cancellation import checkpoint, pause


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
