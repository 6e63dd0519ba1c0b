"""``GET /v1/alerts``: what the rules said."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api.listing import CSV_RESPONSE
from services.api.models.alerts import Alert
from services.api.models.base import Listing
from services.api.paging import page
from services.api.problems import RESPONSES
from services.api.queries import AlertsQuery, BackendDependency
from services.api.tables import ALERTS

router = APIRouter(prefix="/v1", tags=["alerts"])


@router.get("/alerts", response_model=Listing[Alert], responses=CSV_RESPONSE | RESPONSES)
async def read_alerts(
    request: Request, query: Annotated[AlertsQuery, Query()], backend: BackendDependency
) -> Response:
    """Return alerts, newest first; follow `next_cursor` for earlier ones."""
    equal = {}
    if query.pair is not None:
        equal["pair"] = str(backend.require_pair(query.pair))
    if query.state is not None:
        equal["state"] = query.state
    return await page(request, backend, query, query.limit, ALERTS, Alert, equal, "descending")
