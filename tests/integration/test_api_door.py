"""Who may ask the API what: keys, limits, pages of other sites, and what every answer tells a browser. No broker."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

from services.api import problems
from services.api.app import create_app
from services.api.backend import Backend
from services.api.door import keys
from services.api.settings import ApiSettings
from services.common import database, pair_configs
from tests.api_process import PAIR, ApiProcess, running_api
from tests.ports import free_port
from tests.stream_client import open_stream, read_to_the_end, receive
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

NAMES = {"reader": "read", "bot": "write", "leaver": "read"}
ORIGIN = "https://desk.example"
WRITE = ("DELETE", "/v1/nothing")
# What is asked of them needs neither broker nor database.
SELF_CONTAINED = {
    "GET /v1/status",
    "GET /v1/pairs",
    f"GET /v1/pairs/{PAIR}",
    "GET /v1/events",
    "POST /v1/datasets/preview",
    "GET /healthz",
    "GET /metrics",
}


class Locked:
    """An API with keys; `tokens` are theirs by name."""

    def __init__(self, api: ApiProcess, file: Path, tokens: dict[str, str]) -> None:
        self.api = api
        self.file = file
        self.tokens = tokens

    def status(self, method: str, path: str, name: str | None) -> int:
        headers = {} if name is None else {"Authorization": f"Bearer {self.tokens.get(name, name)}"}
        return self.api.http.request(method, path, headers=headers).status_code

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return pairstream("keys", *arguments, "--file", str(self.file))


def pairstream(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services.local", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def stream(api: ApiProcess, **options: Any) -> ClientConnection:
    return open_stream(api, "?topics=status", **options)


def alone(**variables: str) -> Any:
    """Start an API whose broker and database are away."""
    nowhere = f"127.0.0.1:{free_port()}"
    return running_api(nowhere, f"postgresql://nobody@{nowhere}/nothing", ready=False, variables=variables)


def silent(text: str) -> None:
    """Return if an answer says nothing about us."""
    for secret in ("SELECT", "Traceback", "/services/", "postgresql", "nobody", "nothing'", "127.0.0.1"):
        assert secret not in text


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    file = tmp_path_factory.mktemp("keys") / "keys"
    made = {name: keys.new(name, "write" if role == "write" else "read") for name, role in NAMES.items()}
    file.write_text("".join(f"{key}\n" for _, key in made.values()), encoding="utf-8")
    with alone(PAIRSTREAM_API_KEYS_FILE=str(file)) as api:
        yield Locked(api, file, {name: token for name, (token, _) in made.items()})


@pytest.fixture(scope="module")
def open_api() -> Iterator[ApiProcess]:
    with alone(PAIRSTREAM_API_CORS_ORIGINS=ORIGIN) as api:
        yield api


@pytest.mark.parametrize(
    ("name", "read", "written"),
    [(None, 401, 401), ("ps_wrong", 401, 401), ("reader", 200, 403), ("bot", 200, 404)],
)
def test_a_key_opens_what_its_role_may(locked: Locked, name: str | None, read: int, written: int) -> None:
    assert locked.status("GET", "/v1/pairs", name) == read
    assert locked.status("GET", "/metrics", name) == read
    assert locked.status(*WRITE, name) == written
    for public in ("/healthz", "/docs", "/docs/static/swagger-ui.css", "/openapi.json"):
        assert locked.status("GET", public, name) == 200


def test_a_refusal_says_what_is_wanted(locked: Locked) -> None:
    answer = locked.api.get("/v1/pairs")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="pairstream"'
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "X-API-Key" in answer.json()["detail"]


def test_a_stream_takes_a_key_as_header_or_as_subprotocol(locked: Locked) -> None:
    token = locked.tokens["reader"]
    with (
        stream(locked.api, additional_headers={"X-API-Key": token}) as by_header,
        stream(locked.api, subprotocols=["pairstream", f"key.{token}"]) as by_subprotocol,
    ):
        assert (by_header.subprotocol, by_subprotocol.subprotocol) == (None, "pairstream")
        for socket in (by_header, by_subprotocol):
            assert receive(socket)["type"] == "snapshot"
    with pytest.raises(InvalidStatus) as refused:
        stream(locked.api, subprotocols=["pairstream", "key.wrong"])
    assert refused.value.response.status_code == 401


def test_a_revoked_key_is_out_within_seconds_and_so_is_its_stream(locked: Locked) -> None:
    token = locked.tokens["leaver"]
    with (
        stream(locked.api, additional_headers={"X-API-Key": token}) as leaving,
        stream(locked.api, additional_headers={"X-API-Key": locked.tokens["reader"]}) as staying,
    ):
        revoked = locked.command("revoke", "leaver")
        assert (revoked.returncode, revoked.stderr) == (0, "")
        assert read_to_the_end(leaving) == 1008
        assert leaving.close_reason == "key revoked"
        assert locked.status("GET", "/v1/pairs", "leaver") == 401
        assert locked.status("GET", "/v1/pairs", "reader") == 200
        staying.recv(timeout=10)


def test_a_new_key_works_without_a_restart_and_its_token_is_shown_once(locked: Locked) -> None:
    made = locked.command("new", "fresh", "--role", "write")
    token = made.stdout.strip()
    assert made.returncode == 0
    assert token not in locked.file.read_text()
    wait_until(lambda: locked.status(*WRITE, token) == 404, "the new key to be known")
    assert "fresh write\n" in locked.command("list").stdout
    again = locked.command("new", "fresh")
    assert (again.returncode, again.stdout) == (1, "")
    assert "received 'fresh' again" in again.stderr


def test_a_broken_file_lets_nobody_in_and_readyz_says_so(locked: Locked) -> None:
    right = locked.file.read_text()
    locked.file.write_text(f"{right}someone\n")
    try:
        wait_until(lambda: locked.status("GET", "/v1/pairs", "reader") == 503, "nobody to be let in")
        assert any("line" in reason for reason in locked.api.get("/readyz").json()["reasons"])
        assert locked.status("GET", "/healthz", None) == 200
    finally:
        locked.file.write_text(right)
    wait_until(lambda: locked.status("GET", "/v1/pairs", "reader") == 200, "the right file to be read")


def test_a_file_that_is_wrong_at_the_start_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("me admin x\n")
    environment = {**os.environ, "PAIRSTREAM_API_KEYS_FILE": str(file)}
    command = [sys.executable, "-m", "services.api"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("api: PAIRSTREAM_API_KEYS_FILE: line 1: expected 'name role sha256'")


def test_every_write_leaves_a_line_that_says_who_what_and_what_came_of_it(locked: Locked) -> None:
    token, path = locked.tokens["bot"], f"/v1/pairs/{PAIR}"
    headers = {"X-API-Key": token, "X-Request-ID": "mine-1"}
    answer = locked.api.http.patch(path, json={"window": "s3cret"}, headers=headers)
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (422, "mine-1")
    wait_until(lambda: '"mine-1"' in locked.api.log.read_text(), "the line in the log")
    log = locked.api.log.read_text()
    (line,) = (one for one in map(json.loads, log.splitlines()) if one.get("request") == "mine-1")
    expected = {
        "event": "write",
        "caller": "bot",
        "role": "write",
        "address": "127.0.0.1",
        "method": "PATCH",
        "route": "/v1/pairs/{pair}",
        "parameters": {"pair": PAIR},
        "status": 422,
    }
    assert expected.items() <= line.items()
    assert not any(secret in log for secret in ("s3cret", *locked.tokens.values()))


@pytest.mark.parametrize(
    ("trusted", "address"), [("10.0.0.1,127.0.0.0/8", "192.0.2.7"), ("10.0.0.1", "127.0.0.1")]
)
def test_only_a_proxy_of_the_settings_names_the_caller(trusted: str, address: str) -> None:
    with alone(PAIRSTREAM_API_PROXIES=trusted) as api:
        method, path = WRITE
        answer = api.http.request(method, path, headers={"X-Forwarded-For": "192.0.2.7"})
        assert answer.status_code == httpx.codes.FORBIDDEN
        wait_until(lambda: '"write"' in api.log.read_text(), "the line in the log")
        lines = map(json.loads, api.log.read_text().splitlines())
        assert [one["address"] for one in lines if one["event"] == "write"] == [address]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/pairs", 200), ("/v1/symbols", 503), ("/v1/nothing", 404), ("/v1/bars", 422), ("/readyz", 503)],
)
def test_every_answer_is_safe_for_a_browser_and_silent_about_us(
    open_api: ApiProcess, path: str, status: int
) -> None:
    answer = open_api.get(path)
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-cache" in answer.headers["Cache-Control"]
    assert len(answer.headers["X-Request-ID"]) == 32
    assert "Server" not in answer.headers
    silent(answer.text)


def _examples() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield a request to each route that is described: its method, its URL, and what httpx sends with it."""
    app = create_app(Backend(ApiSettings()))
    for path, operations in app.openapi()["paths"].items():
        url = path.format(pair=PAIR, dataset="mine", alert_id="a")
        for method, operation in operations.items():
            required = [
                one for one in operation.get("parameters", ()) if one["in"] == "query" and one["required"]
            ]
            sent: dict[str, Any] = {
                "params": {one["name"]: {"symbol": "BTCUSDT"}[one["name"]] for one in required}
            }
            kinds = operation.get("requestBody", {}).get("content", ())
            if "multipart/form-data" in kinds:
                sent["files"] = [("files", ("BTCUSDT.csv", b"time,close\n2024-01-01,1\n2024-01-02,1\n"))]
            elif kinds:
                sent["json"] = {"for_s": 5} if path.endswith("/snooze") else {}
            yield method.upper(), url, sent


