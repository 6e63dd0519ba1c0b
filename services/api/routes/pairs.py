"""``GET /v1/pairs``: which pairs are watched, and how."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api.backend import Backend
from services.api.listing import CSV_RESPONSE, answer
from services.api.models.base import Listing
from services.api.models.pairs import Pair
from services.api.problems import RESPONSES
from services.api.queries import BackendDependency, TableQuery
from services.api.rows import Row, encode, message_row
from services.common import pairs

METHOD = "ols"
PRICE_TRANSFORM = "raw"

router = APIRouter(prefix="/v1", tags=["pairs"])


@router.get("/pairs", response_model=Listing[Pair], responses=CSV_RESPONSE | RESPONSES)
async def read_pairs(
    request: Request, query: Annotated[TableQuery, Query()], backend: BackendDependency
) -> Response:
    """Return every watched pair with its settings and its last signal."""
    rows = [_row(pair, backend) for pair in backend.settings.pairs]
    return answer(request, query.format, Pair, backend.feed, rows)


@router.get("/pairs/{pair}", response_model=Pair, responses=RESPONSES)
async def read_pair(pair: str, backend: BackendDependency) -> Response:
    """Return one watched pair with its settings and its last signal."""
    return Response(encode(_row(backend.require_pair(pair), backend)), media_type="application/json")


def _row(pair: pairs.Pair, backend: Backend) -> Row:
    settings, signal = backend.settings, backend.hub.signals.get(str(pair))
    return {
        "pair": str(pair),
        "y": pair.y,
        "x": pair.x,
        "window": settings.window,
        "min_samples": min(settings.window, settings.min_samples),
        "method": METHOD,
        "price_transform": PRICE_TRANSFORM,
        "entry_z": settings.entry_z,
        "exit_z": settings.exit_z,
        "stale_after_s": settings.stale_after_s,
        "last_signal": None if signal is None else message_row(signal.message),
    }
