"""pairstream behind nginx and Caddy, as docs/proxies has them: the same files, only their ports replaced."""

import getpass
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.listening import Listening, listening
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

DOCS = Path(__file__).parents[2] / "docs" / "proxies"
DASHBOARD, API = "desk.example", "api.desk.example"
LOGIN = ("quant", "a password")
# Who asks through the proxy. It is of this machine, which nobody behind a proxy is.
CALLER = "127.0.0.7"
PREVIEWED = {"files": ("BTCUSDT.csv", b"time,close\n2024-01-01,1\n2024-01-02,1\n")}
LIES: dict[str, dict[str, str]] = {
    "nothing": {},
    "X-Forwarded-For": {"X-Forwarded-For": "127.0.0.1"},
    "an empty one": {"X-Forwarded-For": ""},
    "Forwarded": {"Forwarded": "for=127.0.0.1;proto=http"},
    "X-Real-IP": {"X-Real-IP": "127.0.0.1"},
    "Connection": {"Connection": "close, X-Forwarded-For"},
    "underlines": {"X_Forwarded_For": "127.0.0.1"},
}


class Desk(NamedTuple):
    """A proxy with both services behind it."""

    port: int
    certificates: ssl.SSLContext
    api: Listening

    def ask(self, host: str, method: str, path: str, **sent: object) -> httpx.Response:
        """Ask as `CALLER`; the name need not resolve."""
        transport = httpx.HTTPTransport(verify=self.certificates, local_address=CALLER)
        headers = {"Host": f"{host}:{self.port}", **sent.pop("headers", {})}  # type: ignore[dict-item]
        url = f"https://127.0.0.1:{self.port}{path}"
        with httpx.Client(transport=transport, timeout=30) as client:
            return client.request(method, url, headers=headers, extensions={"sni_hostname": host}, **sent)  # type: ignore[arg-type]

    def stream(self, host: str, path: str, origin: str, headers: dict[str, str]) -> ClientConnection:
        sock = socket.create_connection(("127.0.0.1", self.port), source_address=(CALLER, 0))
        return connect(
            f"wss://{host}:{self.port}{path}",
            sock=sock,
            ssl=self.certificates,
            origin=Origin(origin),
            additional_headers=headers,
            proxy=None,
        )


def nginx(directory: Path, configuration: str = "nginx.conf") -> tuple[list[str], dict[str, str]]:
    """Return how nginx is started, once it has all that its configuration names."""
    said = subprocess.run(
        ["openssl", "passwd", "-apr1", LOGIN[1]], check=True, capture_output=True, text=True
    ).stdout
    (directory / "desk.example.htpasswd").write_text(f"{LOGIN[0]}:{said}")
    # Its workers are usually of a user who may read nothing of ours.
    more = f"daemon off; error_log stderr; pid {directory}/pid; user {getpass.getuser()};"
    return [
        "nginx",
        "-p",
        str(directory),
        "-c",
        str(directory / configuration),
        "-e",
        "stderr",
        "-g",
        more,
    ], {}


