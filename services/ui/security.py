"""ASGI middleware of the dashboard: checks host, origin, rate and size before a request is handled."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from http import HTTPStatus

from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.status import WS_1012_SERVICE_RESTART
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.http import retry_after
from services.common.http.body_limit import bounded
from services.common.http.head_limit import excess
from services.common.http.identity import Person
from services.common.http.origin_check import is_own_host, is_own_page
from services.common.http.proxies import Network, Proxies, counted_as, is_local, peer
from services.common.http.rate_limits import Held, Slots, is_loopback
from services.ui import logins
from services.ui.api import downloads, uploads
from services.ui.api.client import asking_for, signed_in

# What one address may have at once: requests and tabs, and of these what is passed on from the API or to it, each of
# which takes a connection there that others need as well.
AT_ONCE = 300
PASSED_AT_ONCE = 10
# Of what a page sends. A file that is passed on is never here as a whole, and the API says how long it may be.
MOST_BYTES = 2**20
MOST_BYTES_AT_ONCE = 16 * 2**20
PASSED_ON = (f"{downloads.PATH}/", f"{uploads.PATH}/")
# A tab has one connection for hours. It opens another after this time, and so is asked again who has logged in.
LOGIN_S = 600
# Other end of a request that the dashboard makes to itself, which no socket has.
OURSELVES = "dashboard"
# What the API is told of callers for whom a proxy asks that does not say who they are.
STRANGER = "unknown"


class SecurityMiddleware:
    """Admits requests by host, origin and limits, and notes the caller for whom the API is asked.

    The API lets the dashboard do what its key may, or without keys what this machine may. That is no reason to let
    others do so: who is not of this machine, or comes through a proxy, is named to the API like by any proxy.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str],
        trusted: Sequence[Network],
        operators: Collection[str] | None = None,
    ) -> None:
        """With `operators`, groups, each visitor must have logged in; None: whoever comes is as good as another."""
        self._app = app
        self._hosts = hosts
        self._operators = operators
        self._slots = Slots(AT_ONCE)
        self._passed = Slots(PASSED_AT_ONCE)
        self._held = Held(MOST_BYTES_AT_ONCE)
        self._proxies = Proxies(self._serve, trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket, or refuse it."""
        await (self._app if scope["type"] == "lifespan" else self._proxies)(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        async with AsyncExitStack() as stack:
            try:
                self._check_head(connection)
                person = self._person(connection)
                receive = await self._take(connection, receive, stack)
            except HTTPException as refused:
                answer = PlainTextResponse(refused.detail, refused.status_code, refused.headers)
                await answer(scope, receive, send)
                return
            token = asking_for.set(_visitor(connection))
            stack.callback(asking_for.reset, token)
            stack.callback(signed_in.reset, signed_in.set(person))
            if person is not None and scope["type"] == "websocket":
                await self._serve_for_a_time(scope, receive, send)
            else:
                await self._app(scope, receive, send)

    async def _serve_for_a_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(LOGIN_S) as deadline:
                await self._app(scope, receive, send)
        except TimeoutError:
            if not deadline.expired():
                raise
            await send({"type": "websocket.close", "code": WS_1012_SERVICE_RESTART, "reason": "log in again"})

    def _person(self, connection: HTTPConnection) -> Person | None:
        if self._operators is None or connection.scope["path"] in logins.PROBES:
            return None
        if peer(connection) == OURSELVES:
            return None
        try:
            return logins.person(connection, self._operators)
        except logins.NoLoginError as error:
            raise HTTPException(HTTPStatus.UNAUTHORIZED, str(error)) from None

    def _check_head(self, connection: HTTPConnection) -> None:
        if (found := excess(connection.scope)) is not None:
            raise HTTPException(*found)
        host, origin = connection.headers.get("host"), connection.headers.get("origin")
        if not is_own_host(host, self._hosts):
            detail = f"expected as Host an address or a name of PAIRSTREAM_UI_HOSTS, received {host!r}"
            raise HTTPException(HTTPStatus.FORBIDDEN, detail)
        if not is_own_page(origin, host, ()):
            detail = f"expected as Origin none or that of a page of {host!r}, received {origin!r}"
            raise HTTPException(HTTPStatus.FORBIDDEN, detail)

    async def _take(self, connection: HTTPConnection, receive: Receive, stack: AsyncExitStack) -> Receive:
        """Count a request among those of its caller until the `stack` ends, and return what gives its body.

        That is there as a whole, since Dash reads it as one and hides what is wrong with it, unless it is passed on.
        """
        name, path = counted_as(connection), connection.scope["path"]
        is_passed_on = path.startswith(PASSED_ON)
        for slots in (self._slots, self._passed) if is_passed_on else (self._slots,):
            if not slots.is_free(name):
                detail = f"expected at most {slots.most} requests and tabs of one address at once, received one more"
                raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, detail, retry_after.SOON)
            stack.enter_context(slots.taken(name))
        if connection.scope["type"] == "websocket":
            return receive
        if is_passed_on:
            return bounded(connection, receive)
        hold = stack.enter_context(self._held.by(name))
        return await _whole(bounded(connection, receive, MOST_BYTES, hold))


def _visitor(connection: HTTPConnection) -> str | None:
    if is_local(connection):
        return None
    address = peer(connection)
    return address if address and not is_loopback(address) else STRANGER


async def _whole(receive: Receive) -> Receive:
    """Read a body, and return what gives it again; what comes after it comes as it comes."""
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    messages.reverse()

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again
