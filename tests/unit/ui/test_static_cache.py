"""Static cache."""

import asyncio
from collections import Counter

import httpx
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from services.ui import static_cache
from services.ui.static_cache import StaticCache

TEXT = "x" * 2_000


def asked(*requests: tuple[str, dict[str, str]]) -> tuple[list[httpx.Response], Counter[str]]:
    """Return the answers to some requests, and how often each path was made."""
    made: Counter[str] = Counter()

    def make(request: Request) -> Response:
        made[request.url.path] += 1
        return PlainTextResponse(TEXT, 404 if "nowhere" in request.url.path else 200, {"ETag": '"1"'})

    app = StaticCache(GZipMiddleware(Starlette(routes=[Route("/{path:path}", make)])), ["/files/"])

    async def run() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ui") as client:
            return [await client.get(path, headers=headers) for path, headers in requests]

    return asyncio.run(run()), made


def test_a_file_is_made_once_for_those_who_read_gzip_and_once_for_the_others() -> None:
    answers, made = asked(
        *[("/files/a", {"Accept-Encoding": one}) for one in ("gzip", "br, gzip", "identity") * 2]
    )
    assert [answer.headers.get("content-encoding") for answer in answers] == ["gzip", "gzip", None] * 2
    assert {answer.text for answer in answers} == {TEXT}
    assert made == {"/files/a": 2}


def test_all_else_is_made_anew() -> None:
    again = {"If-None-Match": '"1"'}
    paths: list[tuple[str, dict[str, str]]] = [("/page", {}), ("/files/nowhere", {}), ("/files/a", again)]
    answers, made = asked(*paths, *paths)
    assert [answer.status_code for answer in answers] == [200, 404, 200] * 2
    assert made == {"/page": 2, "/files/nowhere": 2, "/files/a": 2}


def test_there_is_an_end_to_what_is_kept() -> None:
    paths: list[tuple[str, dict[str, str]]] = [
        (f"/files/a?{number}", {}) for number in range(static_cache.MOST + 1)
    ]
    _, made = asked(*paths, paths[0], paths[-1])
    assert made == {"/files/a": static_cache.MOST + 2}
