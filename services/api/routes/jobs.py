"""``/v1/jobs``: work that takes longer than a request may: how far it is, and its end."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from services.api.backend import Backend
from services.api.models.base import Listing
from services.api.models.jobs import Job, JobState
from services.api.parameters import BackendDependency, TableQuery
from services.api.problems import RESPONSES, ProblemError
from services.api.queries.jobs import find_jobs
from services.api.security.access import WRITE
from services.api.serialization.listing import TABLE_RESPONSES, answer
from services.api.serialization.rows import Row, encode
from services.store import jobs

LISTED = 200

JobId = Annotated[
    str,
    Path(
        max_length=64, pattern=r"^[^\x00]+$", description="The id of a job.", examples=["scan-3f6b1c0a9d2e"]
    ),
]
router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


class JobsQuery(TableQuery):
    """Jobs, the one asked for last first."""

    state: Annotated[JobState | None, Query(description="Of these alone.", examples=["running"])] = None


@router.get("", response_model=Listing[Job], responses=TABLE_RESPONSES | RESPONSES)
async def read_jobs(
    request: Request, query: Annotated[JobsQuery, Query()], backend: BackendDependency
) -> Response:
    """Return the last 200 jobs, the one asked for last first."""
    equal = {} if query.state is None else {"state": str(query.state)}
    rows = await find_jobs(backend.store, LISTED, **equal)
    return await answer(request, query.format, Job, backend.feed, rows)


@router.get("/{job}", response_model=Job, responses=RESPONSES)
async def read_job(job: JobId, backend: BackendDependency) -> Response:
    """Return one job, and how far it is."""
    return Response(encode(await _job(backend, job)), media_type="application/json")


@router.delete("/{job}", response_model=Job, responses=RESPONSES, dependencies=WRITE)
async def cancel_job(job: JobId, backend: BackendDependency) -> Response:
    """Cancel a job, which ends within two seconds; one that has ended stays as it is, with what it found."""
    async with backend.store.writing() as connection:
        await jobs.cancel(connection, job)
    return Response(encode(await _job(backend, job)), media_type="application/json")


async def _job(backend: Backend, job_id: str) -> Row:
    found = await find_jobs(backend.store, 1, job_id=job_id)
    if not found:
        detail = (
            f"expected the id of a job, received {job_id!r}: it is not known, or was deleted after others"
        )
        raise ProblemError(HTTPStatus.NOT_FOUND, "Unknown job", detail)
    return found[0]
