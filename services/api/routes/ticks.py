"""``GET /v1/ticks``: raw trades, page by page."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api.models.base import Listing
from services.api.models.market import Tick
from services.api.parameters import BackendDependency, TicksQuery
from services.api.problems import RESPONSES
from services.api.queries.tables import TICKS
from services.api.serialization.listing import TABLE_RESPONSES
from services.api.serialization.paging import page

router = APIRouter(prefix="/v1", tags=["ticks"])


@router.get("/ticks", response_model=Listing[Tick], responses=TABLE_RESPONSES | RESPONSES)
async def read_ticks(
    request: Request, query: Annotated[TicksQuery, Query()], backend: BackendDependency
) -> Response:
    """Return trades, oldest first, beginning at `start` or with the first one stored.

    Follow `next_cursor` for the rest: pages neither repeat nor leave out a trade, also while trades arrive.
    """
    symbol = await backend.require_symbol(query.symbol)
    return await page(request, backend, query, TICKS, Tick, {"symbol": symbol})