EXAMPLES = {f"{method} {url}": (method, url, sent) for method, url, sent in _examples()}


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_is_away_is_told_without_its_address(open_api: ApiProcess, example: str) -> None:
    method, url, sent = EXAMPLES[example]
    with open_api.http.stream(method, url, **sent) as answer:
        assert answer.status_code != httpx.codes.UNPROCESSABLE_ENTITY
        if example not in SELF_CONTAINED:
            assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            silent(answer.read().decode())


@pytest.mark.parametrize("server", ["database", "broker"])
def test_a_server_that_goes_away_while_it_is_asked_is_told_without_its_address(server: str) -> None:
    app, nowhere = FastAPI(), f"127.0.0.1:{free_port()}"
    settings = ApiSettings(brokers=nowhere, database_url=f"postgresql://nobody@{nowhere}/nothing")
    problems.install(app)

    @app.get("/database")
    async def connect() -> None:
        async with database.connect(settings, "test"):
            pass

    @app.get("/broker")
    async def tell() -> None:
        await pair_configs.publish(settings, {PAIR: None})

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            return await client.get(f"/{server}", timeout=60)

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["detail"]) == (503, f"the {server} does not answer")
    silent(answer.text)


def test_a_page_of_another_origin_reads_only_if_the_settings_name_it(open_api: ApiProcess) -> None:
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example", None)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        preflight = open_api.http.options("/v1/pairs", headers=asked)
        answer = open_api.http.get("/v1/pairs", headers={"Origin": origin})
        assert preflight.headers.get("Access-Control-Allow-Origin") == allowed
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
    assert "ETag" in open_api.http.get("/v1/pairs", headers={"Origin": ORIGIN}).headers[
        "Access-Control-Expose-Headers"
    ].split(", ")


