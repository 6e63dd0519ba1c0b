"""Child process that runs a module of the project."""

import asyncio
import os
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


@asynccontextmanager
async def child(*arguments: str, **environment: str) -> AsyncIterator[Process]:
    """Run ``python -m`` with `arguments`; the process is killed if the test leaves it running."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, env={**os.environ, **environment}, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@contextmanager
def processes(*modules: str, **environment: str) -> Iterator[None]:
    """Run each module until the block ends; AssertionError if one has ended before."""
    found = [
        subprocess.Popen((sys.executable, "-m", module), env={**os.environ, **environment})
        for module in modules
    ]
    try:
        yield
        assert [process.poll() for process in found] == [None] * len(found)
    finally:
        for process in found:
            process.kill()
            process.wait()
