"""``/v1/datasets``: uploaded history."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request, Response

from services.api.backend import Backend
from services.api.datasets import catalogue
from services.api.datasets.upload_forms import FILES_MAX, PreviewForm, UploadForm
from services.api.models.base import Listing
from services.api.models.datasets import Dataset, DatasetDetail, DatasetPreview, Finding
from services.api.models.problem import Problem
from services.api.parameters import BackendDependency, TableQuery
from services.api.problems import RESPONSES, ProblemError
from services.api.security.access import WRITE
from services.api.serialization.listing import TABLE_RESPONSES, answer
from services.api.serialization.rows import Row, encode, row
from services.common.compressed_files import FileError
from services.datasets.preview import Preview, preview
from services.datasets.questions import UnclearFileError
from services.datasets.report import KEPT, KINDS, ImportReport, Kind
from services.datasets.sources import Upload, UploadTooLargeError
from services.datasets.storage import NameTakenError, store_dataset
from services.store import database

DATASETS_MAX = 1_000

router = APIRouter(
    prefix="/v1/datasets",
    tags=["datasets"],
    form_limits={"max_files": FILES_MAX, "max_fields": 20, "max_part_size": 1 << 16},
)

DatasetName = Annotated[
    str, Path(max_length=100, description="Its id or its name.", examples=["btc-eth-2021"])
]
_PREVIEW_RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"description": "The form cannot be read.", "model": Problem},
    413: {"description": "The files are too large.", "model": Problem},
}
_UPLOAD_RESPONSES: dict[int | str, dict[str, Any]] = {
    **_PREVIEW_RESPONSES,
    200: {"description": "The same files are there already under this name.", "model": DatasetDetail},
    409: {"description": "Other bars have the name, or there are too many datasets.", "model": Problem},
}


class ReportQuery(TableQuery):
    """Findings, in the order in which they were found."""

    kind: Annotated[Kind | None, Query(description="These alone.", examples=["rejected"])] = None


@router.get("", response_model=Listing[Dataset], responses=TABLE_RESPONSES | RESPONSES)
async def read_datasets(
    request: Request, query: Annotated[TableQuery, Query()], backend: BackendDependency
) -> Response:
    """Return every dataset, the last one uploaded first."""
    rows = await catalogue.summaries(backend.store)
    return await answer(request, query.format, Dataset, backend.feed, rows)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=DatasetDetail,
    responses=_UPLOAD_RESPONSES | RESPONSES,
    dependencies=WRITE,
)
async def upload_dataset(
    form: Annotated[UploadForm, Form(media_type="multipart/form-data")], backend: BackendDependency
) -> Response:
    """Store files of OHLCV bars as a dataset, all of them or nothing; the same files again change nothing.

    Columns are recognised by their names in any order and case, or by their content, also in files with closes alone;
    so are delimiter, decimal sign, thousands, and times (dates in any usual form, or numbers). If a file leaves a
    question open, the response is 422 with a `question`: the option, and the result of each of its values. Lines that
    are no bars are left out and reported. The report also has bars of an earlier bar's time (the first stays), bars
    out of order or at odd times (they are stored), gaps, and runs of carried bars, in which nothing traded (they are
    stored, and left out of analyses).
    """
    if await catalogue.count(backend.store) >= DATASETS_MAX:
        detail = f"expected fewer than {DATASETS_MAX:,} datasets, received one more: delete one"
        raise ProblemError(HTTPStatus.CONFLICT, "Too many datasets", detail)
    with _problems():
        async with backend.uploading, database.connect(backend.settings, "pairstream-upload") as connection:
            stored = await store_dataset(connection, _upload(form, backend), ImportReport())
    described = await catalogue.describe(backend.store, stored.dataset_id)
    return Response(
        encode(described),
        HTTPStatus.CREATED if stored.created else HTTPStatus.OK,
        {"Location": f"/v1/datasets/{stored.dataset_id}"},
        "application/json",
    )


@router.post(
    "/preview",
    response_model=DatasetPreview,
    responses=_PREVIEW_RESPONSES | RESPONSES,
    dependencies=WRITE,  # its files are spooled, too
)
async def preview_dataset(
    form: Annotated[PreviewForm, Form(media_type="multipart/form-data")], backend: BackendDependency
) -> Response:
    """Return what files would become, by some thousand lines of each; nothing is stored.

    The first megabyte of a file is enough.
    """
    with _problems():
        async with backend.uploading:
            found = await asyncio.to_thread(preview, _upload(form, backend))
    return Response(encode(_previewed(found)), media_type="application/json")


@router.get("/{dataset}", response_model=DatasetDetail, responses=RESPONSES)
async def read_dataset(dataset: DatasetName, backend: BackendDependency) -> Response:
    """Return what a dataset holds of each symbol, how its files were read, and the first findings in them."""
    found = await catalogue.find(backend.store, dataset)
    return Response(
        encode(await catalogue.describe(backend.store, found.dataset_id)), media_type="application/json"
    )


@router.get("/{dataset}/report", response_model=Listing[Finding], responses=TABLE_RESPONSES | RESPONSES)
async def read_report(
    request: Request, dataset: DatasetName, query: Annotated[ReportQuery, Query()], backend: BackendDependency
) -> Response:
    """Return the findings in the files of a dataset, line by line: the first 10,000 of each kind."""
    found = await catalogue.find(backend.store, dataset)
    rows = await catalogue.findings(backend.store, found.dataset_id, query.kind, KEPT * len(KINDS))
    return await answer(request, query.format, Finding, None, rows)


@router.delete("/{dataset}", status_code=HTTPStatus.NO_CONTENT, responses=RESPONSES, dependencies=WRITE)
async def delete_dataset(dataset: DatasetName, backend: BackendDependency) -> Response:
    """Delete a dataset with its bars; a page of them that is being read is finished first."""
    found = await catalogue.find(backend.store, dataset)
    await catalogue.delete(backend.store, found.dataset_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _upload(form: PreviewForm, backend: Backend) -> Upload:
    return form.upload(backend.settings.api_upload_limit)


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except UploadTooLargeError as error:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", str(error), file=error.name
        ) from None
    except UnclearFileError as error:
        question = {
            "option": error.question.option,
            "readings": [
                {"value": one.value, "bars": [row(bar.items()) for bar in one.bars]}
                for one in error.question.readings
            ],
        }
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "Unclear file",
            str(error),
            file=error.name,
            line=error.line,
            question=question,
        ) from None
    except FileError as error:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "Unusable file", str(error), file=error.name, line=error.line
        ) from None
    except NameTakenError as error:
        raise ProblemError(HTTPStatus.CONFLICT, "Name taken", str(error)) from None


def _previewed(found: Preview) -> Row:
    return {
        "files": [one._asdict() for one in found.files],
        "symbols": found.symbols,
        "width_s": None if found.width_us is None else found.width_us / 1e6,
        "lines": found.lines,
        "complete": found.complete,
        "rejected": found.report.counts["rejected"],
        "skipped": found.report.counts["skipped"],
        "adjusted": found.report.counts["adjusted"],
        "out_of_order": found.report.counts["out of order"],
        "bars": [row(bar._asdict().items()) for bar in found.bars],
        "findings": [one._asdict() for one in found.report.kept[:20]],
    }