def test_a_page_of_another_origin_gets_no_stream(open_api: ApiProcess) -> None:
    for origin in (None, ORIGIN, open_api.url):
        with stream(open_api, origin=origin):
            pass
    with pytest.raises(InvalidStatus) as refused:
        stream(open_api, origin="https://evil.example")
    assert refused.value.response.status_code == 403


def test_requests_and_streams_have_limits() -> None:
    with alone(PAIRSTREAM_API_LOCAL_RATE_LIMIT="400/hour", PAIRSTREAM_API_CONCURRENCY="2") as api:
        with ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(stream(api))
            with pytest.raises(InvalidStatus) as refused:
                stream(api)
            assert refused.value.response.status_code == 429
            assert api.get("/v1/pairs").json()["detail"].startswith("expected at most 2 requests and streams")
        wait_until(lambda: api.get("/v1/pairs").status_code == 200, "the streams to be gone")
        wait_until(lambda: api.get("/v1/pairs").status_code == 429, "the allowance to be used up", 60)
        assert api.get("/healthz").status_code == 200


@pytest.mark.parametrize("kibibytes", [17, 60])
def test_what_is_too_long_to_read_is_refused(open_api: ApiProcess, kibibytes: int) -> None:
    text = "x" * 1024
    asked: list[tuple[str, dict[str, str]]] = [
        (f"/v1/pairs?format={text * kibibytes}", {}),
        (f"/v1/pairs/{text * kibibytes}", {}),
        ("/v1/pairs", {"X-Long": text * kibibytes}),
        ("/v1/pairs", {f"X-{number}": text for number in range(kibibytes)}),
    ]
    for url, headers in asked:
        with suppress(httpx.TransportError):  # answered and closed while we were still sending
            assert open_api.http.get(url, headers=headers).status_code in (400, 414, 431)
    assert open_api.get("/healthz").status_code == 200


def test_metrics_count_by_route_and_never_by_what_a_caller_writes(open_api: ApiProcess) -> None:
    for path in ("/v1/pairs/NOT-APAIR", "/v1/what-ever", f"/v1/pairs/{PAIR}"):
        open_api.http.request("WHATEVER", path)
        open_api.get(path)
    text = open_api.get("/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    counted = {
        (one.labels["route"], one.labels["method"], one.labels["status"]): one.value
        for one in families["pairstream_api_requests"].samples
        if one.name.endswith("_total")
    }
    assert counted["/v1/pairs/{pair}", "GET", "404"] >= 1
    assert counted["/v1/pairs/{pair}", "GET", "200"] >= 1
    assert counted["other", "GET", "404"] >= 1
    assert not any(word in text for word in ("APAIR", "what-ever", "WHATEVER"))
    assert {
        "pairstream_api_request_seconds",
        "pairstream_api_open",
        "pairstream_api_messages",
    } <= families.keys()
