"""``/v1/scans``: all pairs of stored history tested for cointegration, by a job of research."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Request, Response
from msgspec.json import Decoder
from pydantic import Field

from services.api.backend import Backend
from services.api.datasets import catalogue
from services.api.datasets.bars import relation_of
from services.api.models.base import Listing
from services.api.models.problem import Problem
from services.api.models.scans import Scan, ScanBody, ScanMatrix, ScanPair, ScanPairs
from services.api.parameters import AHEAD_US, BackendDependency, Limit, SymbolName, TableQuery
from services.api.problems import RESPONSES, ProblemError, invalid, refused
from services.api.queries.jobs import PAGE_ROWS, PairSelection, find_scans, matrix, pages, pairs
from services.api.routes.jobs import LISTED, JobId
from services.api.security.access import WRITE
from services.api.serialization import cursor
from services.api.serialization.listing import TABLE_RESPONSES, TableAnswer, answer
from services.api.serialization.rows import Row, encode
from services.common import clock
from services.contracts.intervals import USUAL, WIDTHS_US
from services.contracts.scans import SCAN, ScanRequest, Stage, estimate_s, too_many
from services.store import jobs

router = APIRouter(prefix="/v1/scans", tags=["jobs"])
_RANK = Decoder(tuple[int])
_ASKED: dict[int | str, dict[str, Any]] = {
    200: {"description": "An equal scan has been asked for and has not ended: this is it.", "model": Scan},
    409: {"description": "So many jobs wait that no further one is taken.", "model": Problem},
}


class PairsQuery(TableQuery):
    """Pairs of a scan, the least p-value first."""

    stage: Annotated[
        Stage | None, Field(description="Those that came so far at least.", examples=["confirmed"])
    ] = None
    symbol: Annotated[SymbolName | None, Field(description="Pairs of this one alone.")] = None
    cursor: Annotated[
        str | None,
        Field(max_length=400, description="The next_cursor of the page before, with the same query."),
    ] = None
    limit: Limit = 1_000


class MatrixQuery(TableQuery):
    """Matrix of a scan."""

    of: Annotated[
        Literal["returns", "levels", "evidence"],
        Field(
            description="Correlation of returns or of levels, or evidence: -log10 of the p-value.",
            examples=["returns"],
        ),
    ] = "returns"


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    response_model=Scan,
    responses={**_ASKED, **RESPONSES},
    dependencies=WRITE,
)
async def ask_for_scan(backend: BackendDependency, body: Annotated[ScanBody, Body()]) -> Response:
    """Ask for a scan of all pairs, of the market's bars or of a dataset's; `GET /v1/scans/{job}` has what it finds.

    Pairs are tested by Engle and Granger's test, both ways round, on the first part of the bars, and corrected for
    their number; survivors are tested again on the rest, without a way round, and for a break. A symbol with bars at
    fewer than 95 % of the times is left out; a hole takes the close before, and is counted.
    """
    request, symbols, bars = await _request(backend, body)
    if (expected := too_many(symbols, bars)) is not None:
        raise _wrong("symbols", expected, f"{symbols} symbols")
    try:
        async with backend.store.writing() as connection:
            job_id, is_new = await jobs.submit(connection, SCAN, request, estimate_s(symbols, bars))
    except jobs.CrowdedError:
        detail = f"expected fewer than {jobs.MOST_WAITING} jobs to wait: ask again when some are done"
        raise ProblemError(HTTPStatus.CONFLICT, "Too many jobs", detail) from None
    status = HTTPStatus.ACCEPTED if is_new else HTTPStatus.OK
    headers = {"Location": f"/v1/scans/{job_id}"}
    return Response(encode(await _scan(backend, job_id)), status, headers, "application/json")


@router.get("", response_model=Listing[Scan], responses=TABLE_RESPONSES | RESPONSES)
async def read_scans(
    request: Request, query: Annotated[TableQuery, Query()], backend: BackendDependency
) -> Response:
    """Return the last 200 scans, the one asked for last first, with what they found in short."""
    return await answer(request, query.format, Scan, backend.feed, await find_scans(backend.store, LISTED))


@router.get("/{job}", response_model=ScanPairs, responses=TABLE_RESPONSES | RESPONSES)
async def read_scan(
    job: JobId, request: Request, query: Annotated[PairsQuery, Query()], backend: BackendDependency
) -> Response:
    """Return the pairs of a scan, the least p-value first, with the funnel; no pair before it is done.

    CSV and Parquet have the pairs alone, up to 1,000,000, streamed.
    """
    found = await _scan(backend, job)
    form = TableAnswer(request, query.format, ScanPair, {"feed": backend.feed, "scan": found})
    wanted = PairSelection(job, query.limit, _after(query), query.stage, query.symbol)
    if query.limit <= PAGE_ROWS:
        records, following = await pairs(backend.store, wanted)
        return await form.page(records, None if following is None else cursor.encode((following,)))
    if form.format == "json":
        raise refused("limit", f"at most {PAGE_ROWS} as JSON", query.limit)
    return form.stream(pages(backend.store, wanted), None)


@router.get("/{job}/matrix", response_model=ScanMatrix, responses=RESPONSES)
async def read_scan_matrix(
    job: JobId, query: Annotated[MatrixQuery, Query()], backend: BackendDependency
) -> Response:
    """Return a matrix of all symbols of a scan in clustered order, to be drawn; empty before it is done."""
    found = await _scan(backend, job)
    symbols = found["summary"]["symbols"] if found["summary"] else []
    cells = await matrix(backend.store, job, query.of, symbols)
    told = {"job_id": job, "of": query.of, "symbols": symbols, "cells": cells}
    return Response(encode(told), media_type="application/json")


async def _scan(backend: Backend, job_id: str) -> Row:
    found = await find_scans(backend.store, 1, job_id=job_id)
    if not found:
        detail = (
            f"expected the id of a scan, received {job_id!r}: it is not known, or was deleted after others"
        )
        raise ProblemError(HTTPStatus.NOT_FOUND, "Unknown scan", detail)
    return found[0]


async def _request(backend: Backend, body: ScanBody) -> tuple[ScanRequest, int, int]:
    """Return what is asked for, of how many symbols, and about how many bars of each."""
    given = list(dict.fromkeys(body.symbols or ()))
    dataset_id = None
    if body.dataset is None:
        width_us = WIDTHS_US[body.interval or USUAL]
        for symbol in given:
            await backend.require_symbol(symbol)
        symbols = given or await backend.symbols()
        if (body.start or 0) > clock.now_us() + AHEAD_US:
            raise _wrong("start", "a time that is not in the future", body.start)
    else:
        dataset = await catalogue.find(backend.store, body.dataset)
        dataset_id, width_us = dataset.dataset_id, relation_of(dataset, body.interval).width_us
        symbols = await catalogue.symbols(backend.store, dataset)
        if given:
            await catalogue.require_symbols(backend.store, dataset, *given)
            symbols = given
    if len(symbols) < 2:
        raise _wrong("symbols", "at least two symbols", ", ".join(symbols) or "none")
    request = body.request(dataset=dataset_id, start_us=body.start, end_us=body.end)
    if body.start is None:
        return request, len(symbols), body.bars
    end_us = min(body.end or clock.now_us(), clock.now_us())
    return request, len(symbols), max(0, end_us - body.start) // width_us


def _wrong(field: str, expected: str, received: object) -> ProblemError:
    wrong = {"type": "value_error", "loc": ("body", field), "msg": f"expected {expected}", "input": received}
    return invalid([wrong])


def _after(query: PairsQuery) -> int:
    if query.cursor is None:
        return 0
    try:
        return int(cursor.decode(query.cursor, _RANK)[0])
    except ValueError:
        raise refused("cursor", "a next_cursor of this resource, unchanged", query.cursor) from None
