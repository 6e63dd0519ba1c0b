"""``GET /v1/bars``: OHLCV."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api.datasets import catalogue
from services.api.datasets.bars import bars_table, relation_of
from services.api.models.base import Listing
from services.api.models.market import Bar
from services.api.parameters import BackendDependency, BarsQuery
from services.api.problems import RESPONSES
from services.api.queries.bars import BARS
from services.api.serialization.listing import TABLE_RESPONSES
from services.api.serialization.paging import from_start_or_newest, page
from services.contracts.intervals import USUAL

router = APIRouter(prefix="/v1", tags=["bars"])


@router.get("/bars", response_model=Listing[Bar], responses=TABLE_RESPONSES | RESPONSES)
async def read_bars(
    request: Request, query: Annotated[BarsQuery, Query()], backend: BackendDependency
) -> Response:
    """Return bars, oldest first, beginning at `start`; without it the newest `limit` of them before `end`.

    An interval without a trade has no bar. `start` and `end` select by the start of the bar. Bars of a dataset are
    put together to wider ones where an interval asks for that; they come from no feed, which is null then.

    Bars of the market in `5s`, `15s`, `15m`, `4h` and `1d` are made of stored ones while they are read; they begin at
    multiples of their width since midnight, UTC.

    A bar is `closed` once its time has passed, and says what share of that time there was data for: its `coverage`.
    """
    order = from_start_or_newest(query)
    if query.dataset is None:
        equal = {"symbol": await backend.require_symbol(query.symbol)}
        interval = query.interval or USUAL
        about = {"interval": str(interval)}
        return await page(request, backend, query, BARS[interval], Bar, equal, order, about)
    dataset = await catalogue.find(backend.store, query.dataset)
    (symbol,) = await catalogue.require_symbols(backend.store, dataset, query.symbol)
    relation = relation_of(dataset, query.interval)
    about = {"dataset": dataset.name, "width_s": str(relation.width_us / 1e6)}
    table = bars_table(dataset, relation, query.carried or "keep")
    return await page(request, backend, query, table, Bar, {"symbol": symbol}, order, about, feed=None)
