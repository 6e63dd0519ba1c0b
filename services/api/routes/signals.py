"""``GET /v1/pairs/{pair}/signals``: signals of a pair, second by second."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api.models.base import Listing
from services.api.models.pairs import Signal
from services.api.parameters import BackendDependency, PairPath, SignalsQuery
from services.api.problems import RESPONSES
from services.api.queries.tables import SIGNALS
from services.api.serialization.listing import TABLE_RESPONSES
from services.api.serialization.paging import from_start_or_newest, page

router = APIRouter(prefix="/v1", tags=["pairs"])


@router.get("/pairs/{pair}/signals", response_model=Listing[Signal], responses=TABLE_RESPONSES | RESPONSES)
async def read_signals(
    pair: PairPath, request: Request, query: Annotated[SignalsQuery, Query()], backend: BackendDependency
) -> Response:
    """Return signals, oldest first, beginning at `start`; without it the newest `limit` of them before `end`."""
    equal, order = {"pair": str(await backend.require_measured(pair))}, from_start_or_newest(query)
    return await page(request, backend, query, SIGNALS, Signal, equal, order)
