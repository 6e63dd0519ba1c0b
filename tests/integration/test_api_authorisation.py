"""Authorisation on every route: the application lists the routes, this file says what holds for each."""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from services.api.app import create_app
from services.api.backend import Backend
from services.api.models.problem import Problem
from services.api.security import api_keys
from services.api.settings import ApiSettings
from tests.api_process import ApiProcess, list_symbols, running_api
from tests.fix_broker import embedded_broker
from tests.fix_database import Postgres, created
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

STREAM = "/v1/stream"
PUBLIC = {"/healthz", "/readyz", "/docs", "/docs/static/swagger-ui.css", "/openapi.json"}
SAFE = {"GET", "HEAD"}
ELSEWHERE = {"X-Forwarded-For": "192.0.2.1"}
"""What makes a request that of another machine, for whom a proxy of this one asks."""


def _requests() -> list[tuple[str, str]]:
    """Return the method and a URL of everything that the application answers by HTTP."""
    found = []
    for route in iter_route_contexts(create_app(Backend(ApiSettings())).routes):
        assert route.path is not None
        if isinstance(route.original_route, Mount):
            assert route.path == "/docs/static", "expected a route, received another mount: name a file of it"
            found.append(("GET", "/docs/static/swagger-ui.css"))
        elif route.path != STREAM:
            url = re.sub(r"\{[^}]+\}", "nobody-has-this", route.path)
            found += [(method, url) for method in sorted(route.methods or ())]
    return found


REQUESTS = _requests()


class Guarded:
    """An API with a keys file, and the headers of everyone who may ask it."""

    def __init__(self, api: ApiProcess, credentials: Mapping[str, dict[str, str]]) -> None:
        self.api = api
        self.credentials = credentials


@pytest.fixture(scope="module")
def services(postgres: Postgres, template: str) -> Iterator[tuple[str, str]]:
    with embedded_broker() as broker, created(postgres.url, template) as url:
        list_symbols(broker, "BTCUSDT", "ETHUSDT")
        yield broker, url


@pytest.fixture(scope="module")
def open_api(services: tuple[str, str]) -> Iterator[ApiProcess]:
    with running_api(*services) as api:
        yield api


@pytest.fixture(scope="module")
def guarded(services: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    made = {
        name: api_keys.new(name, "read" if name == "reader" else "write")
        for name in ("reader", "writer", "gone")
    }
    path = tmp_path_factory.mktemp("keys") / "keys"
    _write(path, *(key for _, key in made.values()))
    credentials = {name: {"Authorization": f"Bearer {token}"} for name, (token, _) in made.items()}
    credentials |= {
        "nobody": {},
        "stranger": {"Authorization": f"Bearer {api_keys.new('stranger', 'write')[0]}"},
    }
    credentials["writer by X-API-Key"] = {"X-API-Key": made["writer"][0]}
    with running_api(*services, variables={"PAIRSTREAM_API_KEYS_FILE": str(path)}) as api:
        assert _status(api, "GET", "/v1/status", credentials["gone"]) == HTTPStatus.OK
        _write(path, made["reader"][1], made["writer"][1])
        wait_until(
            lambda: _status(api, "GET", "/v1/status", credentials["gone"]) == HTTPStatus.UNAUTHORIZED,
            "the key to be revoked",
        )
        yield Guarded(api, credentials)


def _write(path: Path, *lines: api_keys.ApiKey) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))


def _status(api: ApiProcess, method: str, url: str, headers: Mapping[str, str]) -> HTTPStatus:
    """Return the status of an answer, which may be a stream that never ends; problems are documents."""
    # The first analysis waits for its workers, which takes some seconds on a busy machine.
    with api.http.stream(method, url, headers=headers, timeout=60) as response:
        status = HTTPStatus(response.status_code)
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            response.read()
            assert Problem.model_validate(response.json()).status == status
    assert status < HTTPStatus.INTERNAL_SERVER_ERROR, (method, url)
    return status


def _needs_write(method: str) -> bool:
    return method not in SAFE


def _is_admitted(status: HTTPStatus) -> bool:
    return status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED)


@pytest.mark.parametrize(("method", "url"), REQUESTS)
@pytest.mark.parametrize("who", ["nobody", "stranger", "gone"])
def test_without_a_valid_key_only_what_is_public_is_answered(
    guarded: Guarded, method: str, url: str, who: str
) -> None:
    status = _status(guarded.api, method, url, guarded.credentials[who])
    assert _is_admitted(status) if url in PUBLIC else status == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(("method", "url"), REQUESTS)
def test_who_may_read_changes_nothing(guarded: Guarded, method: str, url: str) -> None:
    status = _status(guarded.api, method, url, guarded.credentials["reader"])
    assert status == HTTPStatus.FORBIDDEN if _needs_write(method) else _is_admitted(status)


@pytest.mark.parametrize(("method", "url"), REQUESTS)
@pytest.mark.parametrize("who", ["writer", "writer by X-API-Key"])
def test_who_may_write_may_do_everything(guarded: Guarded, method: str, url: str, who: str) -> None:
    assert _is_admitted(_status(guarded.api, method, url, guarded.credentials[who]))


@pytest.mark.parametrize(("method", "url"), REQUESTS)
def test_without_a_keys_file_this_machine_may_do_everything(
    open_api: ApiProcess, method: str, url: str
) -> None:
    assert _is_admitted(_status(open_api, method, url, {}))


@pytest.mark.parametrize(("method", "url"), REQUESTS)
def test_without_a_keys_file_others_only_read(open_api: ApiProcess, method: str, url: str) -> None:
    status = _status(open_api, method, url, ELSEWHERE)
    assert status == HTTPStatus.FORBIDDEN if _needs_write(method) else _is_admitted(status)


@pytest.mark.parametrize("who", ["nobody", "stranger", "gone", "reader", "writer"])
def test_the_stream_is_for_who_may_read(guarded: Guarded, who: str) -> None:
    url, headers = f"ws{guarded.api.url.removeprefix('http')}{STREAM}", guarded.credentials[who]
    if who in ("reader", "writer"):
        with connect(url, proxy=None, additional_headers=headers) as stream:
            assert "snapshot" in str(stream.recv(timeout=10))
        return
    with pytest.raises(InvalidStatus) as refused:
        connect(url, proxy=None, additional_headers=headers)
    assert refused.value.response.status_code == HTTPStatus.UNAUTHORIZED


def test_there_are_routes_of_every_kind() -> None:
    assert ("POST", "/v1/datasets/preview") in REQUESTS
    assert {method for method, _ in REQUESTS} >= {"GET", "PUT", "POST", "DELETE"}
