"""Downloads: responses of the API passed on unchanged, so that a file equals what the API says."""

import re
from contextlib import aclosing
from urllib.parse import quote, unquote, urlencode

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.common.errors import TransientError
from services.ui.api.client import ApiClient, segment

PATH = "/download"
PASSED_ON = ("content-type", "content-disposition")
# These never end.
STREAMS = frozenset({"/v1/events", "/v1/stream"})
# Also of a pair or a dataset; what it may not have in it can be read as more than one name, or as none.
_NAME = re.compile(r"(?!\.+$)[^/\\%?#\x00-\x1f\x7f]+")


def link(path: str, **params: str | int | None) -> str:
    """Return where the page gets the table at `path` of the API, as CSV unless a ``format`` is given; None is left out.

    >>> link("/v1/bars", symbol="BTCUSDT", start=None)
    '/download/v1/bars?symbol=BTCUSDT&format=csv'
    """
    asked = {name: value for name, value in params.items() if value is not None}
    return f"{PATH}{quote(path)}?{urlencode({**asked, 'format': asked.get('format', 'csv')})}"


def asked(raw_path: str) -> str | None:
    """Return what of the API a path below ``/download`` asks for, None if that is not plainly something below ``/v1``.

    Proxies and libraries differ in what they make of dots, encoded slashes and backslashes. So every part between
    two slashes must be a name, and is encoded anew.

    >>> asked("/download/v1/pairs/ETHUSDT-BTCUSDT/signals"), asked("/download/v1/datasets/minutes%20of%202024")
    ('/v1/pairs/ETHUSDT-BTCUSDT/signals', '/v1/datasets/minutes%20of%202024')
    >>> [asked(f"/download/v1/{path}") for path in ("", "../metrics", "a/%2e%2e/b", "a%2fb", "%252e%252e", "//a")]
    [None, None, None, None, None, None]
    """
    before, _, path = raw_path.partition(f"{PATH}/v1/")
    names = [unquote(part) for part in path.split("/")]
    if before or not all(map(_NAME.fullmatch, names)):
        return None
    return "/v1/" + "/".join(map(segment, names))


def add(server: FastAPI, client: ApiClient) -> None:
    """Make `server` pass on the API's tables below ``/download``, with the dashboard's key."""

    @server.get(PATH + "/v1/{path:path}")
    async def download(request: Request) -> Response:
        raw_path, query = (
            request.scope[part].decode("ascii", "replace") for part in ("raw_path", "query_string")
        )
        path = asked(raw_path)
        if path is None or path in STREAMS:
            return PlainTextResponse("expected the path of a table of the API, received another", 404)
        try:
            return _Passed(await client.open(path, query.replace("#", "%23")))
        except TransientError as error:
            return PlainTextResponse(str(error), 502)


class _Passed(StreamingResponse):
    """Response of the API; its end frees the connection, also if no part of it was read."""

    def __init__(self, answer: httpx.Response) -> None:
        passed = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        super().__init__(answer.aiter_bytes(), answer.status_code, passed)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._answer):
            await super().__call__(scope, receive, send)
