"""Dashboard application on a scripted API that records its requests."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from urllib.parse import unquote

import httpx
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from services.common.http.proxies import Network
from services.ui.api import stream_follower
from services.ui.api.client import ApiClient
from services.ui.app import begin, build
from services.ui.series.cache import SeriesCache
from services.ui.state.live_state import LiveState
from services.ui.state.page_context import PageContext

T = TypeVar("T")
HOST = "ui.test"
TARGET = b"x-target"


class Api(httpx.AsyncBaseTransport):
    """An API that answers everything alike."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response] | None = None) -> None:
        self.asked: list[httpx.Request] = []
        self._answer = answer or (lambda _: httpx.Response(200, json={"data": []}))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.asked.append(request)
        return self._answer(request)


def on_dashboard(
    talk: Callable[[FastAPI], Awaitable[T]], api: Api | None = None, proxies: Sequence[Network] = ()
) -> T:
    """Return what `talk` returns of a dashboard that is known as `HOST`."""

    async def run() -> T:
        async with ApiClient("http://api.test", api or Api()) as client:
            app = build(
                PageContext(LiveState(), SeriesCache(client), client, stream_follower.now), [HOST], proxies
            )
            await begin(app)
            return await talk(app)

    return asyncio.run(run())


def _exactly(app: FastAPI) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return `app` behind what makes of a header a target, as uvicorn does of the first line."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        for name, value in scope["headers"]:
            if name == TARGET:
                raw_path, _, query = value.partition(b"?")
                path = unquote(raw_path.decode("ascii"))
                scope = {**scope, "path": path, "raw_path": raw_path, "query_string": query}
        await app(scope, receive, send)

    return asked


def ask(
    *requests: httpx.Request,
    sender: str = "127.0.0.1",
    api: Api | None = None,
    proxies: Sequence[Network] = (),
) -> list[httpx.Response]:
    """Send requests to one dashboard, one after another."""

    async def talk(app: FastAPI) -> list[httpx.Response]:
        transport = httpx.ASGITransport(_exactly(app), client=(sender, 1))
        async with httpx.AsyncClient(transport=transport) as browser:
            return [await browser.send(one) for one in requests]

    return on_dashboard(talk, api, proxies)


def target(path: str, query: str = "") -> httpx.Request:
    """Return a request for exactly this path; httpx puts such paths in order before it sends them."""
    return httpx.Request("GET", f"http://{HOST}", headers={TARGET: f"{path}{query and '?'}{query}".encode()})
