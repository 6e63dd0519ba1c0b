"""``/v1/incidents``: one row for each incident, from the alert that opened it to what ended it."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api.models.base import Listing
from services.api.models.incidents import Incident, IncidentMark
from services.api.parameters import BackendDependency, IncidentsQuery
from services.api.problems import RESPONSES, ProblemError
from services.api.queries import incident_marks
from services.api.queries.incidents import INCIDENTS
from services.api.routes.alerts import AlertId
from services.api.security.access import WRITE, CallerDependency
from services.api.serialization.listing import TABLE_RESPONSES
from services.api.serialization.paging import page
from services.api.serialization.rows import encode
from services.contracts.alert_messages import rule_named

router = APIRouter(prefix="/v1", tags=["alerts"])


@router.get("/incidents", response_model=Listing[Incident], responses=TABLE_RESPONSES | RESPONSES)
async def read_incidents(
    request: Request, query: Annotated[IncidentsQuery, Query()], backend: BackendDependency
) -> Response:
    """Return incidents, the one that began last first; follow `next_cursor` for earlier ones."""
    equal: dict[str, str | bool | Sequence[str]] = {}
    if query.pair is not None:
        equal["pair"] = str(await backend.require_measured(query.pair))
    if query.state == "open":
        equal["open"] = True
    elif query.state is not None:
        equal["state_now"] = query.state
    if query.rule is not None:
        equal["rule"] = rule_named(query.rule)
    for column in ("subject", "severity", "acked", "snoozed", "marked_false"):
        if (value := getattr(query, column)) is not None:
            equal[column] = value
    return await page(request, backend, query, INCIDENTS, Incident, equal, "descending")


@router.post("/incidents/{alert_id}/mark", response_model=Incident, responses=RESPONSES, dependencies=WRITE)
async def mark_incident(
    alert_id: AlertId, mark: IncidentMark, caller: CallerDependency, backend: BackendDependency
) -> Response:
    """Call an incident a false alarm, or take that back; it is named by the alert that opened it."""
    by = caller.name if mark.is_false else None
    marked = await incident_marks.mark(backend.store, alert_id, by, mark.note)
    if marked is None:
        detail = f"expected the id of an alert that opened an incident, received {alert_id!r}"
        raise ProblemError(HTTPStatus.NOT_FOUND, "Unknown incident", detail)
    return Response(encode(marked), media_type="application/json")
