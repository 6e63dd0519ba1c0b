"""The HTTP application: routes, problems and the feed's name on every answer."""

import uuid
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import problems
from services.api.backend import Backend
from services.api.routes import alerts, bars, gaps, pairs, probes, signals, status, stream, symbols, ticks
from services.common.heartbeat import VERSION

FEED_HEADER = "X-Pairstream-Feed"
DESCRIPTION = """
Everything pairstream knows, as JSON or, where it is a table, as CSV (`?format=csv` or `Accept: text/csv`).

Times go in as ISO 8601 with a zone, or as microseconds since 1970; they come out as both (`x_time`, `x_us`).
`start` is inclusive, `end` exclusive. Errors are problem documents (RFC 9457). Every answer names the feed
its numbers come from (`live`, `replay`, `synthetic`), also in the header `X-Pairstream-Feed`.

`WS /v1/stream?topics=ticks,signals,alerts,status&symbols=&pairs=` pushes: first a message of type `snapshot`,
then messages of type `update` with what is new, at most ten a second: the latest tick of each symbol, the latest
signal of each pair, every alert, and the status once a second.
"""

log = structlog.get_logger()


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Return the document, with every error under the media type that it has."""
        document = super().openapi()
        for path in document["paths"].values():
            for operation in path.values():
                for status_code, response in operation["responses"].items():
                    if status_code >= "400" and "application/json" in response["content"]:
                        content = response["content"]
                        content[problems.MEDIA_TYPE] = content.pop("application/json")
        return document


def create_app(backend: Backend) -> FastAPI:
    """Build the application on `backend`, which somebody else runs."""
    app = _Application(
        title="pairstream",
        version=VERSION,
        summary="Live pair analytics for crypto futures.",
        description=DESCRIPTION,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.backend = backend
    for resource in (status, symbols, ticks, bars, pairs, signals, alerts, gaps, stream, probes):
        app.include_router(resource.router)
    problems.install(app)
    app.add_middleware(_Outermost, backend=backend)
    return app


class _Outermost:
    """Name the feed on every answer, and turn what nobody expected into a problem with an id."""

    def __init__(self, app: ASGIApp, backend: Backend) -> None:
        self._app = app
        self._backend = backend

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_with_feed(message: Message) -> None:
            nonlocal begun
            if message["type"] in ("http.response.start", "websocket.accept"):
                begun = True
                message.setdefault("headers", [])
                MutableHeaders(scope=message)[FEED_HEADER] = self._backend.feed or "unknown"
            await send(message)

        try:
            await self._app(scope, receive, send_with_feed)
        except Exception:
            error_id = uuid.uuid4().hex
            log.exception("unexpected", id=error_id, path=scope.get("path"))
            if begun or scope["type"] != "http":
                raise
            await problems.internal(error_id).response()(scope, receive, send_with_feed)
