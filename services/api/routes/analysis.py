"""``GET /v1/pairs/{pair}/analysis``: all statistics of a pair over a range."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from services.api.analysis import close_source
from services.api.analysis.requests import PairRequest
from services.api.models.analysis import Analysis, Point
from services.api.parameters import AnyPairPath, BackendDependency
from services.api.problems import RESPONSES, refused
from services.api.serialization.listing import TABLE_RESPONSES, TableAnswer
from services.contracts.messages import Method, Transform
from services.contracts.pair_messages import LOG_THROUGH_ORIGIN, is_log_through_origin
from services.contracts.pairs import Pair
from services.quant.options import AnalysisOptions, Criterion, Trend

router = APIRouter(prefix="/v1", tags=["pairs"])

_LAGS_MAX = 100


class AnalysisQuery(close_source.ClosesQuery):
    """Query of an analysis: the bars, and the options."""

    method: Annotated[Method, Field(description="How the hedge ratio is fitted.", examples=["ols"])] = "ols"
    transform: Annotated[
        Transform, Field(description="Of both legs' closes, before everything else.", examples=["log"])
    ] = "price"
    window: Annotated[
        int,
        Field(ge=3, le=close_source.WINDOW_MAX, description="Bars of the rolling numbers.", examples=[300]),
    ] = 300
    min_samples: Annotated[
        int,
        Field(
            ge=3,
            le=close_source.WINDOW_MAX,
            description="Bars before the first rolling number.",
            examples=[30],
        ),
    ] = 30
    trend: Annotated[
        Trend,
        Field(
            description="What the tests allow for: nothing (n), a constant, a linear, a quadratic trend.",
            examples=["c"],
        ),
    ] = "c"
    lags: Annotated[
        Criterion | Annotated[int, Field(ge=0, le=_LAGS_MAX)],
        Field(
            description="Lagged differences in the tests: so many, or as many as AIC or BIC say.",
            examples=["aic"],
        ),
    ] = "aic"
    level: Annotated[
        float,
        Field(ge=0.5, le=0.9999, description="Confidence of the hedge ratio's interval.", examples=[0.95]),
    ] = 0.95
    series: Annotated[bool, Field(description="False: only the statistics.", examples=[True])] = True


@router.get("/pairs/{pair}/analysis", response_model=Analysis, responses=TABLE_RESPONSES | RESPONSES)
async def read_analysis(
    pair: AnyPairPath,
    request: Request,
    query: Annotated[AnalysisQuery, Query()],
    backend: BackendDependency,
) -> Response:
    """Return hedge ratio, spread, tests and verdict of a pair; as CSV or Parquet the series, `data`.

    Bars are those that are closed and that both legs have, by default the newest 500 of a minute, and of a dataset the
    newest 10,000 without those in which nothing traded; up to a million may be asked for. Statistics are of
    all of them; in the series `hedge_ratio` to `correlation` see only the `window` bars before their own, and
    `sample_spread` and `sample_zscore` are by the one line through all. Until the first second without a trade those of
    1 s bars are what a live signal said: where a leg has no trade that takes its last price for a while, and
    here the bar is left out.
    """
    if is_log_through_origin(query.method, query.transform):
        raise refused("transform", LOG_THROUGH_ORIGIN, query.transform)
    subject = await (await close_source.find(backend, query)).subject(query, Pair.parse(pair))
    if len(subject.closes) < 2:
        raise refused("pair", "two different symbols", pair)
    table = TableAnswer(request, query.format, Point, {})
    options = AnalysisOptions(
        method=query.method,
        transform=query.transform,
        window=query.window,
        min_samples=query.min_samples,
        trend=query.trend,
        lags=query.lags,
        level=query.level,
    )
    question = PairRequest(
        subject=subject,
        form=table.format,
        path=request.url.path,
        pair=str(Pair(*subject.closes)),
        options=options,
        series=query.series or table.format != "json",
    )
    return await backend.answers.respond(request, table, question)
