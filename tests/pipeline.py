"""``pairstream up`` under test: start it, ask it, end it."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
import psycopg

from services.api.service_health import SERVICES
from services.contracts.messages import Tick
from tests.waiting import wait_until

RECORDING = Path(__file__).parent / "fixtures/recorded_frames.ws.txt"


def recorded_trades(path: Path, symbols: set[str]) -> list[Tick]:
    """Return the trades in a recording, read with nothing but a JSON decoder."""
    trades = []
    for line in path.read_text().splitlines():
        if line.startswith(("ws", "http")):
            continue
        try:
            frame = msgspec.json.decode(line.partition(": ")[2])
        except msgspec.DecodeError:
            continue
        data = frame.get("data", frame) if isinstance(frame, dict) else {}
        if data.get("e") == "aggTrade" and data["s"] in symbols:
            trades.append(
                Tick(
                    venue="binance",
                    symbol=data["s"],
                    trade_id=data["a"],
                    event_us=data["T"] * 1000,
                    received_us=0,
                    price=float(data["p"]),
                    size=float(data["q"]),
                    buyer_is_maker=data["m"],
                )
            )
    return trades


class Pipeline:
    """A running ``pairstream up``."""

    def __init__(self, process: subprocess.Popen[str], data_dir: Path) -> None:
        self.process = process
        self.lines: list[str] = []
        self.api = self.dashboard = self.brokers = self.database = ""
        self._data_dir = data_dir
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line.rstrip())

    @property
    def returncode(self) -> int | None:
        """The exit code, None while it runs."""
        return self.process.poll()

    def wait_until_ready(self) -> None:
        """Wait for the line that says so, and remember the addresses in it."""
        self.wait_until(lambda: self.said("^ready ") or self.returncode is not None, "ready", within_s=120)
        ready = next((line for line in self.lines if line.startswith("ready ")), None)
        assert ready is not None, "\n".join(self.lines)
        words = dict(zip(*[iter(ready.split()[1:])] * 2, strict=True))
        self.dashboard, self.brokers, self.database = words["dashboard"], words["brokers"], words["database"]
        self.api = words["api"].removesuffix("/docs")

    def said(self, pattern: str) -> bool:
        """Tell whether any line so far matches."""
        return any(re.search(pattern, line) for line in self.lines)

    def wait_until(self, condition: Callable[[], bool], what: str, within_s: float = 30) -> None:
        """Wait for a condition, or fail with what was waited for and the last lines."""
        try:
            wait_until(condition, what, within_s)
        except AssertionError as error:
            error.add_note("\n".join(self.lines[-40:]))
            raise

    def get(self, path: str) -> Any:
        """Return the JSON of an API route."""
        return httpx.get(f"{self.api}{path}").raise_for_status().json()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the database."""
        with psycopg.connect(self.database) as connection:
            return connection.execute(query.encode()).fetchall()

    def count(self, table: str) -> int:
        """Return the number of rows in a table."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608

    def services(self) -> dict[str, Any]:
        """Return the services in the status, by name; none while the API is away."""
        try:
            return {row["service"]: row for row in self.get("/v1/status")["services"]}
        except httpx.HTTPError:
            return {}

    def counters(self, service: str) -> dict[str, int]:
        """Return a service's counters."""
        return dict(self.services()[service]["counters"])

    def is_healthy(self) -> bool:
        """Tell whether all services that beat are healthy."""
        services = self.services()
        return len(services) == len(SERVICES) and all(row["healthy"] for row in services.values())

    def pid_of(self, service: str) -> int:
        """Return the process id of a service."""
        for child in psutil.Process(self.process.pid).children():
            if {f"services.{service}", f"services.local.{service}_process"} & {*child.cmdline()}:
                return child.pid
        raise AssertionError(f"no process of {service}")

    def survivors(self) -> list[str]:
        """Return the command lines of what still runs and belongs to this pipeline."""
        mark = f"PAIRSTREAM_TEST_MARK={self._data_dir}"
        left = []
        for process in psutil.process_iter():
            try:
                if mark in (f"{k}={v}" for k, v in process.environ().items()):
                    left.append(" ".join(process.cmdline()))
            except psutil.Error:
                continue
        return left

    def join(self) -> None:
        """Wait until everything that was said has been heard."""
        self._listener.join(10)

    def stop(self) -> None:
        """End it as Ctrl-C does; within 10 s, as promised."""
        if self.returncode is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(10)


@contextmanager
def pipeline(data_dir: Path, *flags: object, environ: Mapping[str, str] | None = None) -> Iterator[Pipeline]:
    """Run ``pairstream up`` on free ports until the block ends; workers for analyses begin with the first one."""
    command = [sys.executable, "-m", "services.cli", "up", "--data-dir", str(data_dir)]
    command += ["--api-port", "0", "--ui-port", "0", *map(str, flags)]
    environment = {
        **os.environ,
        "PAIRSTREAM_TEST_MARK": str(data_dir),
        "PAIRSTREAM_API_ANALYSIS_IDLE": "1h",
        **(environ or {}),
    }
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    running = Pipeline(process, data_dir)
    try:
        running.wait_until_ready()
        yield running
        running.stop()
    finally:
        if running.returncode is None:
            process.kill()
            process.wait()
        running.join()


def refused(
    data_dir: Path,
    flags: Sequence[str],
    message: str,
    environ: Mapping[str, str] | None = None,
    says_first: str | None = None,
    largest_file_bytes: int | None = None,
    within_s: float = 60,
) -> None:
    """Run ``pairstream up``; AssertionError unless it says one line, which matches, and ends with exit code 1."""
    ports = [] if "--api-port" in flags or "--ui-port" in flags else ["--api-port", "0", "--ui-port", "0"]
    command = [sys.executable, "-m", "services.cli", "up", "--data-dir", str(data_dir), *ports, *flags]
    if largest_file_bytes is not None:
        limit = f"import os, resource, sys; limit = {largest_file_bytes}; "
        limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)); os.execv(sys.executable, sys.argv[1:])"
        command = [sys.executable, "-c", limit, *command]
    result = subprocess.run(
        command,
        env={**os.environ, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=within_s,
    )
    lines = result.stdout.strip().splitlines()
    if says_first is not None:
        assert says_first in lines.pop(0), result.stdout
    assert len(lines) == 1, lines
    assert re.search(message, lines[0]), lines[0]
    assert result.returncode == 1
