"""Tables to save: the API's own answers, passed on as they come, so that a download equals what the API says."""

from urllib.parse import quote, urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from services.common.errors import TransientError
from services.ui.client import ApiClient

PATH = "/download"
PASSED_ON = ("content-type", "content-disposition")


def link(path: str, **params: str | int | None) -> str:
    """Return where the page gets the table at `path` of the API, as CSV unless a ``format`` is given; None is left out.

    >>> link("/v1/bars", symbol="BTCUSDT", start=None)
    '/download/v1/bars?symbol=BTCUSDT&format=csv'
    """
    asked = {name: value for name, value in params.items() if value is not None}
    return f"{PATH}{quote(path)}?{urlencode({**asked, 'format': asked.get('format', 'csv')})}"


def add(server: FastAPI, client: ApiClient) -> None:
    """Have `server` pass on what the API answers below ``/download``, with the key of the dashboard."""

    @server.get(PATH + "/v1/{path:path}")
    async def download(path: str, request: Request) -> Response:
        try:
            status, headers, parts = await client.open(f"/v1/{quote(path)}", request.url.query)
        except TransientError as error:
            return PlainTextResponse(str(error), 502)
        passed = {name: headers[name] for name in PASSED_ON if name in headers}
        return StreamingResponse(parts, status, passed)
