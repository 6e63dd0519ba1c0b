"""``/v1/targets``: where alerts are delivered; kept in the database, where delivery looks every second."""

import asyncio
import time
import uuid
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request, Response

from services.api.alert_bodies import converted
from services.api.backend import Backend
from services.api.models.base import Listing
from services.api.models.deliveries import Delivery, Replay, Replayed, Target, TargetBody
from services.api.models.problem import Problem
from services.api.parameters import BackendDependency, TableQuery
from services.api.problems import RESPONSES, ProblemError, invalid, unknown
from services.api.queries.deliveries import find_delivery, find_targets
from services.api.security.access import WRITE, CallerDependency
from services.api.serialization.listing import TABLE_RESPONSES, answer
from services.api.serialization.rows import Row, encode
from services.common import clock
from services.contracts import targets as contract
from services.contracts.targets import OPEN_STATES, AlertNotification
from services.store import deliveries, targets
from services.store.deliveries import NewDelivery
from services.store.targets import MOST_TARGETS, TooManyTargetsError

# Longer than a try may take.
TESTED_WITHIN_S = 20.0
_LOOK_EVERY_S = 0.1
_AWAY = ("unknown", "stopped", "silent")
TargetId = Annotated[
    str,
    Path(max_length=64, pattern=r"^[^\x00]+$", description="The id of a target.", examples=["desk-bot"]),
]
_CREATED: dict[int | str, dict[str, Any]] = {201: {"description": "The target is new.", "model": Target}}
_CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"description": "There is one of this id, or there are too many.", "model": Problem}
}
_DISABLED: dict[int | str, dict[str, Any]] = {
    409: {"description": "The target is disabled, or delivery does not run.", "model": Problem}
}

router = APIRouter(prefix="/v1/targets", tags=["deliveries"])


@router.get("", response_model=Listing[Target], responses=TABLE_RESPONSES | RESPONSES)
async def read_targets(
    request: Request, query: Annotated[TableQuery, Query()], backend: BackendDependency
) -> Response:
    """Return every target, without what is secret of it."""
    return await answer(request, query.format, Target, backend.feed, await find_targets(backend.store))


@router.get("/{id}", response_model=Target, responses=RESPONSES)
async def read_target(id: TargetId, backend: BackendDependency) -> Response:  # noqa: A002  # the contract's word
    """Return one target, without what is secret of it."""
    return await _answer(backend, id)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=Target,
    responses=_CONFLICT | RESPONSES,
    dependencies=WRITE,
)
async def post_target(body: Annotated[TargetBody, Body()], backend: BackendDependency) -> Response:
    """Write a new target; alerts are delivered to it from about a second later on."""
    target = converted(body, contract.Target)
    if await find_targets(backend.store, target.id):
        detail = f"expected an id that no target has, received {target.id!r}"
        raise ProblemError(HTTPStatus.CONFLICT, "Target exists", detail)
    await _put(backend, target)
    return await _answer(backend, target.id, HTTPStatus.CREATED)


@router.put("/{id}", response_model=Target, responses=_CREATED | _CONFLICT | RESPONSES, dependencies=WRITE)
async def put_target(
    id: TargetId,  # noqa: A002
    body: Annotated[TargetBody, Body()],
    backend: BackendDependency,
) -> Response:
    """Write a target as a whole, new or in the place of the one before; a field that is left out gets its default.

    `url` and `secret` alone stay as they are if they are left out and the kind is the same, since nobody is told them.
    A disabled target is tried again.
    """
    async with backend.store.reading() as connection:
        known = await targets.secrets(connection, id)
    found = await find_targets(backend.store, id)
    kept = {}
    if known is not None and found and found[0]["kind"] == body.get("kind"):
        kept = {name: value for name, value in zip(("url", "secret"), known, strict=True) if value}
    target = converted({"id": id, **kept, **body}, contract.Target)
    if target.id != id:
        raise _wrong("id", f"{id}, as in the address", target.id)
    await _put(backend, target)
    return await _answer(backend, id, HTTPStatus.CREATED if known is None else HTTPStatus.OK)


