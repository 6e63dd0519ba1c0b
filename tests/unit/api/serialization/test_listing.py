"""Form of a response: format, ETag, and the link to the next page."""

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import cast

import pyarrow.parquet
import pytest
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.api.serialization.encoders import ParquetEncoder
from services.api.serialization.listing import TableAnswer, answer, preferred
from services.api.serialization.rows import JsonRecords, Row


class Line(BaseModel):
    """A row."""

    number: int


ROWS: list[Row] = [{"number": number} for number in range(1_200)]


def request(query: str = "", **headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/v1/lines",
            "query_string": query.encode(),
            "headers": pairs,
            "path_params": {},
        }
    )


def whole(rows: list[Row], **headers: str) -> Response:
    return asyncio.run(answer(request(**headers), None, Line, "live", rows))


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV; charset=utf-8", "csv"),
        ("text/csv;q=0.5, application/json;q=0.4", "csv"),
        ("application/json, text/csv;q=0.9", "json"),
        ("text/csv, application/json", "json"),
        ("text/csv;q=0", "json"),
        ("text/csv;q=high", "json"),
        ("text/csv;q=nan", "json"),
        ("text/csv;q=7, application/json;q=0.1", "json"),
        ("application/vnd.apache.parquet", "parquet"),
        ("application/vnd.apache.parquet;q=0.8, text/csv", "csv"),
    ],
)
def test_the_accept_header_decides(accept: str, expected: str) -> None:
    assert preferred(accept) == expected


def test_who_has_the_answer_already_is_told_so_and_gets_no_body() -> None:
    first = whole(ROWS)
    tag = first.headers["ETag"]
    assert json.loads(bytes(first.body)) == {"feed": "live", "data": ROWS}
    for given in (tag, f'"other", {tag}', tag.removeprefix("W/")):
        again = whole(ROWS, if_none_match=given)
        assert (again.status_code, again.body, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Vary"] == "Accept"
        assert again.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("given", ["", '"other"', "nonsense", "*"])
def test_every_other_tag_gets_the_answer(given: str) -> None:
    assert whole(ROWS, if_none_match=given).status_code == 200


def test_another_answer_has_another_tag() -> None:
    tags = {
        whole(ROWS).headers["ETag"],
        whole(ROWS[1:]).headers["ETag"],
        whole(ROWS, accept="text/csv").headers["ETag"],
    }
    assert len(tags) == 3


def test_a_page_says_where_the_next_begins() -> None:
    form = TableAnswer(request("symbol=B%26C&cursor=old"), None, Line, {"feed": None})
    response = asyncio.run(form.page(JsonRecords.of(ROWS), "new"))
    assert response.headers["Link"] == '<?symbol=B%26C&cursor=new>; rel="next"'
    assert json.loads(bytes(response.body))["next_cursor"] == "new"
    last = asyncio.run(TableAnswer(request(), None, Line, {"feed": None}).page(JsonRecords.of(ROWS)))
    assert "Link" not in last.headers
    assert "next_cursor" not in json.loads(bytes(last.body))


def test_a_stream_is_the_whole_in_parts() -> None:
    async def pages() -> AsyncIterator[JsonRecords]:
        yield JsonRecords.of(ROWS[:700])
        yield JsonRecords.of(ROWS[700:])

    async def body() -> list[bytes]:
        form = TableAnswer(request(), "csv", Line, {"feed": "live"})
        response = cast("StreamingResponse", form.stream(pages(), None))
        assert "ETag" not in response.headers
        return [bytes(part) async for part in cast("AsyncIterator[bytes]", response.body_iterator)]

    parts = asyncio.run(body())
    assert len(parts) > 3
    assert b"".join(parts) == whole(ROWS, accept="text/csv").body


def test_parquet_is_compressed_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()

    def noted(step: Callable[..., bytes]) -> Callable[..., bytes]:
        def run(*arguments: object) -> bytes:
            threads.add(threading.get_ident())
            return step(*arguments)

        return run

    for name in ("encode", "finish"):
        monkeypatch.setattr(ParquetEncoder, name, noted(getattr(ParquetEncoder, name)))
    form = TableAnswer(request(), "parquet", Line, {"feed": "live"})
    response = asyncio.run(form.page(JsonRecords.of(ROWS)))
    assert threads
    assert threading.get_ident() not in threads
    assert pyarrow.parquet.read_table(io.BytesIO(bytes(response.body))).to_pylist() == ROWS


def test_a_long_answer_goes_out_in_parts_and_has_its_tag() -> None:
    body = bytes(range(256)) * 4_000

    async def answered(**headers: str) -> tuple[Response, list[bytes]]:
        form = TableAnswer(request(**headers), None, Line, {"feed": "live"})
        response = await form.tagged(body)
        if not isinstance(response, StreamingResponse):
            return response, [bytes(response.body)]
        return response, [bytes(part) async for part in cast("AsyncIterator[bytes]", response.body_iterator)]

    response, parts = asyncio.run(answered())
    assert b"".join(parts) == body
    assert len(parts) == 4
    assert response.headers["Content-Length"] == str(len(body))
    again, nothing = asyncio.run(answered(if_none_match=response.headers["ETag"]))
    assert (again.status_code, nothing) == (304, [b""])
