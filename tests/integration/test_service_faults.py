"""Service started alone with something wrong: one line that says what, and the exit code."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from services.common.codec import decode
from services.common.kafka.probe import require_kafka
from services.common.settings import KafkaSettings
from services.contracts.messages import Heartbeat
from services.local.supervisor import Child, ServiceCommand
from tests.broker import produce, read_all
from tests.fix_database import Postgres
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

READERS = ("sink", "api", "ingest", "stream_analytics")


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    """Serve HTTP, and return the address."""

    class Quiet(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


@pytest.fixture
def surroundings(broker: str, database_url: str) -> dict[str, str]:
    """Return settings with which every service works."""
    return {
        **os.environ,
        "PAIRSTREAM_BROKERS": broker,
        "PAIRSTREAM_DATABASE_URL": database_url,
        "PAIRSTREAM_FEED": "synthetic",
        "PAIRSTREAM_API_PORT": "0",
        "PAIRSTREAM_UI_PORT": "0",
        "PAIRSTREAM_LOG_LEVEL": "warning",
    }


@pytest.fixture
def password_url(postgres: Postgres, database_url: str) -> Iterator[str]:
    """Return the URL of a user whose password is another one."""
    rules = Path(postgres.server.pgdata, "pg_hba.conf")
    before = rules.read_text()
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute("CREATE ROLE careful SUPERUSER LOGIN PASSWORD 'right'")
        rules.write_text(f"local all careful scram-sha-256\n{before}")
        admin.execute("SELECT pg_reload_conf()")
        name, host = urlsplit(database_url).path, urlsplit(database_url).query
        yield f"postgresql://careful:wrong@{name}?{host}"
        rules.write_text(before)
        admin.execute("SELECT pg_reload_conf()")
        # The server may not have noticed yet that a killed service is gone, and keeps its temporary tables.
        admin.execute(
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE usename = 'careful'"
        )
        admin.execute("DROP ROLE careful")


def command(service: str) -> list[str]:
    return [sys.executable, "-m", f"services.{service}"]


def refused(service: str, environ: Mapping[str, str], message: str) -> None:
    """Start a service; AssertionError unless it says one line, which matches, and ends with exit code 1."""
    done = subprocess.run(
        command(service), env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 1, lines
    assert re.match(f"{service}: {message}", lines[0]), lines[0]
    assert done.returncode == 1


def make_newer(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize("service", ["sink", "api"])
def test_a_database_url_that_is_none(surroundings: dict[str, str], service: str) -> None:
    surroundings["PAIRSTREAM_DATABASE_URL"] = "postgres//me:secret@x"
    refused(service, surroundings, "PAIRSTREAM_DATABASE_URL: expected postgresql://user@host/name, .*else$")


def test_a_wrong_password(surroundings: dict[str, str], password_url: str) -> None:
    message = "PAIRSTREAM_DATABASE_URL: expected a user, password and database that .* accepts, received: .*"
    url = {"PAIRSTREAM_DATABASE_URL": password_url}
    refused("sink", surroundings | url, message + "password authentication failed")
    without = {"PAIRSTREAM_DATABASE_URL": password_url.replace(":wrong", "")}
    refused("sink", surroundings | without, message + "no password supplied")


def test_a_password_that_is_changed_while_the_sink_runs_is_waited_for(
    surroundings: dict[str, str], password_url: str, postgres: Postgres
) -> None:
    def tells(state: str, detail: str | None) -> bool:
        records = asyncio.run(read_all(surroundings["PAIRSTREAM_BROKERS"], "heartbeats"))
        beats = [decode(record.value, Heartbeat) for record in records]
        latest = max(beats, key=lambda beat: beat.at_us, default=None)
        assert process.poll() is None
        return latest is not None and (latest.state, latest.detail) == (state, detail)

    def change(password: str) -> None:
        with psycopg.connect(postgres.url, autocommit=True) as admin:
            admin.execute(f"ALTER ROLE careful PASSWORD '{password}'")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'careful'")
        # An idle sink has nothing to do with the database.
        produce(surroundings["PAIRSTREAM_BROKERS"], "ticks", [(b"{}", 0)])

    url = {"PAIRSTREAM_DATABASE_URL": password_url.replace(":wrong", ":right")}
    process = subprocess.Popen(command("sink"), env=surroundings | url)
    try:
        wait_until(lambda: tells("running", None), "the sink writes")
        change("another")
        wait_until(lambda: tells("degraded", "the database refuses the login"), "the sink says why it waits")
        change("right")
        wait_until(lambda: tells("running", None), "the sink writes again")
    finally:
        process.kill()
        process.wait()


def test_a_database_that_is_not_there(surroundings: dict[str, str]) -> None:
    surroundings["PAIRSTREAM_DATABASE_URL"] += "&dbname=nowhere"
    refused("sink", surroundings, 'PAIRSTREAM_DATABASE_URL: .* database "nowhere" does not exist')


def test_a_schema_of_tomorrow(surroundings: dict[str, str]) -> None:
    make_newer(surroundings["PAIRSTREAM_DATABASE_URL"])
    refused("sink", surroundings, "expected database schema .* or older, received 9999: .* install that one$")


@contextmanager
def serving(environ: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Run the API, and yield its address and what it says; AssertionError unless it ends well when it is told to."""
    port = free_port()
    environ = {**environ, "PAIRSTREAM_API_PORT": str(port)}
    process = subprocess.Popen(
        command("api"), env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines: list[str] = []
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{port}", lines
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
        lines += said.splitlines()
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()


def is_told(url: str, reason: str) -> bool:
    """Tell whether the API says that it is not ready for this reason."""
    try:
        answer = httpx.get(f"{url}/readyz")
    except httpx.TransportError:
        return False
    return answer.status_code == 503 and reason in answer.text and "broker" not in answer.text


@pytest.mark.parametrize("fault", ["password", "schema"])
def test_the_api_serves_what_it_can_and_says_once_what_it_cannot(
    surroundings: dict[str, str], password_url: str, fault: str
) -> None:
    if fault == "schema":
        make_newer(surroundings["PAIRSTREAM_DATABASE_URL"])
        reason, line = "9999", "received 9999"
    else:
        surroundings["PAIRSTREAM_DATABASE_URL"] = password_url
        reason, line = "the database cannot be reached", "password authentication failed"
    with serving(surroundings) as (url, lines):
        wait_until(lambda: is_told(url, reason), "the reason in /readyz")
        # It has tried again several times by the time that it has read the topics.
    assert len(lines) == 1, lines
    assert line in lines[0]


def test_a_broker_is_told_from_something_else(broker: str, caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(require_kafka(KafkaSettings(brokers=broker)))
    assert not caplog.records


@pytest.mark.parametrize("service", READERS)
def test_a_broker_address_where_something_else_answers(
    surroundings: dict[str, str], web: str, service: str
) -> None:
    surroundings["PAIRSTREAM_BROKERS"] = web
    refused(service, surroundings, f"PAIRSTREAM_BROKERS: expected a Kafka broker at {web} .*: something else")


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("ingest", "METRICS"),
        ("stream_analytics", "METRICS"),
        ("sink", "METRICS"),
        ("api", "API"),
        ("ui", "UI"),
    ],
)
def test_a_port_that_is_taken(surroundings: dict[str, str], taken_port: str, service: str, name: str) -> None:
    surroundings[f"PAIRSTREAM_{name}_PORT"] = taken_port
    refused(
        service, surroundings, f"PAIRSTREAM_{name}_PORT: expected a free port, received {taken_port} on 127"
    )


