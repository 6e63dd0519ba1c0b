"""Security of the API: limits, pages of other sites, and headers of every response. No broker."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import InvalidStatus

from services.api import problems
from services.api.settings import ApiSettings
from services.common.kafka import pair_configs
from services.store import database
from tests.api_process import NO_ROUTE, PAIR, ApiProcess, api_alone
from tests.ports import free_port
from tests.stream_client import open_status_stream
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

DOCUMENT = Path(__file__).parents[2] / "schemas/openapi.json"
ORIGIN = "https://desk.example"
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


NAMES = {
    "pair": PAIR,
    "symbol": "BTCUSDT",
    "dataset": "mine",
    "alert_id": "a",
    "id": "wide",
    "job": "scan-0123456789ab",
    "radar": "default",
    "time": "2026-01-01T00:00:00Z",
}
_RULE = {"id": "wide", "conditions": [{"metric": "zscore", "operator": "outside", "fire": 2, "clear": 1}]}
_TARGET = {"id": "wide", "kind": "slack", "url": "https://hooks.example.org/secret"}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/alerts/{alert_id}/snooze": {"for_s": 5},
    "/v1/rules": _RULE,
    "/v1/rules/{id}": _RULE,
    "/v1/targets": _TARGET,
    "/v1/targets/{id}": _TARGET,
    "/v1/targets/{id}/replay": {"start": "2026-01-01T00:00:00Z"},
    "/v1/silences": {"id": "night", "matchers": {"subject": PAIR}, "end_us": 4_000_000_000_000_000},
}


def silent(text: str) -> None:
    """Return if an answer says nothing about us."""
    for secret in ("SELECT", "Traceback", "/services/", "postgresql", "nobody", "nothing'", "127.0.0.1"):
        assert secret not in text


@pytest.fixture(scope="module")
def open_api() -> Iterator[ApiProcess]:
    with api_alone(PAIRSTREAM_API_CORS_ORIGINS=ORIGIN) as api:
        yield api


@pytest.mark.parametrize(
    ("trusted", "address"), [("10.0.0.1,127.0.0.0/8", "192.0.2.7"), ("10.0.0.1", "127.0.0.1")]
)
def test_only_a_proxy_of_the_settings_names_the_caller(trusted: str, address: str) -> None:
    with api_alone(PAIRSTREAM_API_PROXIES=trusted) as api:
        method, path = NO_ROUTE
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
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    for path, operations in document["paths"].items():
        url = path.format(**NAMES)
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
                sent["json"] = BODIES.get(path, {})
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
        with open_status_stream(open_api, origin=origin):
            pass
    with pytest.raises(InvalidStatus) as refused:
        open_status_stream(open_api, origin="https://evil.example")
    assert refused.value.response.status_code == 403


def test_requests_and_streams_have_limits() -> None:
    with api_alone(PAIRSTREAM_API_LOCAL_RATE_LIMIT="100/hour", PAIRSTREAM_API_CONCURRENCY="2") as api:
        with ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(open_status_stream(api))
            with pytest.raises(InvalidStatus) as refused:
                open_status_stream(api)
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
