"""API keys: what each role may do, keys that come, go or are wrong, and the log of writes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from services.api.security import api_keys
from tests.api_process import NO_ROUTE, PAIR, ApiProcess, api_alone
from tests.stream_client import open_status_stream, read_to_the_end, receive
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

NAMES = {"reader": "read", "bot": "write", "leaver": "read"}


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
    command = [sys.executable, "-m", "services.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    file = tmp_path_factory.mktemp("keys") / "keys"
    made = {name: api_keys.new(name, "write" if role == "write" else "read") for name, role in NAMES.items()}
    file.write_text("".join(f"{key}\n" for _, key in made.values()), encoding="utf-8")
    with api_alone(PAIRSTREAM_API_KEYS_FILE=str(file)) as api:
        yield Locked(api, file, {name: token for name, (token, _) in made.items()})


@pytest.mark.parametrize(
    ("name", "read", "written"),
    [(None, 401, 401), ("ps_wrong", 401, 401), ("reader", 200, 403), ("bot", 200, 404)],
)
def test_a_key_opens_what_its_role_may(locked: Locked, name: str | None, read: int, written: int) -> None:
    assert locked.status("GET", "/v1/pairs", name) == read
    assert locked.status("GET", "/metrics", name) == read
    assert locked.status(*NO_ROUTE, name) == written
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
        open_status_stream(locked.api, additional_headers={"X-API-Key": token}) as by_header,
        open_status_stream(locked.api, subprotocols=["pairstream", f"key.{token}"]) as by_subprotocol,
    ):
        assert (by_header.subprotocol, by_subprotocol.subprotocol) == (None, "pairstream")
        for socket in (by_header, by_subprotocol):
            assert receive(socket)["type"] == "snapshot"
    with pytest.raises(InvalidStatus) as refused:
        open_status_stream(locked.api, subprotocols=["pairstream", "key.wrong"])
    assert refused.value.response.status_code == 401


def test_a_revoked_key_is_out_within_seconds_and_so_is_its_stream(locked: Locked) -> None:
    token = locked.tokens["leaver"]
    with (
        open_status_stream(locked.api, additional_headers={"X-API-Key": token}) as leaving,
        open_status_stream(locked.api, additional_headers={"X-API-Key": locked.tokens["reader"]}) as staying,
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
    wait_until(lambda: locked.status(*NO_ROUTE, token) == 404, "the new key to be known")
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