@pytest.mark.parametrize("service", ["stream_analytics", "sink", "ui"])
def test_a_metrics_directory_that_cannot_be_written(surroundings: dict[str, str], service: str) -> None:
    surroundings["PROMETHEUS_MULTIPROC_DIR"] = "/proc/nowhere"
    refused(service, surroundings, "PROMETHEUS_MULTIPROC_DIR: expected a directory that can be written, rec")


def test_the_supervisor_says_the_reason_once(surroundings: dict[str, str]) -> None:
    make_newer(surroundings["PAIRSTREAM_DATABASE_URL"])
    said: list[str] = []

    async def scene() -> None:
        child = Child(
            ServiceCommand("sink", command("sink"), surroundings), lambda _, line: said.append(line)
        )
        child.start()
        async with asyncio.timeout(60):
            while child.restarts < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await child.stop(5)
        assert child.reason.startswith("ended with exit code 1: sink: expected database schema")

    asyncio.run(scene())
    assert len(said) == 4
    assert said[0].startswith("sink: expected database schema")
    assert said[1] == "ended with exit code 1; starting it again in 0.5 s (restart 1)"
    assert said[2].startswith("ended the same way again")
    assert said[3].startswith(
        "was not running in the end: it ended with exit code 1: sink: expected database"
    )
