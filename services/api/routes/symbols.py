"""``GET /v1/symbols``: the last 24 h of each symbol."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api.models.base import Listing
from services.api.models.market import SymbolDay
from services.api.parameters import BackendDependency, TableQuery
from services.api.problems import RESPONSES
from services.api.serialization.listing import TABLE_RESPONSES, answer
from services.api.serialization.rows import Row, age_s, row

_DAY = ("volume_24h", "trades_24h", "tick_rate")

router = APIRouter(prefix="/v1", tags=["symbols"])


@router.get("/symbols", response_model=Listing[SymbolDay], responses=TABLE_RESPONSES | RESPONSES)
async def read_symbols(
    request: Request, query: Annotated[TableQuery, Query()], backend: BackendDependency
) -> Response:
    """Return every symbol with its last trade, and its day and its minute as they were at most a second ago.

    Both end at its last stored trade, so an old tape has them too. Symbols that are stored and not `collected` now are
    there as well.
    """
    now_us = backend.fed_now_us()
    first = await backend.first_trades.get()
    rows = [
        _merged(backend.price(day["symbol"], now_us), day, now_us)
        | row([("first_event_us", first.get(day["symbol"]))])
        for day in await backend.days.get()
    ]
    return await answer(request, query.format, SymbolDay, backend.feed, rows)


def _merged(price: Row, day: Row, now_us: int) -> Row:
    """Return the newer of the topic's and the store's last trade, with the store's day."""
    if (price["last_event_us"] or 0) < (day["last_event_us"] or 0):
        newer = {name: day[name] for name in ("last_price", "last_event_us", "last_event_time")}
        price |= newer | {"age_s": age_s(day["last_event_us"], now_us)}
    last, reference = price["last_price"], day["reference_price"]
    change = None if reference is None or last is None else (last / reference - 1) * 100
    return {**price, **{name: day[name] for name in _DAY}, "change_24h_pct": change}
