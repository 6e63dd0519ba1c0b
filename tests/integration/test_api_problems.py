"""Problem documents for requests that cannot be answered."""

from collections.abc import Iterator

import pytest

from services.api.models.problem import Problem
from services.common.codec import encode
from services.contracts.topics import HEARTBEATS
from tests.api_process import PAIR, START_US, ApiProcess, heartbeat, running_api, store, tick
from tests.broker import produce
from tests.fix_broker import embedded_broker

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    store(store_url, [tick(1), tick(2, "SOLUSDT", START_US, 50.0)])
    with embedded_broker() as broker:
        produce(broker, HEARTBEATS.name, [(encode(heartbeat("ingest", feed="replay")), 1)])
        with running_api(broker, store_url) as running:
            running.wait_for("/v1/status", lambda response: response.json()["feed"] == "replay")
            yield running


BAD = {
    "/v1/ticks": (422, "symbol", "a value", None),
    "/v1/ticks?symbol=B": (422, "symbol", "a symbol such as BTCUSDT", "B"),
    "/v1/ticks?symbol=BTCUSDT&limit=10001": (422, "limit", "at most 10000 as JSON", "10001"),
    "/v1/ticks?symbol=BTCUSDT&limit=1000001&format=csv": (
        422,
        "limit",
        "less than or equal to 1000000",
        "1000001",
    ),
    "/v1/ticks?symbol=BTCUSDT&limit=NaN": (422, "limit", "a valid integer", "NaN"),
    "/v1/ticks?symbol=BTCUSDT&limit=1e99": (422, "limit", "a valid integer", "1e99"),
    "/v1/ticks?symbol=BTCUSDT&limit=0": (422, "limit", "greater than or equal to 1", "0"),
    "/v1/ticks?symbol=BTCUSDT&start=NaN": (422, "start", "ISO 8601", "NaN"),
    "/v1/ticks?symbol=BTCUSDT&start=2100-01-01T00:00:00Z": (
        422,
        "start",
        "a time that is not in the future",
        "41024448",
    ),
    "/v1/ticks?symbol=BTCUSDT&limit=ten": (422, "limit", "a valid integer", "ten"),
    "/v1/ticks?symbol=BTCUSDT&strat=5": (422, "strat", "only documented parameters", "5"),
    "/v1/ticks?symbol=BTCUSDT&start=2026-01-01T00:00:00": (
        422,
        "start",
        "a time with its zone",
        "2026-01-01T",
    ),
    "/v1/ticks?symbol=BTCUSDT&start=2026-01-01": (
        422,
        "start",
        "a time with its zone, as in 2026-01-01T00:00:00Z for UTC",
        "2026-01-01",
    ),
    "/v1/ticks?symbol=BTCUSDT&start=yesterday": (422, "start", "ISO 8601", "yesterday"),
    "/v1/ticks?symbol=BTCUSDT&start=1767225600": (422, "start", "microseconds since 1970", "1767225600"),
    "/v1/ticks?symbol=BTCUSDT&start=-5": (422, "start", "ISO 8601", "-5"),
    "/v1/ticks?symbol=BTCUSDT&end=999999999999999999": (422, "end", "a time from 1970", "999999999999999999"),
    "/v1/ticks?symbol=BTCUSDT&start=9&end=8": (422, "end", "a time not before start", "8"),
    "/v1/ticks?symbol=BTCUSDT&cursor=bm9uc2Vuc2U": (422, "cursor", "a next_cursor of this", "bm9uc2Vuc2U"),
    "/v1/ticks?symbol=BTCUSDT&cursor=WzEsOTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ": (
        422,
        "cursor",
        "a next_cursor",
        "WzEs",
    ),
    "/v1/alerts?cursor=WzEsIlx1MDAwMCJd": (422, "cursor", "a next_cursor of this", "WzEs"),
    "/v1/bars?symbol=BTCUSDT&interval=2m": (
        422,
        "interval",
        "'1s', '1m', '5m', '1h', '5s', '15s', '15m', '4h' or '1d'",
        "2m",
    ),
    "/v1/alerts?state=maybe": (422, "state", "'firing', 'resolved', 'retracted', ", "maybe"),
    "/v1/gaps?state=lost": (
        422,
        "state",
        "'open', 'found', 'unrepaired', 'refuted' or 'repaired'",
        "lost",
    ),
    "/v1/gaps?cursor=WzEsIkIiLDFd": (422, "cursor", "a next_cursor of this", "WzEsIkIi"),
    "/v1/symbols?format=xml": (422, "format", "'json', 'csv' or 'parquet'", "xml"),
}


@pytest.mark.parametrize("url", BAD)
def test_a_wrong_request_is_told_what_was_expected_and_received(api: ApiProcess, url: str) -> None:
    status, field, expected, received = BAD[url]
    response = api.http.get(url)
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = Problem.model_validate(response.json())
    assert (response.status_code, problem.status) == (status, status)
    assert problem.errors is not None
    (error,) = problem.errors
    assert (error.field, error.expected[: len(expected)]) == (field, expected)
    assert error.received is None if received is None else (error.received or "").startswith(received)


@pytest.mark.parametrize(
    ("path", "status", "named"),
    [
        ("/v1/ticks?symbol=XRPUSDT", 404, "BTCUSDT, ETHUSDT, "),
        ("/v1/bars?symbol=XRPUSDT", 404, "SOLUSDT"),
        ("/v1/pairs/BTCUSDT-ETHUSDT", 404, PAIR),
        ("/v1/pairs/%00/signals", 404, PAIR),
        ("/v1/alerts?pair=A-B", 404, PAIR),
        ("/v1/gaps?symbol=XRPUSDT", 404, "SOLUSDT"),
        ("/v1/nothing", 404, "/docs"),
        ("/v1/ticks/", 404, "/docs"),
        ("/", 404, "/docs"),
    ],
)
def test_what_is_unknown_is_a_problem_that_names_what_is_known(
    api: ApiProcess, path: str, status: int, named: str
) -> None:
    response = api.http.get(path)
    problem = Problem.model_validate(response.json())
    assert (response.status_code, problem.status) == (status, status)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["X-Pairstream-Feed"] == "replay"
    assert named in problem.detail


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/v1/ticks?symbol=BTCUSD", "BTCUSDT"),
        ("/v1/bars?symbol=solusdc", "SOLUSDT"),
        ("/v1/pairs/ETHUSDT-BTCUSD", PAIR),
        ("/v1/pairs/ethusd-btcusd/signals", PAIR),
    ],
)
def test_what_may_have_been_meant_comes_first(api: ApiProcess, path: str, near: str) -> None:
    problem = Problem.model_validate(api.http.get(path).json())
    assert problem.near is not None
    assert problem.known is not None
    assert problem.near[0] == problem.known[0] == near
    assert problem.detail.startswith(f"expected one of {near}")


def test_an_end_in_the_future_is_no_mistake(api: ApiProcess) -> None:
    assert len(api.data("/v1/ticks", symbol="BTCUSDT", end="2100-01-01T00:00:00Z")) == 1


def test_a_method_that_a_path_has_not_is_told_which_it_has(api: ApiProcess) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        response = api.http.request(method, "/v1/pairs")
        assert (response.status_code, response.headers["Allow"]) == (405, "GET")
        assert response.headers["Content-Type"] == "application/problem+json"
