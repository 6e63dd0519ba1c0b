"""ASGI middleware for response headers of the dashboard, and for the log of unexpected errors."""

from collections.abc import Collection
from http import HTTPStatus
from urllib.parse import parse_qs

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Everything comes from here; a browser that obeys cannot be made to ask anyone else.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "frame-ancestors 'self'",
    )
)
# The URL of our files holds the time of their last change, so its content never changes.
KEPT, ASKED_AGAIN = "public, max-age=31536000, immutable", "no-cache"

log = structlog.get_logger()


class ResponseHeaders:
    """Finishes the answers of a Dash app whose pages are at `addresses`, without the slashes around them."""

    def __init__(self, app: ASGIApp, addresses: Collection[str]) -> None:
        self._app = app
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and leave WebSockets as they are."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._finish(scope, message)
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except ClientDisconnect:
            raise
        except Exception:
            log.exception("unexpected error", path=scope["path"])
            raise  # Dash answers 500, and says no more of it

    def _finish(self, scope: Scope, message: Message) -> None:
        headers, path = MutableHeaders(scope=message), scope["path"]
        # Dash answers every address with the same document, and says in it that there is no such page.
        is_document = headers.get("content-type", "").startswith("text/html")
        if is_document and path.strip("/") not in self._addresses:
            message["status"] = HTTPStatus.NOT_FOUND.value
        headers["Content-Security-Policy"] = POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        query = parse_qs(scope["query_string"].decode("ascii", "replace"), keep_blank_values=True)
        is_kept = path.startswith("/assets/") and "m" in query
        headers.setdefault("Cache-Control", KEPT if is_kept else ASKED_AGAIN)
