"""Process of one job: ``python -m services.research.job_process``, started by research.

The job comes on its standard input, and what becomes of it goes to its standard output: lines of JSON. It ends when its
standard input does, also if research was killed.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import msgspec
import structlog

from services.common import process
from services.common.backoff import Backoff
from services.common.errors import TransientError
from services.contracts.scans import SCAN, ScanRequest
from services.research.progress import JobProgress
from services.research.scan import history, run, storage
from services.research.scan.history import UnfitError
from services.research.settings import ResearchSettings
from services.store import database, relations, schema
from services.store.database import Connection
from services.store.jobs import TakenJob

T = TypeVar("T")
_READ, _TESTED = 0.1, 0.9
_LONGEST_DELAY_S = 2.0

log = structlog.get_logger()


def main() -> None:
    """Do the job that is told."""
    settings = process.start("research", ResearchSettings)
    os.nice(settings.research_niceness)
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=TakenJob)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    process.run("research", partial(do, settings, job))


async def do(settings: ResearchSettings, job: TakenJob) -> None:
    """Do a job, whatever becomes of the database meanwhile, and store what it found."""
    if job.kind != SCAN:
        _tell(JobProgress(unfit=f"expected a job of the kind {SCAN}, received {job.kind}"))
        return
    try:
        await _scan(settings, job)
    except UnfitError as error:
        _tell(JobProgress(unfit=str(error)))


async def _scan(settings: ResearchSettings, job: TakenJob) -> None:
    request = msgspec.json.decode(job.request, type=ScanRequest)
    closes = await _on_database(
        settings,
        lambda connection: history.read(
            connection, request, lambda share: _tell(JobProgress(_READ * share, "reading closes"))
        ),
    )
    scanned = await run.run(
        request,
        closes,
        lambda share: _tell(JobProgress(_READ + (_TESTED - _READ) * share, "testing pairs")),
    )
    _tell(JobProgress(_TESTED, "storing pairs"))
    if not await _on_database(settings, lambda connection: storage.store(connection, job, scanned)):
        log.info("the job is another worker's by now, or cancelled: its result is dropped", job=job.job_id)


async def _on_database(settings: ResearchSettings, ask: Callable[[Connection], Awaitable[T]]) -> T:
    """Return what `ask` returns, asked again until the database has answered."""
    backoff = Backoff(cap_s=_LONGEST_DELAY_S)
    while True:
        try:
            with relations.errors():
                async with database.connect(settings, "pairstream-research-job") as connection:
                    await schema.require(connection)
                    return await ask(connection)
        except TransientError as error:
            log.info("waiting for the database", error=str(error))
            await asyncio.sleep(backoff.next_s())


def _tell(told: JobProgress) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_parent() -> None:
    # Not by the buffer, whose lock an ending interpreter wants.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
