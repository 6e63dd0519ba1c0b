"""``GET /v1/gaps``: gaps of the tape, and whether each was repaired."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api.models.tape import Gap, GapLedger
from services.api.parameters import BackendDependency, GapsQuery
from services.api.problems import RESPONSES
from services.api.queries.tables import GAPS
from services.api.serialization.listing import TABLE_RESPONSES
from services.api.serialization.paging import page
from services.api.tape_health import OPEN

router = APIRouter(prefix="/v1", tags=["gaps"])


@router.get("/gaps", response_model=GapLedger, responses=TABLE_RESPONSES | RESPONSES)
async def read_gaps(
    request: Request, query: Annotated[GapsQuery, Query()], backend: BackendDependency
) -> Response:
    """Return the gaps of the tape, the one that began last first, and the coverage of each symbol.

    A gap is a run of trade ids that the stream jumped over. `start` and `end` select the gaps that reach into
    that time. `state=open` gives those whose trades are missing still: `found` and `unrepaired`. Follow
    `next_cursor` for earlier ones; CSV has the gaps alone.
    """
    equal: dict[str, str | Sequence[str]] = {}
    symbols = backend.names()
    if query.symbol is not None:
        equal["symbol"] = symbol = await backend.require_symbol(query.symbol)
        symbols = [symbol]
    if query.state is not None:
        equal["state"] = OPEN if query.state == "open" else query.state
    coverage = [backend.explained(backend.tape.coverage(symbol)) for symbol in symbols]
    return await page(request, backend, query, GAPS, Gap, equal, "descending", coverage=coverage)
