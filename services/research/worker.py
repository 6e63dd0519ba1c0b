"""Worker: takes one job after the other, has a process of its own do it, and keeps its lease meanwhile.

Who cancels a job changes its row; the worker sees that when it renews the lease, and kills the process.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Concatenate, NoReturn, ParamSpec, TypeVar

import msgspec
import structlog

from services.common.backoff import Backoff
from services.common.cancellation import end, pause
from services.common.errors import AwayError, TransientError
from services.common.heartbeat import HeartbeatState
from services.contracts.scans import ScanRequest
from services.research.progress import JobProgress
from services.research.settings import ResearchSettings
from services.store import database, jobs, radars, relations, schema
from services.store.database import Connection
from services.store.jobs import TakenJob

P = ParamSpec("P")
T = TypeVar("T")
COUNTERS = ("jobs_done", "jobs_unfit", "jobs_cancelled", "jobs_died")
LOOK_EVERY_S = 1.0
RENEW_EVERY_S = 0.5
_LONGEST_DELAY_S = 2.0
# To give a job back is a kindness to who waits for it: its lease ends anyway.
_GOODBYE_S = 1.0
# Libraries of linear algebra read these when they are loaded.
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

log = structlog.get_logger()


class JobStore:
    """The queue over one connection, which is made anew whenever the database was away."""

    def __init__(self, settings: ResearchSettings, pulse: HeartbeatState) -> None:
        self._settings = settings
        self._pulse = pulse
        self._backoff = Backoff(cap_s=_LONGEST_DELAY_S)
        self._stack = AsyncExitStack()
        self._connection: Connection | None = None

    async def call(
        self, ask: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what `ask` returns on the connection, asked again until the database has answered."""
        while True:
            try:
                found = await self.call_once(ask, *args, **kwargs)
            except TransientError as error:
                told = error.told if isinstance(error, AwayError) else str(error)
                self._pulse.state, self._pulse.detail = "degraded", told
                log.warning("waiting", error=str(error))
                await asyncio.sleep(self._backoff.next_s())
            else:
                self._backoff.reset()
                self._pulse.state, self._pulse.detail = "running", None
                return found

    async def call_once(
        self, ask: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what `ask` returns on the connection; TransientError if the database does not answer."""
        try:
            with relations.errors():
                return await ask(await self._connected(), *args, **kwargs)
        except TransientError:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the connection; the next call makes another one."""
        stack, self._stack, self._connection = self._stack, AsyncExitStack(), None
        await stack.aclose()

    async def _connected(self) -> Connection:
        if self._connection is None:
            connection = await self._stack.enter_async_context(
                database.connect(self._settings, "pairstream-research")
            )
            await schema.require(connection)
            self._connection = connection
        return self._connection


class Worker:
    """Does jobs; `name` tells whose they are."""

    def __init__(self, settings: ResearchSettings, pulse: HeartbeatState, name: str) -> None:
        self._settings = settings
        self._pulse = pulse
        self._name = name
        self._store = JobStore(settings, pulse)

    async def run(self) -> NoReturn:
        """Take jobs until cancelled; one that is under way then is given back."""
        try:
            while True:
                job = await self._store.call(jobs.take, self._name)
                if job is None:
                    await pause(LOOK_EVERY_S)
                else:
                    await self._do(job)
        finally:
            await self._store.close()

    async def _do(self, job: TakenJob) -> None:
        log.info("job", job=job.job_id, attempt=job.attempt)
        process = await _started(self._settings, job)
        watched = _JobOutput(process)
        reading = asyncio.create_task(watched.read(), name="the output of a job")
        try:
            while not reading.done():
                if not await self._store.call(jobs.renew, job, watched.last.progress, watched.last.step):
                    if not await self._has_ended(job, reading):
                        self._pulse.counters["jobs_cancelled"] += 1
                        log.info("cancelled", job=job.job_id)
                    return
                await asyncio.wait([reading], timeout=RENEW_EVERY_S)
        except asyncio.CancelledError:
            await _kill(process)
            with suppress(TransientError, TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):
                    await self._store.call_once(jobs.release, job)
            raise
        finally:
            await _kill(process)
            await end(reading)
        await self._judge(job, watched, process.returncode)

    async def _has_ended(self, job: TakenJob, reading: asyncio.Task[None]) -> bool:
        """Tell whether a job that cannot be renewed is done, which its process says just before it ends."""
        state = await self._store.call(jobs.state, job.job_id)
        if state != "done":
            return False
        await asyncio.wait([reading], timeout=LOOK_EVERY_S)
        self._pulse.counters["jobs_done"] += 1
        return True

    async def _judge(self, job: TakenJob, watched: "_JobOutput", code: int | None) -> None:
        counters = self._pulse.counters
        if watched.last.unfit is not None:
            counters["jobs_unfit"] += 1
            log.info("unfit", job=job.job_id, reason=watched.last.unfit)
            await self._refuse(job, watched.last.unfit)
        elif code == 0:
            counters["jobs_done"] += 1
        else:
            counters["jobs_died"] += 1
            log.error("the process of a job has died", job=job.job_id, code=code, attempt=job.attempt)
            await self._store.call(jobs.retry, job)

    async def _refuse(self, job: TakenJob, reason: str) -> None:
        radar = msgspec.json.decode(job.request, type=ScanRequest).radar
        if radar is None:
            await self._store.call(jobs.fail, job, reason)
        else:
            await self._store.call(radars.unfit, radar, job, reason)


class _JobOutput:
    """What the process of a job says; the last line counts."""

    def __init__(self, process: Process) -> None:
        self.last = JobProgress()
        self._process = process

    async def read(self) -> None:
        """Read until the process has ended."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            with suppress(msgspec.DecodeError):  # it died while it was writing
                self.last = msgspec.json.decode(line, type=JobProgress)
        await self._process.wait()


async def _started(settings: ResearchSettings, job: TakenJob) -> Process:
    threads = dict.fromkeys(_THREADS, str(settings.research_threads))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.research.job_process"),
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, **threads},
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(job) + b"\n")
    return process


async def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        if process.returncode is None:
            process.kill()
    await process.wait()
