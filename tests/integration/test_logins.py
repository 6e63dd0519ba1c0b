"""Logins before the dashboard: nginx as docs/proxies has it, a fake oauth2-proxy, and what each role may do."""

import json
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from services.api.security import api_keys
from services.common.http.identity import HEADER, Person, sign
from tests.integration.test_proxies import CALLER, DASHBOARD, PREVIEWED, Desk, proxy
from tests.listening import listening
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

KEY = "a-key-for-tests-that-is-long-enough-to-be-one"
GROUPS = {"alice": "staff,operators", "bob": "staff", "operators": ""}
FORGED = {"X-Forwarded-User": "root", "X-Forwarded-Groups": "operators", "Forwarded": "for=127.0.0.1"}


class _FakeOauth2Proxy(BaseHTTPRequestHandler):
    """Answers as ``/oauth2/auth`` does: 202 with who it is by the cookie, 401 without."""

    def do_GET(self) -> None:
        name = self.headers.get("Cookie", "").removeprefix("_oauth2_proxy=")
        self.send_response(202 if name in GROUPS else 401)
        if name in GROUPS:
            self.send_header("X-Auth-Request-Email", f"{name}@desk.example")
            if GROUPS[name]:
                self.send_header("X-Auth-Request-Groups", GROUPS[name])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Write no line for each request."""


class Logins(NamedTuple):
    """The proxy with the dashboard behind it, and the ports of what should be reached through it alone."""

    desk: Desk
    ui: int
    page_key: str

    def ask(self, who: str | None, method: str, path: str, **sent: object) -> httpx.Response:
        headers: dict[str, str] = sent.pop("headers", {})  # type: ignore[assignment]
        cookie = {} if who is None else {"Cookie": f"_oauth2_proxy={who}"}
        return self.desk.ask(DASHBOARD, method, path, headers={**headers, **cookie}, **sent)

    def ask_api(self, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
        return httpx.request(
            method,
            f"http://127.0.0.1:{self.desk.api.port}{path}",
            headers=headers,
            timeout=30,
            trust_env=False,
        )


@pytest.fixture(scope="module")
def logins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logins]:
    for needed in ("nginx", "openssl"):
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed (apt-get install nginx-light openssl)")
    directory = tmp_path_factory.mktemp("logins")
    token, key = api_keys.new("page", "read")
    (directory / "keys").write_text(f"{key}\n")
    (directory / "identity").write_text(KEY)
    fake = ThreadingHTTPServer(("127.0.0.1", 0), _FakeOauth2Proxy)
    threading.Thread(target=fake.serve_forever, daemon=True).start()
    common = {"PAIRSTREAM_IDENTITY_KEY_FILE": str(directory / "identity"), "PAIRSTREAM_LOG_FORMAT": "json"}
    with ExitStack() as stack:
        stack.callback(fake.server_close)
        stack.callback(fake.shutdown)
        api = stack.enter_context(
            listening("api", variables={**common, "PAIRSTREAM_API_KEYS_FILE": str(directory / "keys")})
        )
        page = {
            **common,
            "PAIRSTREAM_API_URL": f"http://127.0.0.1:{api.port}",
            "PAIRSTREAM_API_KEY": token,
            "PAIRSTREAM_UI_HOSTS": DASHBOARD,
            "PAIRSTREAM_UI_PROXIES": "127.0.0.1",
        }
        ui = stack.enter_context(listening("ui", variables=page))
        port = free_port()
        ports = {443: port, 8050: ui.port, 4180: fake.server_address[1]}
        stack.enter_context(proxy("nginx-oauth2.conf", directory, ports))
        certificates = ssl.create_default_context(cafile=str(directory / f"{DASHBOARD}.pem"))
        yield Logins(Desk(port, certificates, api), ui.port, token)


def preview(logins: Logins, who: str | None, **headers: str) -> httpx.Response:
    """Send a file through the page, which needs the role write of the API."""
    return logins.ask(who, "POST", "/send/v1/datasets/preview", headers=headers, files=PREVIEWED)


def test_without_a_login_there_is_no_page(logins: Logins) -> None:
    for path in ("/", "/download/v1/pairs", "/_dash-layout"):
        answer = logins.ask(None, "GET", path, headers=FORGED)
        assert (answer.status_code, answer.headers["Location"].endswith("/oauth2/sign_in")) == (302, True)
    assert preview(logins, None, **FORGED).status_code == 302


def test_an_operator_changes_things_and_is_named_in_the_log(logins: Logins) -> None:
    assert preview(logins, "alice").status_code == 200

    def callers() -> list[tuple[str, str]]:
        lines = map(json.loads, logins.desk.api.log.read_text().splitlines())
        return [(line["caller"], line["role"]) for line in lines if line["event"] == "write"]

    wait_until(lambda: ("alice@desk.example", "write") in callers(), "a line of alice")


@pytest.mark.parametrize("who", ["bob", "operators"])
def test_a_reader_sees_everything_and_changes_nothing(logins: Logins, who: str) -> None:
    assert "pairstream.js" in logins.ask(who, "GET", "/").text
    assert logins.ask(who, "GET", "/download/v1/pairs").status_code == 200
    answer = preview(logins, who, **FORGED)
    assert (answer.status_code, f"{who}@desk.example" in answer.text) == (403, True)


def test_a_tab_of_a_reader_is_pushed_to(logins: Logins) -> None:
    origin = f"https://{DASHBOARD}:{logins.desk.port}"
    cookie = {"Cookie": "_oauth2_proxy=bob"}
    with logins.desk.stream(DASHBOARD, "/_dash-ws-callback", origin, cookie) as stream:
        stream.send('{"type": "heartbeat"}')
        assert "heartbeat_ack" in str(stream.recv(timeout=20))


def test_who_reaches_the_page_past_the_proxy_gets_nothing(logins: Logins) -> None:
    address = f"http://127.0.0.1:{logins.ui}"
    transport = httpx.HTTPTransport(local_address=CALLER)
    with httpx.Client(base_url=address, transport=transport, timeout=30) as client:
        assert client.get("/", headers=FORGED).status_code == 401
        assert client.get("/healthz").status_code == 200
        assert client.post("/send/v1/datasets/preview", headers=FORGED, files=PREVIEWED).status_code == 401
    with socket.create_connection(("127.0.0.1", logins.ui), source_address=(CALLER, 0)) as sock:
        url = f"ws://127.0.0.1:{logins.ui}/_dash-ws-callback"
        origin = Origin(f"http://127.0.0.1:{logins.ui}")
        with pytest.raises(InvalidStatus, match="401"):
            connect(url, sock=sock, origin=origin, additional_headers=FORGED, proxy=None)


def test_the_page_s_own_key_changes_nothing(logins: Logins) -> None:
    answer = logins.ask_api("DELETE", "/v1/nothing", {"Authorization": f"Bearer {logins.page_key}"})
    assert answer.status_code == 403


def test_the_api_takes_a_signed_header_once_and_for_its_request(logins: Logins) -> None:
    def header(
        role: str, method: str = "DELETE", path: str = "/v1/nothing", age_s: float = 0
    ) -> dict[str, str]:
        person = Person("carol", "operator" if role == "operator" else "reader")
        return {HEADER: sign(person, method, path, KEY, time.time() - age_s)}

    good = header("operator")
    assert logins.ask_api("DELETE", "/v1/nothing", good).status_code == 404
    again = logins.ask_api("DELETE", "/v1/nothing", good)
    assert (again.status_code, again.json()["detail"].endswith("one that was used before")) == (401, True)
    assert logins.ask_api("DELETE", "/v1/nothing", header("reader")).status_code == 403
    assert logins.ask_api("DELETE", "/v1/nothing?x=1", header("operator")).status_code == 401
    assert logins.ask_api("DELETE", "/v1/nothing", header("operator", "GET")).status_code == 401
    assert logins.ask_api("DELETE", "/v1/nothing", header("operator", age_s=60)).status_code == 401
    # A header that is not good is no reason to look at a key.
    both = header("operator", age_s=60) | {"Authorization": f"Bearer {logins.page_key}"}
    assert logins.ask_api("GET", "/v1/pairs", both).status_code == 401
    assert logins.ask_api("GET", "/v1/events", header("operator", "GET", "/v1/events")).status_code == 401
