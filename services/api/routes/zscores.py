"""``GET /v1/zscores``: the last minutes of every watched pair's z-score in one answer."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from services.api.models.base import Listing
from services.api.models.zscores import ZscoreLine
from services.api.parameters import BackendDependency, TableQuery
from services.api.problems import RESPONSES
from services.api.queries.zscore_lines import zscore_lines
from services.api.serialization.listing import TABLE_RESPONSES, answer

router = APIRouter(prefix="/v1", tags=["pairs"])


class ZscoresQuery(TableQuery):
    """Query of the lines of z-scores: how long, and in how many steps."""

    span_s: Annotated[
        int, Field(ge=60, le=3600, description="Up to the newest signal of any pair, s.", examples=[1800])
    ] = 1800
    points: Annotated[int, Field(ge=2, le=240, description="Steps of a line.", examples=[60])] = 60


@router.get("/zscores", response_model=Listing[ZscoreLine], responses=TABLE_RESPONSES | RESPONSES)
async def read_zscores(
    request: Request, query: Annotated[ZscoresQuery, Query()], backend: BackendDependency
) -> Response:
    """Return a line of z-scores of every watched pair, thinned without losing an extreme.

    All lines end at the same time, so they can be drawn beside each other. Every second is in
    `/v1/pairs/{pair}/signals`.
    """
    rows = await zscore_lines(backend.store, sorted(backend.pairs), query.span_s, query.points)
    return await answer(request, query.format, ZscoreLine, backend.feed, rows)