def caddy(directory: Path) -> tuple[list[str], dict[str, str]]:
    """Return how Caddy is started."""
    command = ["caddy", "hash-password", "--plaintext", LOGIN[1]]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    kept = {name: str(directory) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    return ["caddy", "run", "--config", "Caddyfile"], {"PAIRSTREAM_LOGIN": said.strip(), **kept}


def nginx_oauth2(directory: Path) -> tuple[list[str], dict[str, str]]:
    """Return how nginx is started that asks oauth2-proxy."""
    return nginx(directory, "nginx-oauth2.conf")


PROXIES = {"nginx.conf": nginx, "Caddyfile": caddy}
STARTS = {**PROXIES, "nginx-oauth2.conf": nginx_oauth2}


@contextmanager
def proxy(name: str, directory: Path, ports: dict[int, int]) -> Iterator[None]:
    """Run a proxy as docs/proxies has it, but for its `ports`."""
    text = (DOCS / name).read_text()
    for documented, free in ports.items():
        text, replaced = re.subn(rf"\b{documented}\b", str(free), text)
        assert replaced, f"expected the port {documented} in {name}"
    (directory / name).write_text(text)
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += [
        "-subj",
        f"/CN={DASHBOARD}",
        "-addext",
        f"subjectAltName=DNS:{DASHBOARD},DNS:{API}",
        "-days",
        "1",
    ]
    command += ["-keyout", f"{DASHBOARD}.key", "-out", f"{DASHBOARD}.pem"]
    subprocess.run(command, check=True, capture_output=True, cwd=directory)
    started, variables = STARTS[name](directory)
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(started, cwd=directory, env={**os.environ, **variables}, stderr=log)
        try:
            wait_until(lambda: _listens(process, ports[443], directory / "log"), f"{started[0]} to listen")
            yield
        finally:
            process.terminate()
            process.wait(20)


def _listens(process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.fixture(scope="module", params=PROXIES)
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    program = PROXIES[request.param].__name__
    for needed in (program, "openssl"):
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed (apt-get install nginx-light caddy openssl)")
    if program == "nginx" and not os.access("/var/log/nginx", os.W_OK):
        pytest.skip("nginx may not write to /var/log/nginx: run this as root")
    directory = tmp_path_factory.mktemp(program)
    documented = dict(re.findall(r"(PAIRSTREAM_(?:API|UI)_[A-Z]+)=(\S+)", (DOCS / request.param).read_text()))
    assert len(documented) == 4
    with ExitStack() as stack:
        api = stack.enter_context(listening("api", variables={**documented, "PAIRSTREAM_LOG_FORMAT": "json"}))
        documented["PAIRSTREAM_API_URL"] = f"http://127.0.0.1:{api.port}"
        ui = stack.enter_context(listening("ui", variables=documented))
        port = free_port()
        stack.enter_context(proxy(request.param, directory, {443: port, 8050: ui.port, 8000: api.port}))
        certificates = ssl.create_default_context(cafile=str(directory / f"{DASHBOARD}.pem"))
        yield Desk(port, certificates, api)


@pytest.mark.parametrize("lie", LIES)
def test_whoever_comes_through_it_reads_and_changes_nothing(desk: Desk, lie: str) -> None:
    headers = LIES[lie]
    assert desk.ask(API, "GET", "/v1/pairs", headers=headers).status_code == 200
    assert desk.ask(API, "DELETE", "/v1/nothing", headers=headers).status_code == 403
    preview = desk.ask(API, "POST", "/v1/datasets/preview", headers=headers, files=PREVIEWED)
    assert preview.status_code == 403
    send = desk.ask(
        DASHBOARD, "POST", "/send/v1/datasets/preview", headers=headers, files=PREVIEWED, auth=LOGIN
    )
    assert send.status_code == 403, send.text
    assert desk.ask(DASHBOARD, "GET", "/download/v1/pairs", headers=headers, auth=LOGIN).status_code == 200


def test_the_log_names_who_asked_and_not_whom_they_name(desk: Desk) -> None:
    before = len(desk.api.log.read_text())
    for headers in LIES.values():
        desk.ask(API, "DELETE", "/v1/nothing", headers=headers)

    def writes() -> list[str]:
        lines = map(json.loads, desk.api.log.read_text()[before:].splitlines())
        return [line["address"] for line in lines if line["event"] == "write"]

    wait_until(lambda: len(writes()) == len(LIES), "a line for each")
    assert set(writes()) == {CALLER}


def test_the_dashboard_asks_for_a_login(desk: Desk) -> None:
    assert desk.ask(DASHBOARD, "GET", "/").status_code == 401
    page = desk.ask(DASHBOARD, "GET", "/", auth=LOGIN)
    assert (page.status_code, "pairstream.js" in page.text) == (200, True)


def test_streams_pass_and_those_of_other_pages_do_not(desk: Desk) -> None:
    basic = httpx.BasicAuth(*LOGIN)._auth_header
    for host, path, headers in (
        (API, "/v1/stream?topics=status", {}),
        (DASHBOARD, "/_dash-ws-callback", {"Authorization": basic}),
    ):
        with desk.stream(host, path, f"https://{host}:{desk.port}", headers) as stream:
            if host == API:
                assert "snapshot" in str(stream.recv(timeout=10))
            else:
                stream.send('{"type": "heartbeat"}')
                assert "heartbeat_ack" in str(stream.recv(timeout=10))
        for origin in ("https://evil.example", f"https://{host}.evil.example:{desk.port}", "null"):
            with pytest.raises(InvalidStatus, match="403"):
                desk.stream(host, path, origin, headers)


def test_events_are_passed_on_as_they_come(desk: Desk) -> None:
    transport = httpx.HTTPTransport(verify=desk.certificates, local_address=CALLER)
    url = f"https://127.0.0.1:{desk.port}/v1/events?topics=status"
    with (
        httpx.Client(transport=transport, timeout=10) as client,
        client.stream(
            "GET", url, headers={"Host": f"{API}:{desk.port}"}, extensions={"sni_hostname": API}
        ) as answer,
    ):
        assert answer.status_code == 200
        assert next(line for line in answer.iter_lines() if line.startswith("event:")) == "event: snapshot"
