"""Dash app on its FastAPI server."""

import re
from collections.abc import Collection, Iterable, Sequence
from http import HTTPStatus
from importlib.resources import files
from typing import Any, cast

import dash
import httpx
from dash import Dash
from dash.exceptions import DependencyException
from fastapi import FastAPI, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import PlainTextResponse

from services.common.http.proxies import Network
from services.ui.api import downloads, uploads
from services.ui.pages import PAGES, not_found
from services.ui.response_headers import ResponseHeaders
from services.ui.script_constants import filled
from services.ui.security import OURSELVES, SecurityMiddleware
from services.ui.shell.layout import shell
from services.ui.shell.push_loop import register
from services.ui.state.page_context import PageContext
from services.ui.static_cache import StaticCache

# Half the time of the usual 9, and less than one per cent larger.
COMPRESSION = 6
_NAMED_FILE = re.compile(r'(?:src|href)="(/[^"]+)"')
SUITES = "/_dash-component-suites/"
FILES = ("/assets/", SUITES)
# Dash finds a page by its address in the same way.
ADDRESSES = frozenset(page.path.strip("/") for page in PAGES)


def build(
    site: PageContext,
    hosts: Collection[str] = (),
    proxies: Sequence[Network] = (),
    operators: Collection[str] | None = None,
) -> FastAPI:
    """Return the server of the dashboard, which browsers know by `hosts` and reach through `proxies`.

    `site` is what its pages stand on. With `operators`, groups, a proxy has to say who has logged in.
    """
    server = FastAPI(
        title="pairstream dashboard", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )

    @server.get("/healthz")
    async def healthz() -> dict[str, object]:
        return {"status": "ok", "stream": "connected" if site.market.connected else "reconnecting"}

    downloads.add(server, site.client)
    uploads.add(server, site.client)
    server.add_middleware(GZipMiddleware, compresslevel=COMPRESSION)
    server.add_middleware(StaticCache, paths=FILES)
    server.add_middleware(ResponseHeaders, addresses=ADDRESSES)
    server.add_exception_handler(DependencyException, _no_such_file)
    server.add_exception_handler(FileNotFoundError, _no_such_file)

    app = Dash(
        "services.ui",
        server=cast("Any", server),
        backend="fastapi",
        title="pairstream",
        update_title="",
        add_log_handler=False,
        index_string=filled(files("services.ui").joinpath("index.html").read_text(encoding="utf-8")),
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
        "not_found_404", title=f"{not_found.TITLE} · pairstream", layout=not_found.layout()
    )
    app.layout = shell()
    register(app, site)
    # Behind all that Dash adds, so that everything passes it.
    server.add_middleware(SecurityMiddleware, hosts=hosts, trusted=proxies, operators=operators)
    return server


async def _no_such_file(request: Request, error: Exception) -> Response:
    """Answer 404 for a file of Dash that no package has, or that a package names and lacks."""
    if not request.url.path.startswith(SUITES):
        raise error
    return PlainTextResponse("expected a file of the dashboard, received another", HTTPStatus.NOT_FOUND)


async def begin(server: FastAPI) -> list[str]:
    """Make Dash set itself up, as the first request for ``/`` does; return the files that a page names."""
    async with _visitor(server) as client:
        return _NAMED_FILE.findall((await client.get("/")).raise_for_status().text)


async def warm(server: FastAPI, addresses: Iterable[str]) -> None:
    """Ask for the files of a page, so that the first visitor need not wait until they are compressed."""
    async with _visitor(server) as client:
        for address in addresses:
            (await client.get(address)).raise_for_status()


def _visitor(server: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(server, client=(OURSELVES, 0)), base_url="http://localhost"
    )
