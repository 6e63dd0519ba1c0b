"""Uploads from the browser, passed on to the API in parts: a file is never whole in memory."""

from collections.abc import Awaitable, Callable

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from services.common.errors import TransientError
from services.ui.api.client import ApiClient

PATH = "/send"
PASSED_ON = ("content-type", "content-length")
# Storing the largest upload takes minutes on a busy machine, and nothing is said meanwhile.
TIMEOUT = httpx.Timeout(60.0, connect=5.0, read=900.0)
GONE = 499


def add(server: FastAPI, client: ApiClient) -> None:
    """Make `server` pass on files that its pages send below ``/send``, with the dashboard's key."""
    for path in ("/v1/datasets", "/v1/datasets/preview"):
        server.post(PATH + path)(_passing(client, path))


def _passing(client: ApiClient, path: str) -> Callable[[Request], Awaitable[Response]]:
    async def passing(request: Request) -> Response:
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        try:
            answer = await client.send(
                "POST", path, content=request.stream(), headers=headers, timeout=TIMEOUT
            )
        except TransientError as error:
            return JSONResponse({"detail": str(error)}, 502)
        except ClientDisconnect:
            return Response(status_code=GONE)
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))

    return passing
