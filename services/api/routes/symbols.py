"""``GET /v1/symbols``: the last day of each symbol."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api.listing import CSV_RESPONSE, answer
from services.api.models.base import Listing
from services.api.models.market import SymbolDay
from services.api.problems import RESPONSES
from services.api.queries import BackendDependency, TableQuery
from services.api.rows import Row
from services.common import clock

router = APIRouter(prefix="/v1", tags=["symbols"])


@router.get("/symbols", response_model=Listing[SymbolDay], responses=CSV_RESPONSE | RESPONSES)
async def read_symbols(
    request: Request, query: Annotated[TableQuery, Query()], backend: BackendDependency
) -> Response:
    """Return every symbol; its day and its minute end at its last stored trade, so an old tape has them too."""
    days = await backend.store.days(await backend.symbols())
    now_us = clock.now_us()
    rows = [_merged(backend.price(day["symbol"], now_us), day, now_us) for day in days]
    return answer(request, query.format, SymbolDay, backend.feed, rows)


def _merged(price: Row, day: Row, now_us: int) -> Row:
    """Return the newer of the topic's and the store's last trade, with the store's day."""
    reference = day.pop("reference_price")
    if (price["last_event_us"] or 0) < (day["last_event_us"] or 0):
        price["age_s"] = max(0, now_us - day["last_event_us"]) / clock.SECOND
    else:
        day |= {name: price[name] for name in ("last_price", "last_event_us", "last_event_time")}
    last = day["last_price"]
    change = None if reference is None or last is None else (last / reference - 1) * 100
    return price | day | {"change_24h_pct": change}
