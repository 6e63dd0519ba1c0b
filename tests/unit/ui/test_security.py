"""Security of the dashboard: host, origin, rate and size, and the caller it names to the API."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from services.common.http import body_limit
from services.ui import security
from tests.unit.common.http.test_origin_check import OTHERS, OURS
from tests.unit.ui.dashboard import HOST, Api, ask, on_dashboard

STREAM = "/_dash-ws-callback"
HEALTH = "/healthz"
UPDATE = "/_dash-update-component"
PREVIEW = "/send/v1/datasets/preview"
STRANGER = "203.0.113.9"
HERE = "127.0.0.1"


def request(
    path: str = HEALTH, method: str = "GET", headers: dict[str, str] | None = None, content: Any = None
) -> httpx.Request:
    return httpx.Request(method, f"http://{HOST}{path}", headers=headers, content=content)


def handshake(host: str | None, origin: str | None) -> int:
    """Return the status with which a WebSocket is answered; 101 is one that was let in."""
    headers = [(b"host", host), (b"origin", origin)]
    scope = {
        "type": "websocket",
        "path": STREAM,
        "raw_path": STREAM.encode(),
        "query_string": b"",
        "headers": [
            (name, value.encode("latin-1", "ignore")) for name, value in headers if value is not None
        ],
        "subprotocols": [],
        "client": (HERE, 1),
        "extensions": {"websocket.http.response": {}},
    }
    said: list[Message] = []

    async def talk(app: FastAPI) -> None:
        events: list[Message] = [
            {"type": "websocket.disconnect", "code": 1001},
            {"type": "websocket.connect"},
        ]

        async def receive() -> Message:
            return events.pop()

        async def send(message: Message) -> None:
            said.append(message)

        await app(scope, receive, send)

    on_dashboard(talk)
    return 101 if said[0]["type"] == "websocket.accept" else int(said[0]["status"])


REBOUND = [host for host in OTHERS if host and host.isascii() and host.isprintable()]
KNOWN = [host for host in OURS if not host.lower().startswith("desk.")]


def test_a_page_whose_name_was_bound_to_our_address_gets_nothing() -> None:
    paths = ("/", HEALTH, "/_dash-layout", "/assets/favicon.svg", "/download/v1/bars", UPDATE)
    asked = [request(path, headers={"Host": host}) for host in REBOUND for path in paths]
    for one, answer in zip(asked, ask(*asked), strict=True):
        assert (answer.status_code, "PAIRSTREAM_UI_HOSTS" in answer.text) == (403, True), one.headers["host"]


def test_whoever_names_us_is_answered() -> None:
    asked = [request(headers={"Host": host, "Origin": f"https://{host}"}) for host in (*KNOWN, HOST)]
    assert {answer.status_code for answer in ask(*asked)} == {200}


@pytest.mark.parametrize("host", ["evil.example:8050", "desk.example", "127.0.0.1.evil.example", "", None])
def test_a_rebound_page_gets_no_stream(host: str | None) -> None:
    assert handshake(host, f"http://{host}") == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8050", "[::1]:8050", "localhost:8050", HOST])
def test_a_page_of_ours_gets_a_stream_and_others_do_not(host: str) -> None:
    assert handshake(host, f"http://{host}") == 101
    for origin in ("http://evil.example", "null", "", f"http://{host}.evil.example", f"http://evil@{host}"):
        assert handshake(host, origin) == 403


def test_requests_of_one_address_have_a_limit_and_others_do_not_notice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(security, "AT_ONCE", 3)
    monkeypatch.setattr(security, "PASSED_AT_ONCE", 2)
    free, come = asyncio.Event(), asyncio.Semaphore(0)

    class Slow(Api):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            come.release()
            await free.wait()
            return httpx.Response(200, json={})

    api = Slow()

    async def talk(app: FastAPI) -> list[int]:
        def browser(sender: str) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app, client=(sender, 1))
            return httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}")

        async with browser(STRANGER) as one, browser("198.51.100.1") as other:
            download = "/download/v1/bars"
            waiting = [asyncio.create_task(one.get(download)) for _ in range(2)]
            await come.acquire()
            await come.acquire()
            third = await one.get(download)
            health = await one.get(HEALTH)
            waiting.append(asyncio.create_task(other.get(download)))
            await come.acquire()
            free.set()
            answered = await asyncio.gather(*waiting)
            return [one.status_code for one in (third, health, *answered, await one.get(download))]

    assert on_dashboard(talk, api) == [429, 200, 200, 200, 200, 200]


def test_a_head_that_is_too_long_is_refused() -> None:
    long = "x" * 2**14
    answers = ask(request(f"/?{long}"), request(headers={"X-Long": long}))
    assert [answer.status_code for answer in answers] == [414, 431]


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_page_does_not_send_more_than_a_page_sends(method: str, declared: bool) -> None:
    content = b"x" * (security.MOST_BYTES + 1)

    async def parts() -> AsyncIterator[bytes]:
        yield content[:10]
        yield content[10:]

    headers = {"Content-Type": "application/json"}
    (answer,) = ask(request(UPDATE, method, headers, content if declared else parts()))
    assert (answer.status_code, f"at most {security.MOST_BYTES} bytes" in answer.text) == (413, True)


@pytest.mark.parametrize("path", [UPDATE, PREVIEW, "/send/v1/datasets", HEALTH])
def test_a_body_that_stops_coming_is_given_up(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "SILENCE_S", 0.05)

    async def halting() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    (answer,) = ask(request(path, "POST", {"Content-Type": "application/json"}, halting()))
    assert (answer.status_code, "received 1 bytes" in answer.text) == (408, True)


@pytest.mark.parametrize(
    ("sender", "headers", "named"),
    [
        (HERE, {}, None),
        ("::1", {}, None),
        (STRANGER, {}, STRANGER),
        (STRANGER, {"X-Forwarded-For": HERE}, STRANGER),
        (HERE, {"X-Forwarded-For": STRANGER}, "unknown"),
        (HERE, {"Forwarded": "for=127.0.0.1"}, "unknown"),
        ("127.0.0.2", {}, "unknown"),
        ("127.0.0.2", {"X-Forwarded-For": ""}, "unknown"),
        ("127.0.0.2", {"X-Forwarded-For": "unix:"}, "unknown"),
        ("127.0.0.2", {"X-Forwarded-For": HERE}, "unknown"),
        ("127.0.0.2", {"X-Real-IP": HERE}, "unknown"),
        ("127.0.0.2", {"X-Forwarded-For": f"{HERE}, {STRANGER}"}, STRANGER),
    ],
)
@pytest.mark.parametrize("path", [PREVIEW, "/send/v1/datasets", "/download/v1/bars"])
def test_the_api_is_told_of_everybody_who_is_not_of_this_machine(
    sender: str, headers: dict[str, str], named: str | None, path: str
) -> None:
    api = Api()
    sent = request(path, "POST" if path.startswith("/send") else "GET", headers)
    ask(sent, sender=sender, api=api, proxies=[ip_network("127.0.0.2")])
    assert [one.headers.get("X-Forwarded-For") for one in api.asked] == [named]
