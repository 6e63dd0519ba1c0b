"""Table response in the form asked for: whole with an ETag, or streamed when it is long."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.api.serialization.encoders import CsvEncoder, Encoder, JsonEncoder, ParquetEncoder
from services.api.serialization.rows import JsonRecords, Row
from services.common.heartbeat import VERSION

Format = Literal["json", "csv", "parquet"]
MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}
TABLE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            MEDIA_TYPES["csv"]: {"schema": {"type": "string"}},
            MEDIA_TYPES["parquet"]: {"schema": {"type": "string", "format": "binary"}},
        },
        "description": "JSON, or the rows as CSV or Parquet",
    },
    304: {"description": "Not modified: what `If-None-Match` names is what the answer would be."},
}
# Rows to encode before other tasks get their turn: some milliseconds.
_SLICE_ROWS = 500
# Bytes to compress, likewise.
_SLICE_BYTES = 1 << 18


class TableAnswer:
    """Table response: writes the rows of `model` as `request` asks.

    `members` are what a JSON document has besides, `about` what the metadata of a Parquet file say besides the request.
    """

    def __init__(
        self,
        request: Request,
        asked: Format | None,
        model: type[BaseModel],
        members: Mapping[str, Any],
        about: Mapping[str, str] | None = None,
    ) -> None:
        self.format = asked or preferred(request.headers.get("accept", ""))
        self.headers = {"Vary": "Accept", "Cache-Control": "private, no-cache"}
        self._request = request
        self._model = model
        self._members = members
        self._about = {
            **request.path_params,
            **request.query_params,
            **(about or {}),
            "path": request.url.path,
        }

    async def page(self, records: JsonRecords, next_cursor: str | None = None) -> Response:
        """Return all of `records`, and where the next page begins, if there is one."""
        self._go_on(next_cursor)
        parts = [part async for part in self._encoded(_only(records))]
        return await self.tagged(b"".join(parts))

    def stream(self, pages: AsyncIterator[JsonRecords], next_cursor: str | None) -> Response:
        """Return the records of `pages` as they come: no ETag, no length; an answer that breaks off has no end."""
        self._go_on(next_cursor)
        return StreamingResponse(self._encoded(pages), headers=self._described(), media_type=self._media_type)

    async def tagged(self, body: bytes) -> Response:
        """Return `body`, the encoded answer, with its hash as its ETag, or that the client has it already."""
        is_long = len(body) > _SLICE_BYTES
        # Weak, because the same bytes go out compressed, too.
        tag = await asyncio.to_thread(_tag, body) if is_long else _tag(body)
        headers = {**self._described(), "ETag": tag}
        if _names(self._request.headers.get("if-none-match", ""), tag):
            return Response(None, HTTPStatus.NOT_MODIFIED, headers)
        if is_long:
            headers["Content-Length"] = str(len(body))
            return StreamingResponse(_slices_of(body), headers=headers, media_type=self._media_type)
        return Response(body, headers=headers, media_type=self._media_type)

    def _go_on(self, next_cursor: str | None) -> None:
        if next_cursor is not None:
            # A reference relative to the request: right behind every proxy.
            following = urlencode({**self._request.query_params, "cursor": next_cursor})
            self.headers["Link"] = f'<?{following}>; rel="next"'
            self._members = {**self._members, "next_cursor": next_cursor}

    async def _encoded(self, pages: AsyncIterator[JsonRecords]) -> AsyncIterator[bytes]:
        encoder = self._encoder()
        async for records in pages:
            for some in _slices(records):
                if part := await self._in_turn(encoder.encode, some):
                    yield part
        yield await self._in_turn(encoder.finish)

    async def _in_turn(self, step: Callable[..., bytes], *records: JsonRecords) -> bytes:
        # Compressing a row group releases the GIL; writing JSON and CSV holds it.
        if self.format == "parquet":
            return await asyncio.to_thread(step, *records)
        part = step(*records)
        await asyncio.sleep(0)
        return part

    @property
    def _media_type(self) -> str:
        return MEDIA_TYPES[self.format] + ("; charset=utf-8" if self.format == "csv" else "")

    def _encoder(self) -> Encoder:
        match self.format:
            case "json":
                return JsonEncoder(self._members)
            case "csv":
                return CsvEncoder(self._model)
            case "parquet":
                told = {"feed": str(self._members["feed"]), "version": VERSION}
                return ParquetEncoder(self._model, self._about | told)

    def _described(self) -> dict[str, str]:
        if self.format == "json":
            return self.headers
        name = self._request.url.path.rpartition("/")[2]
        return {**self.headers, "Content-Disposition": f'attachment; filename="{name}.{self.format}"'}


async def answer(
    request: Request, asked: Format | None, model: type[BaseModel], feed: str | None, rows: Sequence[Row]
) -> Response:
    """Return `rows`, which have the fields of `model` and are all there are."""
    return await TableAnswer(request, asked, model, {"feed": feed}).page(JsonRecords.of(rows))


def preferred(accept: str) -> Format:
    """Return what an Accept header prefers; JSON unless another form is named and JSON is not named before it.

    >>> preferred("text/csv, */*;q=0.1"), preferred("application/json;q=0.9, text/csv;q=0.5"), preferred("*/*")
    ('csv', 'json', 'json')
    """
    weights = dict.fromkeys(MEDIA_TYPES.values(), 0.0)
    for entry in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in entry.split(";"))
        if kind in weights:
            weights[kind] = next((_weight(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
    return max(MEDIA_TYPES, key=lambda form: weights[MEDIA_TYPES[form]])


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def _tag(body: bytes) -> str:
    return f'W/"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


async def _slices_of(body: bytes) -> AsyncIterator[bytes]:
    for first in range(0, len(body), _SLICE_BYTES):
        yield body[first : first + _SLICE_BYTES]
        await asyncio.sleep(0)


def _names(if_none_match: str, tag: str) -> bool:
    return tag.removeprefix("W/") in (one.strip().removeprefix("W/") for one in if_none_match.split(","))


def _slices(records: JsonRecords) -> Iterator[JsonRecords]:
    return (records[first : first + _SLICE_ROWS] for first in range(0, len(records), _SLICE_ROWS))


async def _only(records: JsonRecords) -> AsyncIterator[JsonRecords]:
    yield records
