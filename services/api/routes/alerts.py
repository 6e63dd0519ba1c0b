"""``/v1/alerts``: alerts that fired, their acknowledgement and snoozing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from services.api.backend import Backend
from services.api.models.alerts import Alert, Snooze
from services.api.models.base import Listing
from services.api.parameters import AlertsQuery, BackendDependency
from services.api.problems import RESPONSES, ProblemError, invalid
from services.api.queries.tables import ALERTS
from services.api.security.access import WRITE, CallerDependency
from services.api.serialization.listing import TABLE_RESPONSES
from services.api.serialization.paging import page
from services.api.serialization.rows import Row, encode
from services.common import clock
from services.contracts.alert_messages import rule_named

AlertId = Annotated[
    str,
    Path(
        max_length=256,
        pattern=r"^[^\x00]+$",
        description="The id of a stored alert.",
        examples=["zscore:ETHUSDT-BTCUSDT:1767225600000000:firing"],
    ),
]
# The sink takes a batch several times a second.
STORED_WITHIN_S = 2.0
_LOOK_EVERY_S = 0.1

router = APIRouter(prefix="/v1", tags=["alerts"])


@router.get("/alerts", response_model=Listing[Alert], responses=TABLE_RESPONSES | RESPONSES)
async def read_alerts(
    request: Request, query: Annotated[AlertsQuery, Query()], backend: BackendDependency
) -> Response:
    """Return alerts, newest first; follow `next_cursor` for earlier ones."""
    equal: dict[str, str | bool | Sequence[str]] = {}
    if query.pair is not None:
        equal["pair"] = str(await backend.require_measured(query.pair))
    if query.state is not None:
        equal["state"] = query.state
    if query.rule is not None:
        equal["rule"] = rule_named(query.rule)
    if query.subject is not None:
        equal["subject"] = query.subject
    if query.severity is not None:
        equal["severity"] = query.severity
    if query.retracted is not None:
        equal["retracted"] = query.retracted
    if query.acked is not None:
        equal["acked"] = query.acked
    if query.snoozed is not None:
        equal["snoozed"] = query.snoozed
    return await page(request, backend, query, ALERTS, Alert, equal, "descending")


@router.post("/alerts/{alert_id}/ack", response_model=Alert, responses=RESPONSES, dependencies=WRITE)
async def acknowledge_alert(
    alert_id: AlertId, caller: CallerDependency, backend: BackendDependency
) -> Response:
    """Acknowledge an alert; the first acknowledgement, and its time, stays."""
    return await _handled(alert_id, lambda: backend.store.acknowledge(alert_id, caller.name), backend)


@router.post("/alerts/{alert_id}/snooze", response_model=Alert, responses=RESPONSES, dependencies=WRITE)
async def snooze_alert(alert_id: AlertId, snooze: Snooze, backend: BackendDependency) -> Response:
    """Snooze an alert until a time, or end its snooze (`for_s` 0)."""
    try:
        until_us = snooze.until_us(clock.now_us())
    except ValueError as error:
        wrong = {"type": "value_error", "loc": ("body", "until"), "msg": str(error), "input": snooze.until}
        raise invalid([wrong]) from None
    return await _handled(alert_id, lambda: backend.store.snooze(alert_id, until_us), backend)


async def _handled(alert_id: str, handle: Callable[[], Awaitable[Row | None]], backend: Backend) -> Response:
    """Answer with an alert as it is now, and tell every client of the stream; a new one may not be stored yet."""
    is_news = any(entry.message.alert_id == alert_id for entry in backend.live_state.last_alerts())
    deadline = time.monotonic() + (STORED_WITHIN_S if is_news else 0)
    while (stored := await handle()) is None:
        if time.monotonic() >= deadline:
            detail = f"expected the id of a stored alert, received {alert_id!r}"
            raise ProblemError(HTTPStatus.NOT_FOUND, "Unknown alert", detail)
        await asyncio.sleep(_LOOK_EVERY_S)
    backend.tell_handling(stored)
    return Response(encode(stored), media_type="application/json")
