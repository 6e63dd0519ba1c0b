"""The Dash app on its FastAPI server."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any, cast

from dash import Dash
from fastapi import FastAPI, Request, Response

from services.ui.callbacks import register
from services.ui.layout import page
from services.ui.market import Market, Now
from services.ui.tracks import Tracks

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


def build(market: Market, tracks: Tracks, now: Callable[[], Now]) -> FastAPI:
    """Return the server of the page; `market` and `tracks` are what it shows."""
    server = FastAPI(title="pairstream dashboard", docs_url=None, redoc_url=None, openapi_url=None)

    @server.get("/healthz")
    async def healthz() -> dict[str, object]:
        return {"status": "ok", "stream": "connected" if market.connected else "reconnecting"}

    @server.middleware("http")
    async def restrict(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await answer(request)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    app = Dash(
        "services.ui",
        server=cast("Any", server),
        backend="fastapi",
        title="pairstream",
        update_title="",
        add_log_handler=False,
        index_string=files("services.ui").joinpath("index.html").read_text(encoding="utf-8"),
        websocket_inactivity_timeout=0,
    )
    app.layout = page()
    register(app, market, tracks, now)
    return server
