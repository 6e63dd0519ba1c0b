"""``GET /v1/bars``: OHLCV."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api.listing import CSV_RESPONSE
from services.api.models.base import Listing
from services.api.models.market import Bar
from services.api.paging import from_start_or_newest, page
from services.api.problems import RESPONSES
from services.api.queries import BackendDependency, BarsQuery
from services.api.tables import BARS

router = APIRouter(prefix="/v1", tags=["bars"])


@router.get("/bars", response_model=Listing[Bar], responses=CSV_RESPONSE | RESPONSES)
async def read_bars(
    request: Request, query: Annotated[BarsQuery, Query()], backend: BackendDependency
) -> Response:
    """Return bars, oldest first, beginning at `start`; without it the newest `limit` of them before `end`.

    An interval without a trade has no bar. `start` and `end` select by the start of the bar.
    """
    await backend.require_symbol(query.symbol)
    equal, order = {"symbol": query.symbol}, from_start_or_newest(query)
    return await page(request, backend, query, query.limit, BARS[query.interval], Bar, equal, order)
