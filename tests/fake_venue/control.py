"""Control of a fake venue in another process: faults to cause, and questions on what it did."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tests.fake_venue import faults
from tests.fake_venue.venue import FakeVenue


@asynccontextmanager
async def controlled(venue: FakeVenue) -> AsyncIterator[int]:
    """Take orders for `venue` on a loopback port of their own until the block ends; yield the port.

    ``GET /state`` answers what a checker wants to know, ``GET /inject?fault=<JSON>`` does a fault.
    """

    async def answer(connection: ServerConnection, request: Request) -> Response:
        url = urlsplit(request.path)
        status, body = HTTPStatus.OK, b"{}"
        if url.path == "/state":
            body = json.dumps(venue.state()).encode()
        elif url.path == "/inject":
            try:
                venue.inject(faults.decode(parse_qs(url.query)["fault"][0]))
            except (KeyError, msgspec.DecodeError) as error:
                status, body = HTTPStatus.BAD_REQUEST, str(error).encode()
        else:
            status = HTTPStatus.NOT_FOUND
        headers = Headers({"Content-Length": str(len(body)), "Connection": "close"})
        return Response(status, status.phrase, headers, body)

    async def hang_up(connection: ServerConnection) -> None: ...

    async with serve(hang_up, "127.0.0.1", 0, process_request=answer) as server:
        yield next(iter(server.sockets)).getsockname()[1]


class Control:
    """The other end."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    async def inject(self, fault: faults.Fault) -> None:
        """Let the venue do wrong from now on."""
        await self._get(f"/inject?fault={quote(msgspec.json.encode(fault))}")

    async def state(self) -> dict[str, Any]:
        """Return the venue's own account."""
        answer: dict[str, Any] = (await self._get("/state")).json()
        return answer

    async def _get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(timeout=10) as client:
            return (await client.get(self._url + path)).raise_for_status()
