"""Listeners of the API and the dashboard on real sockets: too many connections, and rebound names."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.listening import SERVICES, Listening, Service, limit_open_files, listening
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

STREAMS = {"api": "/v1/stream?topics=status", "ui": "/_dash-ws-callback"}
OPEN_FILES = 256
SAID_AT_MOST = 20
"""Lines of the log that are ours, while nobody is there whom the service would ask."""


def be_idle(stack: ExitStack, running: Listening, count: int) -> None:
    """Connect so often and say nothing; who is not accepted yet waits in the kernel."""
    for _ in range(count):
        stack.enter_context(socket.create_connection(("127.0.0.1", running.port), 20))


def said(running: Listening) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in running.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "connections not served"]


def short(running: Listening, before: int) -> None:
    """Return if the log has not grown by more than some words about connections."""
    text = running.log.read_text()[before:]
    assert "out of system resource" not in text
    assert len(said(running)) <= SAID_AT_MOST
    assert len(text) < 50_000, text[-2000:]


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest) -> Service:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def running(service: Service) -> Iterator[Listening]:
    with listening(service, OPEN_FILES, {"PAIRSTREAM_LOG_FORMAT": "json"}) as process:
        yield process


def test_idle_sockets_keep_nobody_out(running: Listening) -> None:
    before = len(running.log.read_text())
    with ExitStack() as stack:
        be_idle(stack, running, 600)
        for _ in range(3):
            assert running.status() == 200
        assert running.open_files() < OPEN_FILES
    wait_until(lambda: bool(said(running)), "a line that says so")
    assert running.status() == 200
    short(running, before)


def test_where_nothing_more_may_be_opened_it_goes_on_and_recovers(running: Listening) -> None:
    before, most = len(running.log.read_text()), running.open_files() + 10
    limit_open_files(running, most)
    with ExitStack() as stack:
        be_idle(stack, running, 60)
        for _ in range(3):
            assert running.status() == 200
        wait_until(lambda: "EMFILE" in running.log.read_text()[before:], "a line that says why")
    assert running.process.poll() is None
    limit_open_files(running, OPEN_FILES)
    assert running.status() == 200
    short(running, before)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example"])
def test_a_rebound_name_gets_no_stream(service: Service, running: Listening, host: str) -> None:
    for name, refused in ((host, True), ("127.0.0.1", False)):
        sock = socket.create_connection(("127.0.0.1", running.port))
        url = f"{name}:{running.port}"
        with ExitStack() as stack:
            if refused:
                stack.enter_context(pytest.raises(InvalidStatus, match="403"))
            stack.enter_context(
                connect(
                    f"ws://{url}{STREAMS[service]}", sock=sock, origin=Origin(f"http://{url}"), proxy=None
                )
            )


@pytest.mark.parametrize(
    "target",
    ["http://evil.example/healthz", "//evil.example/healthz", "/../metrics", "/%2e%2e/metrics", "*", "x"],
)
def test_a_target_that_is_no_path_of_ours_is_not_found(running: Listening, target: str) -> None:
    with socket.create_connection(("127.0.0.1", running.port), 10) as asked:
        asked.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        assert asked.makefile("rb").readline().split()[1] in (b"400", b"404")


def test_the_dashboard_passes_on_what_this_machine_may_do_to_nobody_else() -> None:
    with (
        listening("api") as api,
        listening("ui", variables={"PAIRSTREAM_API_URL": f"http://127.0.0.1:{api.port}"}) as dashboard,
        httpx.Client(base_url=f"http://127.0.0.1:{dashboard.port}", trust_env=False, timeout=30) as browser,
    ):
        files = {"files": ("BTCUSDT.csv", b"time,close\n2024-01-01,1\n2024-01-02,1\n")}
        for headers, status in (({}, 200), ({"X-Forwarded-For": "127.0.0.1"}, 403), ({"Via": "1.1 x"}, 403)):
            answer = browser.post("/send/v1/datasets/preview", files=files, headers=headers)
            assert answer.status_code == status, answer.text
            assert browser.get("/download/v1/pairs", headers=headers).status_code == 200
