"""``GET /v1/pairs/{pair}/calibration``: whether a pair's z-score is normal, and how its entries ended."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from services.api.analysis.requests import CalibrationRequest
from services.api.models.calibration import Bin, Calibration, CalibrationTable
from services.api.parameters import BackendDependency, PairPath, SpanQuery
from services.api.problems import RESPONSES, refused
from services.api.queries.signal_history import read_past
from services.api.serialization.listing import TABLE_RESPONSES, TableAnswer
from services.common import clock
from services.common.kafka.pair_configs import configured
from services.quant.analysis.entries import Bands

router = APIRouter(prefix="/v1", tags=["pairs"])

SIGNALS_MAX = 100_000


class CalibrationQuery(SpanQuery):
    """Query of a calibration: the signals (by default the last day before `end`), and an entry's time limit."""

    stop: Annotated[
        float | None,
        Field(
            gt=0,
            lt=1e7,
            description="The |z| at which an entry is given up; twice the pair's `entry_z` without it.",
            examples=[4.0],
        ),
    ] = None
    windows: Annotated[
        int,
        Field(
            ge=1,
            le=1_000,
            description="How many windows of the pair an entry has to come back.",
            examples=[3],
        ),
    ] = 3
    table: Annotated[
        CalibrationTable, Field(description="Which table, as CSV or Parquet; JSON has all.", examples=["qq"])
    ] = "histogram"


@router.get("/pairs/{pair}/calibration", response_model=Calibration, responses=TABLE_RESPONSES | RESPONSES)
async def read_calibration(
    pair: PairPath, request: Request, query: Annotated[CalibrationQuery, Query()], backend: BackendDependency
) -> Response:
    """Return the past of a pair's z-score beside the standard normal, and what became of its entries.

    All is of the stored closed signals of a range, those of quality `ok`; the others are counted. Entries and exits are
    those at which the pair's alerts would fire and resolve with its settings of now.
    """
    name = str(await backend.require_measured(pair))
    # One that is watched no longer has no settings but those it would begin with.
    config = backend.pairs.get(name) or configured(backend.settings, name)[name]
    stop = 2 * config.entry_z if query.stop is None else query.stop
    if stop <= config.entry_z:
        raise refused("stop", f"a |z| beyond the pair's entry_z {config.entry_z:g}", query.stop)
    past = await read_past(backend.store, name, query.start, query.end, SIGNALS_MAX + 1)
    if past.signals > SIGNALS_MAX:
        expected = f"a start with at most {SIGNALS_MAX:,} signals until the end"
        raise refused("start", expected, clock.to_iso(query.start or 0))
    table = TableAnswer(request, query.format, Bin, {})
    question = CalibrationRequest(
        form=table.format,
        path=request.url.path,
        feed=backend.feed,
        pair=name,
        past=past,
        bands=Bands(
            entry=config.entry_z,
            exit=config.exit_z,
            stop=stop,
            within_us=query.windows * config.window * clock.SECOND,
            only_while_reverting=config.only_while_reverting,
        ),
        window=config.window,
        windows=query.windows,
        # JSON has all: the same answer whichever is named.
        table=query.table if table.format != "json" else "histogram",
    )
    return await backend.answers.respond(request, table, question)
