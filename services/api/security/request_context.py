"""ASGI middleware: request id, feed name, safe headers, metrics, and a log line for writes."""

import re
import time
import uuid

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import problems
from services.api.backend import Backend
from services.api.security import response_headers
from services.api.security.access import caller_in
from services.api.security.admission import is_unsafe
from services.api.security.request_metrics import RequestMetrics, template
from services.common.http.proxies import peer

FEED_HEADER = "X-Pairstream-Feed"
ID_HEADER = "X-Request-ID"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_BEGINNINGS = ("http.response.start", "websocket.accept", "websocket.http.response.start")

log = structlog.get_logger()


class RequestContext:
    """Outermost layer; an unexpected error becomes a problem document with the request's id."""

    def __init__(self, app: ASGIApp, backend: Backend) -> None:
        self._app = app
        self._backend = backend
        self._metrics = RequestMetrics(backend.registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a stream."""
        connection = HTTPConnection(scope)
        asked = connection.headers.get(ID_HEADER, "")
        request_id = asked if _ID.fullmatch(asked) else uuid.uuid4().hex
        began = time.perf_counter()
        status: int | None = None

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] in _BEGINNINGS:
                status = int(message.get("status", 101))
                message.setdefault("headers", [])
                answer = MutableHeaders(scope=message)
                answer[FEED_HEADER] = self._backend.feed or "unknown"
                answer[ID_HEADER] = request_id
                response_headers.add_defaults(answer)
                self._metrics.answered(scope, status, time.perf_counter() - began)
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id), self._metrics.running(scope):
            try:
                await self._app(scope, receive, send_on)
            except Exception:
                log.exception("unexpected error", route=template(scope))
                if status is not None or scope["type"] != "http":
                    raise
                await problems.internal(request_id).response()(scope, receive, send_on)
            finally:
                if is_unsafe(connection):
                    _record(connection, status, time.perf_counter() - began)


def _record(connection: HTTPConnection, status: int | None, seconds: float) -> None:
    """Write the audit log: who asked for which change from where, and what came of it; no body and no key."""
    scope = connection.scope
    caller = caller_in(scope)
    log.info(
        "write",
        caller=None if caller is None else caller.name,
        role=None if caller is None else caller.role,
        address=peer(connection),
        method=scope["method"],
        route=template(scope),
        parameters=scope.get("path_params", {}),
        status=status,
        ms=round(seconds * 1000, 1),
    )
