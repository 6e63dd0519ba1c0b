"""Dashboard server: its port, its health, its end."""

import asyncio
import re
import socket
import time
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
import structlog

from services.common.errors import FatalError
from services.ui.api import stream_follower
from services.ui.api.client import ApiClient
from services.ui.app import begin, build
from services.ui.pages import PAGES
from services.ui.series.cache import SeriesCache
from services.ui.server import serve
from services.ui.settings import UiSettings
from services.ui.state.live_state import LiveState
from services.ui.state.page_context import PageContext
from tests.ports import free_port

HANDSHAKE = (
    "GET /_dash-ws-callback HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def ask(
    path: str, headers: dict[str, str] | None = None, method: str = "GET", content: bytes = b""
) -> httpx.Response:
    async def run() -> httpx.Response:
        async with ApiClient("http://api.test") as api:
            app = build(PageContext(LiveState(), SeriesCache(api), api, stream_follower.now), ["ui.test"])
            await begin(app)
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://ui.test"
            ) as client:
                return await client.request(method, path, headers=headers, content=content)

    return asyncio.run(run())


def test_what_cannot_be_answered_is_logged() -> None:
    with structlog.testing.capture_logs() as logged:
        assert ask("/_dash-update-component", method="POST", content=b"junk").status_code == 500
    assert [(one["event"], one["path"]) for one in logged] == [
        ("unexpected error", "/_dash-update-component")
    ]


def test_health_is_answered_without_the_api() -> None:
    answer = ask("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "stream": "reconnecting"})


def test_the_page_asks_only_its_own_server() -> None:
    page = ask("/")
    assert "pairstream.js" in page.text
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    assert all(not source.startswith(("http", "//")) for source in sources)
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_what_never_changes_is_kept_by_the_browser_and_all_else_asked_for_again() -> None:
    page = ask("/").text
    of_ours = next(source for source in re.findall(r'src="([^"]+)"', page) if "pairstream.js" in source)
    of_dash = next(source for source in re.findall(r'src="([^"]+)"', page) if "dash_renderer" in source)
    for path in (of_ours, of_dash):
        assert "max-age=31536000" in ask(path).headers["cache-control"]
    for path in ("/", "/assets/favicon.svg", "/_dash-component-suites/dash_ag_grid/async-community.js"):
        assert ask(path).headers["cache-control"] == "no-cache"
    assert ask("/_dash-component-suites/dash_ag_grid/async-community.js").headers["etag"]


def test_scripts_travel_compressed() -> None:
    sent = ask("/_dash-component-suites/dash_ag_grid/async-community.js")
    assert sent.headers["content-encoding"] == "gzip"
    assert len(sent.content) > 3 * sent.num_bytes_downloaded


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://ui.test"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1:8050"}, 200),
    ],
)
def test_a_page_of_somebody_else_cannot_use_the_dashboard(headers: dict[str, str], status: int) -> None:
    assert ask("/healthz", headers).status_code == status


def test_no_style_or_script_of_ours_names_another_server() -> None:
    for asset in Path(str(files("services.ui"))).glob("assets/**/*.*"):
        text = asset.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "//" not in re.sub(r"(?m)(?:^|\s)//.*$|/\*.*?\*/", "", text), asset.name


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FatalError, match=rf"PAIRSTREAM_UI_PORT: .*{port} on 127\.0\.0\.1: .*in use"):
            asyncio.run(serve(UiSettings(ui_port=port)))


def test_an_address_that_no_page_has_is_not_found() -> None:
    port = free_port()
    asked = {
        **dict.fromkeys(("/", *(page.path for page in PAGES), "/pairs/", "/alerts?state=firing"), 200),
        **dict.fromkeys(("/nowhere", "/pairs/nowhere", "/favicon.ico", "/_dash-nowhere", "/download/x"), 404),
        "/assets/favicon.svg": 200,
        "/assets/nowhere.js": 404,
        "/_dash-layout": 200,
        "/_favicon.ico": 200,
        "/download/v1/bars": 502,
    }

    async def run() -> dict[str, httpx.Response]:
        serving = asyncio.create_task(serve(UiSettings(ui_port=port, api_url="http://127.0.0.1:1")))
        async with asyncio.timeout(10), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await _answering(client, "/healthz")
            answers = {path: await client.get(path) for path in asked}
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            return answers

    answers = asyncio.run(run())
    assert {path: answer.status_code for path, answer in answers.items()} == asked
    # The page says so in words, and leads to those there are.
    assert "pairstream.js" in answers["/nowhere"].text


def test_it_stops_within_two_seconds_whoever_is_connected() -> None:
    port = free_port()

    async def run() -> float:
        serving = asyncio.create_task(serve(UiSettings(ui_port=port, api_url="http://127.0.0.1:1")))
        url = f"127.0.0.1:{port}"
        async with asyncio.timeout(10), httpx.AsyncClient() as client:
            await _answering(client, f"http://{url}/healthz")
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HANDSHAKE.format(host=url).encode())
            assert b" 101 " in await reader.readline()
            # From here on the other side is silent: it does not even answer the closing handshake.
            began = time.monotonic()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            writer.close()
            return time.monotonic() - began

    assert asyncio.run(run()) < 4


async def _answering(client: httpx.AsyncClient, url: str) -> None:
    for _ in range(1000):
        try:
            await client.get(url)
        except httpx.ConnectError:
            await asyncio.sleep(0.01)
        else:
            return
