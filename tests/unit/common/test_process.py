"""A process ends as it was asked to, or says why."""

import asyncio
import os
import signal

import pytest

from services.common.process import run


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
