"""``/v1/radars``: standing scans, and from when to when they have confirmed a pair."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import Field

from services.api.backend import Backend
from services.api.models.base import Listing
from services.api.models.problem import Problem
from services.api.models.radars import Confirmation, Radar, RadarBody, RadarName
from services.api.parameters import BackendDependency, Limit, PeriodQuery, TableQuery
from services.api.problems import RESPONSES, ProblemError, unknown
from services.api.queries.radars import CONFIRMATIONS, find_radars
from services.api.security.access import WRITE
from services.api.serialization.listing import TABLE_RESPONSES, answer
from services.api.serialization.paging import page
from services.api.serialization.rows import Row, encode
from services.common.kafka.compacted import publish
from services.contracts.topics import RADAR
from services.store import radars

router = APIRouter(prefix="/v1/radars", tags=["jobs"])
RadarPath = Annotated[RadarName, Path()]
_PUT: dict[int | str, dict[str, Any]] = {
    201: {"description": "The radar is new.", "model": Radar},
    409: {"description": "There are too many radars.", "model": Problem},
}


class ConfirmationsQuery(PeriodQuery):
    """Confirmations, the one that began last first."""

    ended: Annotated[
        bool | None, Field(description="Those that have ended, or those that hold.", examples=[False])
    ] = None
    limit: Limit = 100


@router.get("", response_model=Listing[Radar], responses=TABLE_RESPONSES | RESPONSES)
async def read_radars(
    request: Request, query: Annotated[TableQuery, Query()], backend: BackendDependency
) -> Response:
    """Return every radar, with what its last scan found in short."""
    return await answer(request, query.format, Radar, backend.feed, await find_radars(backend.store))


@router.get("/{radar}", response_model=Radar, responses=RESPONSES)
async def read_radar(radar: RadarPath, backend: BackendDependency) -> Response:
    """Return one radar, with what its last scan found in short."""
    return Response(encode(await _radar(backend, radar)), media_type="application/json")


@router.put("/{radar}", response_model=Radar, responses={**_PUT, **RESPONSES}, dependencies=WRITE)
async def put_radar(
    radar: RadarPath, backend: BackendDependency, body: Annotated[RadarBody, Body()]
) -> Response:
    """Make or change a radar, which is scanned within seconds and then again and again.

    A radar that scans something else by then begins anew: what it has confirmed so far has ended.
    """
    for symbol in body.symbols or ():
        await backend.require_symbol(symbol)
    is_new = not await find_radars(backend.store, radar)
    async with backend.store.writing() as connection:
        held = await radars.put(connection, radar, body.request(), body.every_s, body.paused)
    if not held:
        detail = f"expected at most {radars.MOST_RADARS} radars, of which there are as many: delete one first"
        raise ProblemError(HTTPStatus.CONFLICT, "Too many radars", detail)
    status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return Response(encode(await _radar(backend, radar)), status, media_type="application/json")


@router.delete("/{radar}", status_code=HTTPStatus.NO_CONTENT, responses=RESPONSES, dependencies=WRITE)
async def delete_radar(radar: RadarPath, backend: BackendDependency) -> None:
    """Delete a radar with its last scan and all that it has confirmed; what it confirms ends, on `radar` too."""
    await _radar(backend, radar)
    async with backend.store.writing() as connection:
        ending = await radars.ending(connection, radar)
        # Told first: what is deleted nobody could tell any more.
        await publish(backend.settings, RADAR, {event.pair: event for event in ending})
        await radars.delete(connection, radar)


@router.get(
    "/{radar}/confirmations", response_model=Listing[Confirmation], responses=TABLE_RESPONSES | RESPONSES
)
async def read_confirmations(
    radar: RadarPath,
    request: Request,
    query: Annotated[ConfirmationsQuery, Query()],
    backend: BackendDependency,
) -> Response:
    """Return from when to when a radar has confirmed each pair, the one that began last first.

    `start` and `end` select those that reach into that time.
    """
    await _radar(backend, radar)
    equal: dict[str, str | bool | Sequence[str]] = {"radar_id": radar}
    if query.ended is not None:
        equal["ended"] = query.ended
    return await page(request, backend, query, CONFIRMATIONS, Confirmation, equal, "descending")


async def _radar(backend: Backend, radar_id: str) -> Row:
    found = await find_radars(backend.store, radar_id)
    if not found:
        known = await find_radars(backend.store)
        raise unknown("radar", radar_id, [one["radar_id"] for one in known])
    return found[0]
