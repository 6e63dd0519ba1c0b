"""compose.yaml in containers: `make compose` runs these tests, in order, on one stack; `make test` does not.

The images of `make images`, podman-compose and a replay: every trade goes through all containers while they are killed
and scaled, and in the end the store has each once.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from playwright.sync_api import HttpCredentials, expect, sync_playwright

from tests import compose
from tests.e2e.stage import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.fixtures.recorded_frames import SYMBOLS, recording
from tests.images import engine
from tests.pipeline import recorded_trades
from tests.ports import free_port
from tests.waiting import wait_until

RECORDED_S = 900
PAIR = "ETHUSDT-BTCUSDT"
PATIENCE_S = 300
SERVICES = ("ingest", "stream_analytics", "sink", "api", "ui")
pytestmark = pytest.mark.skipif(engine.missing() is not None, reason=str(engine.missing()))


class Stack:
    """The services of compose.yaml on a replay, by podman-compose."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        shutil.copy(compose.ROOT / ".env.example", directory / ".env.example")
        made = subprocess.run(
            ["sh", compose.ROOT / "ops/compose/secrets.sh"],
            cwd=directory,
            check=True,
            capture_output=True,
            text=True,
        )
        self.login = made.stdout.split()[-2:]
        self.key = (directory / "secrets/page_key").read_text()
        self.api, self.ui = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self.recorded = directory / "recording.txt"
        self.recorded.write_text("".join(recording(RECORDED_S)), encoding="ascii")
        self.environ = {
            **engine.environment(),
            "SECRETS_DIRECTORY": str(directory / "secrets"),
            "API_PORT": self.api.rpartition(":")[2],
            "UI_PORT": self.ui.rpartition(":")[2],
            "COMPOSE_PROJECT_NAME": "pairstream",
        }

    def _override(self) -> dict[str, Any]:
        pairs = {"PAIRSTREAM_SYMBOLS": ",".join(SYMBOLS), "PAIRSTREAM_PAIRS": f"{PAIR},SOLUSDT-ETHUSDT"}
        feed = {
            "PAIRSTREAM_FEED": "replay",
            "PAIRSTREAM_REPLAY_FILE": "/recording.txt",
            "PAIRSTREAM_SPEED": "5",
        }
        soon = {"PAIRSTREAM_MIN_SAMPLES": "5", "PAIRSTREAM_ENTRY_Z": "1.5"}
        return {
            "services": {
                "ingest": {"environment": pairs | feed, "volumes": [f"{self.recorded}:/recording.txt:ro"]},
                "stream_analytics": {"environment": pairs | soon},
                "api": {"environment": pairs | soon},
            }
        }

    def up(self, **scale: int) -> None:
        """Bring all services up, with so many of each; podman-compose knows `--scale` of one service only."""
        content = self._override()
        for service, count in scale.items():
            content["services"].setdefault(service, {})["scale"] = count
        override = self.directory / "override.yaml"
        override.write_text(yaml.safe_dump(content), encoding="utf-8")
        files = ["-f", str(compose.FILE), "-f", str(override)]
        engine.run("nice", "podman-compose", *files, "up", "--detach", "--no-build", env=self.environ)

    def podman(self, *arguments: str, check: bool = True) -> str:
        return engine.run("podman", *arguments, check=check, env=self.environ).stdout.strip()

    def containers(self, service: str) -> list[str]:
        """Return the names of the running containers of a service."""
        names = self.podman(
            "ps", "--format={{.Names}}", f"--filter=label=com.docker.compose.service={service}"
        )
        return sorted(names.split())

    def run_in(self, container: str, script: str) -> subprocess.CompletedProcess[str]:
        return engine.run("podman", "exec", container, "sh", "-c", script, check=False, env=self.environ)

    def is_healthy(self, container: str) -> bool:
        return (
            engine.run("podman", "healthcheck", "run", container, check=False, env=self.environ).returncode
            == 0
        )

    def get(self, path: str) -> Any:
        answer = httpx.get(f"{self.api}{path}", headers={"X-API-Key": self.key}, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def stored_ticks(self, symbol: str) -> list[int]:
        """Return the ids of all ticks of a symbol in the database, in order."""
        query = f"SELECT trade_id FROM ticks WHERE symbol = '{symbol}' ORDER BY trade_id"  # noqa: S608
        url = (
            "PGPASSWORD=$(cat /run/secrets/database_password) psql -h 127.0.0.1 -U pairstream -At pairstream"
        )
        (database,) = self.containers("timescale")
        return [int(line) for line in self.run_in(database, f'{url} -c "{query}"').stdout.split()]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    directory = tmp_path_factory.mktemp("stack")
    for parent in (directory, *directory.parents[:2]):
        parent.chmod(0o755)
    running = Stack(directory)
    began = time.monotonic()
    try:
        running.up()
        wait_until(lambda: bool(signals(running)), "a first signal", PATIENCE_S)
        print(f"from nothing to the first signal: {time.monotonic() - began:.0f} s")  # noqa: T201
        yield running
    finally:
        (directory / "logs.txt").write_text(
            "".join(
                f"{name}\n{running.podman('logs', '--tail=200', name, check=False)}\n"
                for name in running.podman("ps", "--all", "--format={{.Names}}", check=False).split()
            )
        )
        if not os.environ.get("PAIRSTREAM_TEST_KEEP"):
            running.podman("rm", "--all", "--force", "--time=1", check=False)
            running.podman("volume", "rm", "--all", "--force", check=False)
            running.podman("network", "prune", "--force", check=False)


def signals(stack: Stack) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = stack.get(f"/v1/pairs/{PAIR}/signals?limit=5")["data"]
    except httpx.HTTPError:
        return []
    return [signal for signal in found if signal["zscore"] is not None]


def instances(stack: Stack, service: str) -> int:
    """Return how many running processes of a service the status names."""
    try:
        services = stack.get("/v1/status")["services"]
    except httpx.HTTPError:
        return 0
    found = next(one for one in services if one["service"] == service)
    return sum(one["state"] in ("running", "finished") for one in found["instances"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_healthy(service: str, stack: Stack) -> None:
    (container,) = stack.containers(service)
    wait_until(lambda: stack.is_healthy(container), f"{service} is healthy", PATIENCE_S)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_do_no_harm(service: str, stack: Stack) -> None:
    (container,) = stack.containers(service)
    assert stack.run_in(container, "id -u").stdout == "10001\n"
    status = stack.run_in(container, "cat /proc/1/status").stdout
    assert "CapEff:\t0000000000000000\n" in status
    assert "NoNewPrivs:\t1\n" in status
    for directory in ("/app", "/", "/etc", "/var/lib"):
        assert "Read-only file system" in stack.run_in(container, f"touch {directory}/x").stderr
    assert stack.run_in(container, "touch /tmp/x").returncode == 0
    for tool in ("pip", "uv", "gcc", "cc"):
        assert stack.run_in(container, f"command -v {tool}").returncode != 0
    assert stack.run_in(container, "python -c 'import pip'").returncode != 0
    limit = compose.own_services()[service]["mem_limit"]
    host = json.loads(stack.podman("inspect", container))[0]["HostConfig"]
    assert host["Memory"] == int(limit[:-1]) << {"m": 20, "g": 30}[limit[-1]]


def test_beyond_its_memory_a_container_is_killed(stack: Stack) -> None:
    image = json.loads(stack.podman("inspect", *stack.containers("sink")))[0]["ImageName"]
    hungry = ["python", "-c", "x = b'1' * 300_000_000"]
    options = ["--rm", "--network=none", "--memory=64m", "--memory-swap=64m", "--health-interval=disable"]
    done = engine.run("podman", "run", *options, image, *hungry, check=False, env=stack.environ)
    assert done.returncode == 137


def test_the_api_wants_a_key_and_the_page_a_login(stack: Stack) -> None:
    assert httpx.get(f"{stack.api}/v1/status", timeout=30).status_code == 401
    assert httpx.get(stack.ui, timeout=30).status_code == 401
    assert httpx.get(stack.ui, auth=(stack.login[0], stack.login[1]), timeout=30).status_code == 200


def test_broker_and_database_cannot_be_reached_from_the_page(stack: Stack) -> None:
    (container,) = stack.containers("ui")
    reach = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"
    for host, port in (("redpanda-0", 9092), ("timescale", 5432)):
        assert stack.run_in(container, f'python -c "{reach}" {host} {port}').returncode != 0
    assert stack.run_in(container, f'python -c "{reach}" proxy 8000').returncode == 0


def test_the_schemas_are_registered(stack: Stack) -> None:
    (broker,) = stack.containers("redpanda-0")
    assert "signals-value" in json.loads(
        stack.run_in(broker, "curl -s http://127.0.0.1:8081/subjects").stdout
    )


@pytest.mark.parametrize("service", ["sink", "stream_analytics", "ingest"])
def test_a_killed_service_comes_back(service: str, stack: Stack) -> None:
    (container,) = stack.containers(service)
    before = json.loads(stack.podman("inspect", container))[0]["State"]["Pid"]
    subprocess.run(["kill", "-9", str(before)], check=True)

    def is_back() -> bool:
        state = json.loads(stack.podman("inspect", container))[0]["State"]
        return bool(state["Running"]) and state["Pid"] not in (0, before) and stack.is_healthy(container)

    wait_until(is_back, f"{service} is back", PATIENCE_S)


def test_services_scale_and_each_instance_is_seen(stack: Stack) -> None:
    wanted = {"stream_analytics": 3, "sink": 2, "api": 2}
    stack.up(**wanted)
    for service, count in wanted.items():
        seen = partial(lambda name, n: instances(stack, name) == n, service, count)
        wait_until(seen, f"{count} instances of {service} in the status", PATIENCE_S)
        assert len(stack.containers(service)) == count


def test_one_address_stands_for_all_apis(stack: Stack) -> None:
    """One of two is ended: the requests meanwhile are answered all the same."""
    first, second = stack.containers("api")
    for one in (first, second):
        wait_until(partial(stack.is_healthy, one), f"{one} is healthy", PATIENCE_S)
    stack.podman("stop", "--time=10", first)
    assert [httpx.get(f"{stack.api}/healthz", timeout=30).status_code for _ in range(20)] == [200] * 20


def test_every_trade_of_the_replay_is_stored_once(stack: Stack) -> None:
    trades = recorded_trades(stack.recorded, set(SYMBOLS))
    for symbol in SYMBOLS:
        ids = sorted(trade.trade_id for trade in trades if trade.symbol == symbol)
        stored = partial(lambda name, all_: stack.stored_ticks(name) == all_, symbol, ids)
        wait_until(stored, f"{len(ids)} ticks of {symbol}", 600)


def test_an_alert_fires(stack: Stack) -> None:
    wait_until(lambda: bool(stack.get("/v1/alerts?limit=1")["data"]), "an alert", PATIENCE_S)


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing (apt install chromium)")
def test_the_page_shows_the_pair(stack: Stack) -> None:
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        login = HttpCredentials(username=stack.login[0], password=stack.login[1])
        context = browser.new_context(http_credentials=login, viewport={"width": 1400, "height": 900})
        page = context.new_page()
        page.goto(f"{stack.ui}/pairs?pair={PAIR}")
        for says in ("REPLAY", "Connected"):
            expect(page.get_by_role("status").filter(has_text=says)).to_be_visible()
        expect(page.get_by_role("heading", name=PAIR)).to_be_visible()
        page.screenshot(path=str(stack.directory / "page.png"))
        browser.close()
