"""``/v1/silences``: alerts that nobody is notified of until an end; a change goes through the topic ``silences``."""

import uuid
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response
from msgspec.structs import asdict

from services.api.alert_bodies import converted
from services.api.models.base import Listing
from services.api.models.rules import Silence, SilenceBody
from services.api.parameters import BackendDependency, TableQuery
from services.api.problems import RESPONSES, ProblemError, unknown
from services.api.routes.compacted import hold, loaded
from services.api.routes.rules import CONFLICT
from services.api.security.access import WRITE, CallerDependency
from services.api.serialization.listing import TABLE_RESPONSES, answer
from services.api.serialization.rows import Row, encode, row
from services.common import clock
from services.contracts import messages

SilenceId = Annotated[str, Path(max_length=64, description="The id of a silence.", examples=["maintenance"])]

router = APIRouter(prefix="/v1", tags=["silences"])


@router.get("/silences", response_model=Listing[Silence], responses=TABLE_RESPONSES | RESPONSES)
async def read_silences(
    request: Request, query: Annotated[TableQuery, Query()], backend: BackendDependency
) -> Response:
    """Return every silence, those that are over too, the latest end first."""
    known = await loaded(backend.silences)
    rows = [_row(one) for one in sorted(known.values(), key=lambda one: (-one.end_us, one.id))]
    return await answer(request, query.format, Silence, backend.feed, rows)


@router.get("/silences/{id}", response_model=Silence, responses=RESPONSES)
async def read_silence(id: SilenceId, backend: BackendDependency) -> Response:  # noqa: A002
    """Return one silence."""
    known = await loaded(backend.silences)
    if id not in known:
        raise unknown("silence", id, sorted(known))
    return Response(encode(_row(known[id])), media_type="application/json")


@router.post(
    "/silences",
    status_code=HTTPStatus.CREATED,
    response_model=Silence,
    responses=CONFLICT | RESPONSES,
    dependencies=WRITE,
)
async def post_silence(
    body: Annotated[SilenceBody, Body()], caller: CallerDependency, backend: BackendDependency
) -> Response:
    """Silence alerts from now on, or from `start_us`, until `end_us`; without an id it gets one."""
    given = {"id": uuid.uuid4().hex[:12], "start_us": clock.now_us(), **body, "by": caller.name}
    silence = converted(given, messages.Silence)
    async with backend.changing_rules:
        if silence.id in await loaded(backend.silences):
            detail = f"expected an id that no silence has, received {silence.id!r}"
            raise ProblemError(HTTPStatus.CONFLICT, "Silence exists", detail)
        await hold(backend, backend.silences, silence.id, silence)
    return Response(encode(_row(silence)), HTTPStatus.CREATED, media_type="application/json")


@router.delete("/silences/{id}", status_code=HTTPStatus.NO_CONTENT, responses=RESPONSES, dependencies=WRITE)
async def delete_silence(id: SilenceId, backend: BackendDependency) -> None:  # noqa: A002
    """End a silence, and forget it."""
    async with backend.changing_rules:
        known = await loaded(backend.silences)
        if id not in known:
            raise unknown("silence", id, sorted(known))
        await hold(backend, backend.silences, id, None)


def _row(silence: messages.Silence) -> Row:
    active = silence.is_active(clock.now_us())
    return row([*asdict(silence).items(), ("active", active)])
