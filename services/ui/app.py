"""The Dash app on its FastAPI server."""

import re
from collections.abc import Awaitable, Callable, Collection, Iterable
from importlib.resources import files
from typing import Any, cast

import dash
import httpx
import structlog
from dash import Dash
from fastapi import FastAPI, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import PlainTextResponse
from starlette.requests import ClientDisconnect

from services.common.door.sites import is_own_host, is_own_page
from services.ui import downloads, missing, uploads
from services.ui.callbacks import register
from services.ui.kept import Kept
from services.ui.layout import shell
from services.ui.pages import PAGES
from services.ui.view import Site

log = structlog.get_logger()
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
# The address of a file of ours says when the file was changed, so what it names never changes.
KEPT, ASKED_AGAIN = "public, max-age=31536000, immutable", "no-cache"
# Half the time of the usual 9, and less than one per cent larger.
COMPRESSION = 6
_NAMED_FILE = re.compile(r'(?:src|href)="(/[^"]+)"')
FILES = ("/assets/", "/_dash-component-suites/")
# Dash finds a page by its address in the same way.
ADDRESSES = frozenset(page.path.strip("/") for page in PAGES)


def build(site: Site, hosts: Collection[str] = ()) -> FastAPI:
    """Return the server of the dashboard, which browsers know by `hosts`; `site` is what its pages stand on."""
    server = FastAPI(title="pairstream dashboard", docs_url=None, redoc_url=None, openapi_url=None)

    @server.get("/healthz")
    async def healthz() -> dict[str, object]:
        return {"status": "ok", "stream": "connected" if site.market.connected else "reconnecting"}

    downloads.add(server, site.client)
    uploads.add(server, site.client)
    server.add_middleware(GZipMiddleware, compresslevel=COMPRESSION)
    server.add_middleware(Kept, paths=FILES)

    @server.middleware("http")
    async def restrict(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        host, origin = request.headers.get("host"), request.headers.get("origin")
        # Whoever reaches the dashboard can do what its key may; a page of somebody else must not reach it.
        if not is_own_host(host, hosts) or not is_own_page(origin, host, ()):
            return PlainTextResponse("This is not a page of the dashboard; see PAIRSTREAM_UI_HOSTS.", 403)
        try:
            response = await answer(request)
        except ClientDisconnect:
            raise
        except Exception:
            log.exception("unexpected", path=request.url.path)
            raise  # Dash answers 500, and says no more of it
        # Dash answers every address with the same document, and says in it that there is no such page.
        is_document = response.headers.get("content-type", "").startswith("text/html")
        if is_document and request.url.path.strip("/") not in ADDRESSES:
            response.status_code = 404
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        is_kept = request.url.path.startswith("/assets/") and "m" in request.query_params
        response.headers.setdefault("Cache-Control", KEPT if is_kept else ASKED_AGAIN)
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
        use_pages=True,
        pages_folder="",
        # Callbacks name components of pages that are not open.
        suppress_callback_exceptions=True,
    )
    for page in PAGES:
        # Built once; the address belongs to the page's script, so a layout takes nothing from it.
        dash.register_page(  # type: ignore[no-untyped-call]
            page.name, path=page.path, title=f"{page.title} · pairstream", layout=page.layout()
        )
    dash.register_page(  # type: ignore[no-untyped-call]
        "not_found_404", title=f"{missing.TITLE} · pairstream", layout=missing.layout()
    )
    app.layout = shell()
    register(app, site)
    return server


async def begin(server: FastAPI) -> list[str]:
    """Have Dash set itself up, which the first request for ``/`` alone does; return the files that a page names."""
    async with _visitor(server) as client:
        return _NAMED_FILE.findall((await client.get("/")).raise_for_status().text)


async def warm(server: FastAPI, addresses: Iterable[str]) -> None:
    """Ask for the files of a page, so that the first visitor need not wait until they are compressed."""
    async with _visitor(server) as client:
        for address in addresses:
            (await client.get(address)).raise_for_status()


def _visitor(server: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://localhost")
