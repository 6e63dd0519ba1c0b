"""Listener of the venue's port: who may connect, and the answers of REST."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tests.fake_venue import faults
from tests.fake_venue.on_connect import OnConnect
from tests.fake_venue.rest import Rest, now_ms
from tests.fake_venue.subscriber import Subscriber

_GARBAGE = b"\x1f\x8b<html>not what you asked for"


class Listener:
    """WebSocket and REST on one loopback port."""

    def __init__(self, rest: Rest, violations: list[str]) -> None:
        self.port = 0
        self.open: list[Subscriber] = []
        self.connections = 0
        self.greets = False
        """Whether a new connection hears an acknowledgement that it has not asked for."""
        self.on_connect: list[str] = []
        self.status: int = HTTPStatus.OK
        self.headers: dict[str, str] = {}
        self.rest_faults: list[faults.Rest] = []
        self.refused_upgrades: list[faults.RefuseUpgrade] = []
        self._rest = rest
        self._violations = violations
        self._server: Server | None = None

    def calm(self) -> None:
        """Refuse nothing more."""
        self.rest_faults.clear()
        self.refused_upgrades.clear()

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        """Listen until the block ends, on a free port if it is 0."""
        self.port = port
        await self._start()
        try:
            yield
        finally:
            for subscriber in self.open:
                subscriber.connection.transport.abort()
            if self._server is not None:
                self._server.close()
                await self._server.wait_closed()

    async def refuse(self, seconds: float) -> None:
        """Close the port for a while; connections that are open stay."""
        if self._server is None:
            return
        self._server.close(close_connections=False)
        self._server = None
        await asyncio.sleep(seconds)
        await self._start()

    async def _start(self) -> None:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            process_request=self._answer,
            compression=None,
            ping_interval=None,
            open_timeout=60,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def _serve(self, connection: ServerConnection) -> None:
        """Serve one connection; the wrong route is accepted, and acknowledged, and silent."""
        words = OnConnect(self.on_connect)
        subscriber = Subscriber(connection, self._violations)
        self.open.append(subscriber)
        self.connections += subscriber.route == "market"
        if self.greets:
            subscriber.send('{"result":null,"id":1}')
        words.say(subscriber)
        sending = asyncio.ensure_future(subscriber.send_all())
        try:
            await subscriber.obey_all(lambda: words.say(subscriber))
        finally:
            sending.cancel()
            self.open.remove(subscriber)

    async def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer REST; anything else is a stream, unless its upgrade is to be refused."""
        url = urlsplit(request.path)
        if not url.path.startswith("/fapi/"):
            if not self.refused_upgrades:
                return None
            refused = self.refused_upgrades.pop()
            return _response(refused.status, _retry_after(refused.retry_after_s), b"refused")
        fault = self.rest_faults.pop(0) if self.rest_faults else faults.Rest(status=self.status)
        await asyncio.sleep(fault.delay_s)
        status, headers, body = self._rest.answer(url.path, url.query, now_ms())
        if fault.status != HTTPStatus.OK:
            status = fault.status
        if fault.garbage:
            body = _GARBAGE
        return _response(status, {**headers, **self.headers, **_retry_after(fault.retry_after_s)}, body)


def _retry_after(seconds: int | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": str(seconds)}


def _response(status: int, headers: dict[str, str], body: bytes) -> Response:
    sizes = {
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Date": format_datetime(datetime.now(UTC), usegmt=True),
    }
    phrase = "I'm a teapot" if status == 418 else HTTPStatus(status).phrase
    return Response(status, phrase, Headers({**headers, **sizes}), body)
