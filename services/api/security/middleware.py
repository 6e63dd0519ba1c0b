"""ASGI middleware: checks host, rate, key, role and concurrency before the body is read."""

from contextlib import AsyncExitStack

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.problems import ProblemError
from services.api.security.admission import (
    PROBES,
    Admission,
    AdmittedRequest,
    is_unsafe,
    too_many,
)
from services.api.security.api_keys import ApiKeys, RevokedError
from services.api.security.authentication import SUBPROTOCOL, unauthorized
from services.api.settings import ApiSettings
from services.common.http import retry_after
from services.common.http.body_limit import bounded
from services.common.http.rate_limits import Held, Slots

UPLOADS = "/v1/datasets"
# Bodies of the largest size that one caller may have here at once, in memory or spooled; more if smaller.
UPLOADS_HELD = 2


class SecurityMiddleware:
    """Admits requests, limits how many of a caller run at once, and ends streams whose key was revoked.

    Whatever is not GET, HEAD or OPTIONS needs the role `write`, also where its route does not say so.
    Probes come in always: who watches the process is no user.
    """

    def __init__(self, app: ASGIApp, settings: ApiSettings, keys: ApiKeys) -> None:
        self._app = app
        self._settings = settings
        self._keys = keys
        self._admission = Admission(settings, keys)
        self._slots = Slots(settings.api_concurrency)
        self._held = Held(UPLOADS_HELD * max(settings.api_upload_limit, settings.api_body_limit))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it with a problem."""
        if scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        try:
            request = self._admitted(connection)
        except ProblemError as problem:
            await problem.response()(scope, receive, send)
            return
        with self._held.by(request.counted_as) as hold:
            if is_unsafe(connection):
                receive = bounded(connection, receive, self._most_bytes(scope["path"]), hold)
            await self._serve(request, scope, receive, send)

    def _admitted(self, connection: HTTPConnection) -> AdmittedRequest:
        request = self._admission.admit(connection)
        if not self._slots.is_free(request.counted_as):
            detail = f"expected at most {self._slots.most} requests and streams at once, received one more"
            raise too_many(detail, retry_after.SOON)
        return request

    def _most_bytes(self, path: str) -> int:
        settings = self._settings
        return settings.api_upload_limit if path.startswith(UPLOADS) else settings.api_body_limit

    async def _serve(self, request: AdmittedRequest, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_on(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(request.allowance.headers)
            elif message["type"] == "websocket.accept" and SUBPROTOCOL in scope["subprotocols"]:
                message["subprotocol"] = SUBPROTOCOL
            await send(message)

        try:
            async with AsyncExitStack() as stack:
                stack.enter_context(self._slots.taken(request.counted_as))
                if request.key is not None:
                    await stack.enter_async_context(self._keys.lease(request.key))
                await self._app(scope, receive, send_on)
        except RevokedError:
            if scope["type"] == "websocket":
                await send(
                    {"type": "websocket.close", "code": WS_1008_POLICY_VIOLATION, "reason": "key revoked"}
                )
            elif not begun:
                await unauthorized("one that has been revoked").response()(scope, receive, send)
