"""Health check of a container: it agrees with the service, and says why not."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from services.cli.settings_reference import SERVICES
from services.common.health_check import HTTP, problem
from tests.ports import free_port

PATHS = {name: path for name, (_, _, path) in HTTP.items()} | {"sink": "/healthz"}
VARIABLES = {name: variable for name, (variable, _, _) in HTTP.items()} | {"sink": "PAIRSTREAM_METRICS_PORT"}


class Service(BaseHTTPRequestHandler):
    """Answers 503 to all but `path`."""

    path_asked = ""

    def do_GET(self) -> None:
        well = self.path == type(self).path_asked
        self.send_response(200 if well else 503)
        self.end_headers()
        self.wfile.write(b"ok" if well else b"the broker does not answer")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Write no line for each request."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("service", PATHS)
def test_it_asks_what_the_service_answers_when_it_is_well(
    service: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"SERVICE": service, VARIABLES[service]: str(port)}
    monkeypatch.setattr(Service, "path_asked", PATHS[service])
    assert problem(environ) is None
    monkeypatch.setattr(Service, "path_asked", "")
    assert problem(environ) == f"port {port}{PATHS[service]}: 503 the broker does not answer"


def test_the_ports_are_those_of_the_settings() -> None:
    for service, (variable, default, _) in HTTP.items():
        field = variable.removeprefix("PAIRSTREAM_").lower()
        assert SERVICES[service].model_fields[field].default == default


def test_a_service_that_is_away_is_unhealthy() -> None:
    port = free_port()
    said = problem({"SERVICE": "sink", "PAIRSTREAM_METRICS_PORT": str(port)})
    assert said is not None
    assert said.startswith(f"port {port}/healthz: expected an answer within 4 s, received ConnectionRefused")


@pytest.mark.parametrize("text", ["0", "-1", "65536", "metrics"])
def test_a_port_that_is_none_is_named(text: str) -> None:
    said = problem({"SERVICE": "sink", "PAIRSTREAM_METRICS_PORT": text})
    assert said is not None
    assert said.startswith("PAIRSTREAM_METRICS_PORT: expected a port from 1 to 65535")


def test_the_command_ends_with_1_and_the_reason() -> None:
    port = free_port()
    command = [sys.executable, "-m", "services.common.health_check"]
    environ = {"SERVICE": "api", "PAIRSTREAM_API_PORT": str(port)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"port {port}/readyz: expected an answer")
