"""``GET /v1/pairs/{pair}/signals/{time}/work``: how the numbers of one second come about."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from services.api.analysis.requests import WorkRequest
from services.api.models.work import SignalWork, WindowSample
from services.api.parameters import BackendDependency, PairPath, TableQuery
from services.api.problems import RESPONSES, ProblemError
from services.api.queries.windows import nearest, read_signal, read_window
from services.api.serialization.listing import TABLE_RESPONSES, TableAnswer
from services.api.time_parameters import Moment
from services.common import clock
from services.common.kafka.pair_configs import configured

router = APIRouter(prefix="/v1", tags=["pairs"])

SecondPath = Annotated[
    Moment, Path(description="The `event_time` of a closed signal.", examples=["2026-01-01T00:05:00Z"])
]


@router.get(
    "/pairs/{pair}/signals/{time}/work", response_model=SignalWork, responses=TABLE_RESPONSES | RESPONSES
)
async def read_work(
    pair: PairPath,
    time: SecondPath,
    request: Request,
    query: Annotated[TableQuery, Query()],
    backend: BackendDependency,
) -> Response:
    """Return what went into one closed signal, its arithmetic, and a Python program that repeats it.

    The line is that of the samples before the second; the z-score is worked out again from the stored samples, so it
    can be held against the one that was published. CSV and Parquet have the samples; the last row is the second.
    """
    name = str(await backend.require_measured(pair))
    signal = await read_signal(backend.store, name, time)
    if signal is None:
        near = await nearest(backend.store, name, time)
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "Unknown second",
            f"expected the event_time of a stored signal of {name}, such as {' or '.join(near) or '(none is stored)'}, "
            f"received {clock.to_iso(time)}",
            near=near,
        )
    if signal["quality"] == "stale":
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "No numbers",
            f"{name} has no numbers at {clock.to_iso(time)}: {signal['reason']}",
        )
    config = backend.pairs.get(name) or configured(backend.settings, name)[name]
    window = await read_window(backend.store, name, signal, config.stale_after_s)
    table = TableAnswer(request, query.format, WindowSample, {})
    question = WorkRequest(
        form=table.format,
        path=request.url.path,
        url=str(request.url.replace(query="")),
        feed=backend.feed,
        pair=name,
        event_us=time,
        method=signal["method"],
        window=signal["window"],
        transform=config.transform,
        zscore=signal["zscore"],
        published={key: signal[key] for key in ("spread", "hedge_ratio", "reason", "filled")},
        y=signal["y_price"],
        x=signal["x_price"],
        at_us=window.at_us,
        legs=window.legs,
        is_whole=window.is_whole,
    )
    return await backend.answers.respond(request, table, question)
