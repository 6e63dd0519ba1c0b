"""A list of rows as JSON or as CSV, whichever was asked for."""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.api.rows import Row, encode

Format = Literal["json", "csv"]
CSV_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "JSON, or the rows as CSV"}
}
_CHUNK_ROWS = 500
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def answer(
    request: Request,
    asked: Format | None,
    model: type[BaseModel],
    feed: str | None,
    rows: Sequence[Row],
    next_cursor: str | None = None,
    **members: Sequence[Row],
) -> Response:
    """Return `rows`, which have the fields of `model`; the Link header leads to the next page.

    `members` are what a JSON document has besides.
    """
    headers = {"Vary": "Accept"}
    if next_cursor is not None:
        # A reference relative to the request: right behind every proxy.
        following = urlencode({**request.query_params, "cursor": next_cursor})
        headers["Link"] = f'<?{following}>; rel="next"'
    if (asked or preferred(request.headers.get("accept", ""))) == "csv":
        name = request.url.path.rpartition("/")[2]
        headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return StreamingResponse(as_csv(model, rows), headers=headers, media_type="text/csv; charset=utf-8")
    document: Row = {"feed": feed, "data": rows, **members}
    if next_cursor is not None:
        document["next_cursor"] = next_cursor
    return Response(encode(document), headers=headers, media_type="application/json")


def preferred(accept: str) -> Format:
    """Return what an Accept header prefers of the two; JSON unless CSV is named and JSON is not named before it.

    >>> preferred("text/csv, */*;q=0.1"), preferred("application/json;q=0.9, text/csv;q=0.5"), preferred("*/*")
    ('csv', 'json', 'json')
    """
    weights = {"text/csv": 0.0, "application/json": 0.0}
    for entry in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in entry.split(";"))
        if kind in weights:
            weights[kind] = next((_weight(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
    return "csv" if weights["text/csv"] > weights["application/json"] else "json"


def as_csv(model: type[BaseModel], rows: Iterable[Row]) -> Iterator[str]:
    """Yield RFC 4180 text with a header line, some hundred rows at a time.

    A record within a record becomes columns of its own, ``last_signal_zscore``. Null is empty.
    """
    columns = list(_columns(model))
    yield _lines([["_".join(path) for path in columns]])
    remaining = iter(rows)
    while chunk := list(islice(remaining, _CHUNK_ROWS)):
        yield _lines([[_cell(_at(row, path)) for path in columns] for row in chunk])


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _columns(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        kinds = (field.annotation, *get_args(field.annotation))
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if inner is None:
            yield (name,)
        else:
            yield from ((name, *path) for path in _columns(inner))


def _at(row: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = row
    for name in path:
        value = None if value is None else value[name]
    return value


def _cell(value: Any) -> Any:
    match value:
        case bool():
            return "true" if value else "false"
        case float() if not math.isfinite(value):
            return None
        case str() if value.startswith(_FORMULA) and not _NUMBER.fullmatch(value):
            return f"'{value}"
        case _:
            return value


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