@router.delete("/{id}", status_code=HTTPStatus.NO_CONTENT, responses=RESPONSES, dependencies=WRITE)
async def delete_target(id: TargetId, backend: BackendDependency) -> None:  # noqa: A002
    """Remove a target; what is still to be delivered to it is skipped, its log stays."""
    await _known(backend, id)
    async with backend.store.writing() as connection:
        await targets.remove(connection, id)


@router.post("/{id}/test", response_model=Delivery, responses=_DISABLED | RESPONSES, dependencies=WRITE)
async def test_target(
    id: TargetId,  # noqa: A002
    caller: CallerDependency,
    backend: BackendDependency,
) -> Response:
    """Send a test, once, and return what became of it; `waiting` after 20 s if delivery has not come to it.

    A paused target is tested, too; a disabled one is not, until it is written again.
    """
    if (found := await _known(backend, id))["state"] == "disabled":
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "Target disabled",
            f"expected a target that is tried, received one that is disabled: {found['reason']}; write it again",
        )
    _require_delivery(backend)
    told = AlertNotification(kind="test", target=id, group={}, alerts=())
    name = deliveries.delivery_id(id, "test", (), uuid.uuid4().hex)
    title = f"test by {caller.name}, {clock.to_iso(clock.now_us())}"
    async with backend.store.writing() as connection:
        await deliveries.add(connection, [NewDelivery(name, id, (), title, told)])
    deadline = time.monotonic() + TESTED_WITHIN_S
    while (row := await find_delivery(backend.store, name)) is not None:
        if row["state"] not in OPEN_STATES or time.monotonic() > deadline:
            return Response(encode(row), media_type="application/json")
        await asyncio.sleep(_LOOK_EVERY_S)
    raise unknown("target", id, [])


@router.post("/{id}/replay", response_model=Replayed, responses=RESPONSES, dependencies=WRITE)
async def replay_target(id: TargetId, asked: Replay, backend: BackendDependency) -> Response:  # noqa: A002
    """Make the deliveries of a time again, under the ids they had: what was missed, or all of it."""
    await _known(backend, id)
    end_us = clock.now_us() if asked.end is None else asked.end
    if asked.start >= end_us:
        raise _wrong("start", f"a time before the end {clock.to_iso(end_us)}", clock.to_iso(asked.start))
    start, end = clock.to_datetime(asked.start), clock.to_datetime(end_us)
    async with backend.store.writing() as connection:
        made = await deliveries.replay(connection, id, start, end, asked.states)
    return Response(encode({"deliveries": made}), media_type="application/json")


def _require_delivery(backend: Backend) -> None:
    """Return if a process of delivery is heard of; ProblemError otherwise, as nobody would send the test."""
    (found,) = (one for one in backend.status()["services"] if one["service"] == "delivery")
    if found["state"] in _AWAY:
        detail = (
            f"expected delivery to run, received the state {found['state']}: start it, then test the target"
        )
        raise ProblemError(HTTPStatus.CONFLICT, "Delivery does not run", detail)


async def _put(backend: Backend, target: contract.Target) -> None:
    try:
        async with backend.store.writing() as connection:
            await targets.put(connection, target)
            if target.paused:
                await deliveries.skip_waiting(connection, target.id, "the target was paused")
    except TooManyTargetsError:
        detail = f"expected at most {MOST_TARGETS} targets, of which there are as many: delete one first"
        raise ProblemError(HTTPStatus.CONFLICT, "Too many targets", detail) from None


async def _answer(backend: Backend, target_id: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(await _known(backend, target_id)), status, media_type="application/json")


async def _known(backend: Backend, target_id: str) -> Row:
    found = await find_targets(backend.store, target_id)
    if not found:
        raise unknown("target", target_id, [one["id"] for one in await find_targets(backend.store)])
    return found[0]


def _wrong(field: str, expected: str, received: object) -> ProblemError:
    return invalid(
        [{"type": "value_error", "loc": ("body", field), "msg": f"expected {expected}", "input": received}]
    )
