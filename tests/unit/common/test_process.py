"""End of a process: one line for an error of ours, a traceback for any other."""

import asyncio
import gc
import os
import signal
from collections.abc import Iterator

import pytest

from services.common.errors import AwayError, FatalError, PairstreamError, TransientError
from services.common.process import run


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    """Leave the garbage collector as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.mark.parametrize(
    "error", [FatalError("wrong"), TransientError("wrong"), AwayError("the broker", "wrong")]
)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_an_error_of_ours_is_one_line(error: PairstreamError, depth: int) -> None:
    async def serve(inner: int = depth) -> None:
        if inner == 0:
            raise error
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(inner - 1))

    with pytest.raises(SystemExit, match=r"^sink: wrong$"):
        run("sink", serve)


def test_a_fault_of_the_code_keeps_its_traceback() -> None:
    async def serve() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(broken())

    async def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        run("sink", serve)
    assert caught.group_contains(ZeroDivisionError)


def test_a_signal_ends_it_well() -> None:
    async def serve() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    run("test", serve)


def test_a_cancellation_that_nobody_asked_for_is_a_failure() -> None:
    async def serve() -> None:
        raise asyncio.CancelledError

    with pytest.raises(SystemExit, match=r"^test: expected to run until a signal, but was cancelled"):
        run("test", serve)
