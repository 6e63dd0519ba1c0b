"""Downloads: paths below ``/download`` and the requests they may become."""

import asyncio
import posixpath
from collections.abc import AsyncIterator
from urllib.parse import unquote

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from services.ui.api import downloads
from tests.unit.ui.dashboard import HOST, Api, ask, on_dashboard, target

ANSWERED = {
    "/v1/bars": "/v1/bars",
    "/v1/pairs/BTCUSDT-BTCUSDT.OKX/signals": "/v1/pairs/BTCUSDT-BTCUSDT.OKX/signals",
    "/v1/datasets/two%20words/report": "/v1/datasets/two%20words/report",
    "/v1/datasets/..minutes": "/v1/datasets/..minutes",
    "/v1/datasets/gr%C3%B6%C3%9Fe": "/v1/datasets/gr%C3%B6%C3%9Fe",
    "/v1/%62ars": "/v1/bars",
}
REFUSED = (
    "/v1/",
    "/v1//bars",
    "/v1/bars/",
    "/v1/.",
    "/v1/..",
    "/v1/../metrics",
    "/v1/../../metrics",
    "/v1/bars/../../metrics",
    "/v1/%2e%2e/metrics",
    "/v1/%2E./metrics",
    "/v1/.../metrics",
    "/v1/..%2fmetrics",
    "/v1/..%5cmetrics",
    "/v1/..\\\\metrics",
    "/v1/a%2Fb",
    "/v1/%252e%252e/metrics",
    "/v1/%25252e%25252e/metrics",
    "/v1/..;/metrics/..",
    "/v1/http://evil.example/",
    "/v1///evil.example/x",
    "/v1/bars%3Fsymbol=X",
    "/v1/bars%23x",
    "/v1/bars%00",
    "/v1/bars%0d%0aX-Evil:%20x",
    "/v1/bars%7f",
    "%2fv1/bars",
    "/v1%2fbars",
    "%2fv1/download/v1/bars",
    "/%76%31/../metrics",
    "/v1/events",
    "/v1/stream",
    "/v1/%65vents",
    "/v2/bars",
    "/metrics",
    "/",
)


def raw(path: str, query: str = "") -> httpx.Request:
    return target(f"/download{path}", query)


@pytest.mark.parametrize("path", ANSWERED)
def test_a_table_is_passed_on(path: str) -> None:
    api = Api()
    (answer,) = ask(raw(path, "symbol=BTCUSDT&format=csv"), api=api)
    assert answer.status_code == 200
    assert [one.url.raw_path.decode() for one in api.asked] == [f"{ANSWERED[path]}?symbol=BTCUSDT&format=csv"]


def test_nothing_else_is() -> None:
    api = Api()
    answers = ask(*map(raw, REFUSED), api=api)
    assert {path: one.status_code for path, one in zip(REFUSED, answers, strict=True)} == dict.fromkeys(
        REFUSED, 404
    )
    assert api.asked == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "a=/../..",
        "a=%2e%2e%2f",
        "?&&=",
        "a=1#b",
        "x=http://evil.example",
        "a=%00",
        "%",
        "a=" + "b" * 70_000,
    ],
)
def test_a_query_stays_a_query(query: str) -> None:
    api = Api()
    (answer,) = ask(raw("/v1/bars", query), api=api)
    assert answer.status_code in (200, 404, 414)
    for one in api.asked:
        assert (one.url.host, one.url.path) == ("api.test", "/v1/bars")


PARTS = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), max_size=8) | st.sampled_from(
    ["..", ".", "%2e", "%2f", "%5c", "%252e", "\\\\", "//", "v1", "pairs"]
)


@given(st.lists(PARTS, max_size=6).map("/".join), st.integers(1, 4))
def test_what_is_asked_for_lies_below_v1_however_often_it_is_decoded(path: str, times: int) -> None:
    found = downloads.asked(f"/download/v1/{path}")
    if found is None:
        return
    assert httpx.URL("http://api.test").join(found).host == "api.test"
    assert httpx.URL(f"http://api.test{found}").raw_path == found.encode()
    for _ in range(times):
        assert posixpath.normpath(found.replace("\\\\", "/")) == found.replace("\\\\", "/")
        assert found.startswith("/v1/")
        found = unquote(found)


class Long(httpx.AsyncByteStream):
    """An answer that does not end, and tells when it was closed."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b"1\\n"
            await asyncio.sleep(0)

    async def aclose(self) -> None:
        self.closed.set()


@pytest.mark.parametrize("begun", [True, False])
def test_the_connection_to_the_api_is_free_when_the_browser_has_gone(begun: bool) -> None:
    stream = Long()

    async def talk(app: FastAPI) -> None:
        gone = asyncio.Event()

        async def receive() -> dict[str, object]:
            if unread:
                return unread.pop()
            if begun:
                await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.body":
                gone.set()

        unread: list[dict[str, object]] = [{"type": "http.request"}]
        path = "/download/v1/bars"
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", HOST.encode())],
            "client": ("127.0.0.1", 1),
        }
        async with asyncio.timeout(10):
            await app(scope, receive, send)  # type: ignore[arg-type]
            await stream.closed.wait()

    on_dashboard(talk, Api(lambda _: httpx.Response(200, stream=stream)))
