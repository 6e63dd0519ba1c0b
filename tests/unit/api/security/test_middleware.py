"""Admission of remote callers, pages of other hosts, and proxies; process tests cover the rest."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.api.app import create_app
from services.api.backend import Backend
from services.api.security import api_keys
from services.api.settings import ApiSettings
from services.common.http import body_limit
from services.common.settings import load

ELSEWHERE = "192.0.2.1"
# Who comes in is told that nothing is there.
NOTHING = "/v1/nothing"


def ask(
    *requests: httpx.Request, peer: str = ELSEWHERE, settings: ApiSettings | None = None
) -> list[httpx.Response]:
    """Send the requests to one application, one after another."""
    app = create_app(Backend(settings or ApiSettings()))

    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, client=(peer, 1))
        async with httpx.AsyncClient(transport=transport) as client:
            return [await client.send(request) for request in requests]

    return asyncio.run(run())


def request(method: str = "GET", path: str = "/v1/pairs", host: str = "api", **options: Any) -> httpx.Request:
    return httpx.Request(method, f"http://{host}{path}", **options)


def status(*requests: httpx.Request, **options: Any) -> int:
    return ask(*requests, **options)[-1].status_code


@pytest.mark.parametrize("peer", [ELSEWHERE, "2001:db8::1", "::ffff:192.0.2.1"])
def test_without_keys_others_read_and_only_this_machine_writes(peer: str) -> None:
    assert status(request(), peer=peer) == 200
    assert status(request("DELETE", NOTHING), peer=peer) == 403
    for own in ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"):
        assert status(request("DELETE", NOTHING), peer=own) == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host"])
def test_a_proxy_on_this_machine_is_not_this_machine(header: str) -> None:
    forwarded = request("DELETE", NOTHING, headers={header: "127.0.0.1"})
    assert status(forwarded, peer="127.0.0.1") == 403


@pytest.mark.parametrize("forwarded", [None, "", "127.0.0.1", "unix:", "127.0.0.1, 192.0.2.1"])
def test_nobody_is_this_machine_behind_a_proxy_of_the_settings(forwarded: str | None) -> None:
    settings = load(ApiSettings, {"PAIRSTREAM_API_PROXIES": "127.0.0.1"})
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    for method, path, expected in (
        ("DELETE", NOTHING, 403),
        ("POST", "/v1/datasets/preview", 403),
        ("GET", "/v1/pairs", 200),
    ):
        assert status(request(method, path, headers=headers), peer="127.0.0.1", settings=settings) == expected


def test_who_comes_through_a_proxy_of_this_machine_does_not_use_up_its_rate() -> None:
    settings = load(ApiSettings, {"PAIRSTREAM_API_RATE_LIMIT": "2/hour"})
    forwarded = {"X-Forwarded-For": "192.0.2.1"}
    answers = ask(
        *(request(headers=headers) for headers in (*[forwarded] * 3, {})), peer="127.0.0.1", settings=settings
    )
    assert [answer.status_code for answer in answers] == [200, 200, 429, 200]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
def test_every_unsafe_method_needs_the_role_also_where_nothing_is(method: str) -> None:
    assert status(request(method, NOTHING)) == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", ""])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_name_that_was_bound_to_our_address_is_refused(host: str, method: str) -> None:
    rebound = request(method, NOTHING, headers={"Host": host})
    assert status(rebound, peer="127.0.0.1") == 403


def test_a_name_of_the_settings_is_served() -> None:
    settings = load(ApiSettings, {"PAIRSTREAM_API_HOSTS": "API.desk.example,other.example"})
    assert status(request(host="api.desk.example"), settings=settings) == 200
    assert status(request(host="evil.example"), settings=settings) == 403


@pytest.mark.parametrize(
    ("origin", "refused"),
    [
        (None, False),
        ("http://127.0.0.1:8000", False),
        ("https://desk.example", False),
        ("http://127.0.0.1:8050", True),
        ("http://evil.example", True),
        ("null", True),
        ("", True),
    ],
)
def test_pages_of_other_origins_write_only_if_the_settings_name_them(
    origin: str | None, refused: bool
) -> None:
    settings = load(ApiSettings, {"PAIRSTREAM_API_CORS_ORIGINS": "https://desk.example"})
    headers = {} if origin is None else {"Origin": origin}
    write = request("DELETE", NOTHING, "127.0.0.1:8000", headers=headers)
    assert status(write, peer="127.0.0.1", settings=settings) == (403 if refused else 404)
    read = request(host="127.0.0.1:8000", headers=headers)
    assert status(read, peer="127.0.0.1", settings=settings) == 200


def test_each_address_and_each_key_has_a_rate_of_its_own(tmp_path: Path) -> None:
    (token, key), (other_token, other) = api_keys.new("a", "read"), api_keys.new("b", "read")
    path = tmp_path / "keys"
    path.write_text(f"{key}\n{other}\n", encoding="utf-8")
    settings = load(
        ApiSettings, {"PAIRSTREAM_API_RATE_LIMIT": "2/hour", "PAIRSTREAM_API_KEYS_FILE": str(path)}
    )
    tokens = [token, token, token, other_token, "", "wrong", "guessed", token]
    answers = ask(*(request(headers={"X-API-Key": one}) for one in tokens), settings=settings)
    assert [answer.status_code for answer in answers] == [200, 200, 429, 200, 401, 401, 429, 429]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 1800
    assert answers[2].headers["RateLimit"].startswith('"caller";r=0;')
    assert answers[0].headers["RateLimit-Policy"] == '"caller";q=2;w=3600'


def test_probes_are_never_refused() -> None:
    settings = load(ApiSettings, {"PAIRSTREAM_API_RATE_LIMIT": "1/hour"})
    answers = ask(*[request(path="/healthz", host="a.b")] * 5, settings=settings)
    assert {answer.status_code for answer in answers} == {200}


def send(content: Any, settings: ApiSettings | None = None) -> httpx.Response:
    """Send a body to a route that wants JSON."""
    app = create_app(Backend(settings or ApiSettings()))

    @app.post("/size")
    async def size(body: dict[str, int]) -> int:
        return len(body)

    async def run() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            return await client.post("/size", content=content, headers={"Content-Type": "application/json"})

    return asyncio.run(run())


def test_a_body_that_stops_coming_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "SILENCE_S", 0.05)

    async def halting() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    answer = send(halting())
    assert (answer.status_code, answer.json()["title"]) == (408, "Request timeout")


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(("size", "status"), [(1_000, 200), (1_001, 413)])
def test_a_body_beyond_the_limit_is_refused_also_if_it_does_not_say_so(
    declared: bool, size: int, status: int
) -> None:
    content = b'{"a": 1' + b" " * (size - 8) + b"}"

    async def pieces() -> AsyncIterator[bytes]:
        yield content[:500]
        yield content[500:]

    settings = load(ApiSettings, {"PAIRSTREAM_API_BODY_LIMIT": "1000"})
    answer = send(content if declared else pieces(), settings)
    assert answer.status_code == status
    if status == 413:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "at most 1000 bytes" in answer.json()["detail"]


def test_one_caller_has_so_many_bytes_here_at_once_as_two_uploads_have() -> None:
    settings = load(ApiSettings, {"PAIRSTREAM_API_BODY_LIMIT": "1000", "PAIRSTREAM_API_UPLOAD_LIMIT": "1000"})
    app = create_app(Backend(settings))
    begun, end = asyncio.Event(), asyncio.Event()

    @app.post("/held")
    async def hold(body: dict[str, int]) -> int:
        begun.set()
        await end.wait()
        return len(body)

    async def run() -> list[int]:
        content, headers = b'{"a":' + b" " * 990 + b"1}", {"Content-Type": "application/json"}
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:

            async def post() -> int:
                return (await client.post("/held", content=content, headers=headers)).status_code

            first = asyncio.create_task(post())
            await begun.wait()
            begun.clear()
            second = asyncio.create_task(post())
            await begun.wait()
            refused = await post()
            end.set()
            return [refused, await first, await second, await post()]

    assert asyncio.run(run()) == [429, 200, 200, 200]
