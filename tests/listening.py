"""API and dashboard processes that run alone: no broker, no database."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

import httpx

from tests.ports import free_port
from tests.waiting import wait_until

Service = Literal["api", "ui"]
SERVICES: tuple[Service, ...] = ("api", "ui")


class Listening(NamedTuple):
    """A process that listens."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def status(self, path: str = "/healthz", within_s: float = 10) -> int:
        """Return the status of an answer, on a connection of its own."""
        with httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=within_s
        ) as client:
            return client.get(path).status_code

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


@contextmanager
def listening(
    service: Service, open_files: int = 1024, variables: Mapping[str, str] | None = None
) -> Iterator[Listening]:
    """Start a service that may have so many `open_files`, and yield it once it answers; kill it afterwards."""
    port, nowhere = free_port(), f"127.0.0.1:{free_port()}"
    environment = {
        **os.environ,
        "PAIRSTREAM_BROKERS": nowhere,
        "PAIRSTREAM_DATABASE_URL": f"postgresql://nobody@{nowhere}/nothing",
        "PAIRSTREAM_API_URL": f"http://{nowhere}",
        f"PAIRSTREAM_{service.upper()}_PORT": str(port),
        "PAIRSTREAM_API_ANALYSIS_IDLE": "1h",
        **(variables or {}),
    }
    with tempfile.NamedTemporaryFile(prefix=f"{service}-", suffix=".log") as log:
        process = subprocess.Popen(
            ["sh", "-c", f"ulimit -n {open_files} && exec {sys.executable} -m services.{service}"],
            env=environment,
            stderr=log,
        )
        running = Listening(process, port, Path(log.name))
        try:
            wait_until(lambda: _answers(running), f"{service} to answer", 60)
            yield running
        finally:
            process.kill()
            process.wait()


def limit_open_files(running: Listening, most: int) -> None:
    """Let a process open no more files than `most`, from now on."""
    _, hard = resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (most, hard))


def _answers(running: Listening) -> bool:
    assert running.process.poll() is None, running.log.read_text()
    with suppress(httpx.TransportError):
        return running.status() == httpx.codes.OK
    return False
