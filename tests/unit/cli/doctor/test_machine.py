"""Checks of the machine: what is enough, what is little, what is too little."""

import asyncio
import errno
import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from services.cli.doctor import machine
from services.cli.doctor.finding import CheckFinding
from services.common.disk_space import GB


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("total", "free", "status"),
    [
        (100 * GB, 50 * GB, "ok"),
        (100 * GB, 9 * GB, "warn"),
        (20 * GB, 4 * GB, "warn"),
        (8 * GB, 5 * GB, "ok"),
        (100 * GB, 1 * GB, "fail"),
    ],
)
def test_a_disk_has_a_tenth_and_five_gigabytes_free(
    total: int, free: int, status: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(total, total - free, free))
    found = machine.disk(tmp_path / "not" / "there" / "yet")
    assert (found.check, found.status) == ("disk", status)
    assert f"GB free at {tmp_path}" in found.found
    assert bool(found.advice) == (status != "ok")


@pytest.mark.parametrize(
    ("available", "limit", "used", "status"),
    [
        (8 * GB, None, 0, "ok"),
        (3 * GB // 2, None, 0, "warn"),
        (GB // 2, None, 0, "fail"),
        (8 * GB, GB, GB // 2, "fail"),
    ],
)
def test_memory_is_what_the_machine_and_the_container_leave(
    available: int, limit: int | None, used: int, status: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable:  {available // 1024} kB\n")
    (tmp_path / "memory.max").write_text("max\n" if limit is None else f"{limit}\n")
    (tmp_path / "memory.current").write_text(f"{used}\n")
    monkeypatch.setattr(machine, "_MEMORY_INFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    assert machine.memory().status == status


@pytest.mark.parametrize(
    ("soft", "hard", "status"),
    [(-1, -1, "ok"), (4_096, 4_096, "ok"), (1_024, 8_192, "warn"), (256, 512, "fail")],
)
def test_open_files_are_enough_or_the_command_is_named(
    soft: int, hard: int, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (soft, hard))
    found = machine.open_files()
    assert found.status == status
    assert (found.advice == "ulimit -n 4096 (the hard limit is 512)") == (hard == 512)


@contextmanager
def answering(status: int) -> Iterator[int]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def port(number: int) -> CheckFinding:
    return asyncio.run(machine.port("the API", "PAIRSTREAM_API_PORT", "127.0.0.1", number))


def test_a_port_is_free_ours_or_taken() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    assert port(free).found.endswith("is free")
    assert port(0).status == "ok"
    with answering(200) as ours:
        assert port(ours) == ("port", "ok", f"the API at 127.0.0.1:{ours}: pairstream is running there", "")
    with answering(404) as others:
        assert port(others).status == "fail"
        assert port(others).advice == "set PAIRSTREAM_API_PORT, or stop it"


def test_an_address_that_is_not_of_this_machine_is_refused() -> None:
    found = asyncio.run(machine.port("the API", "PAIRSTREAM_API_PORT", "192.0.2.1", 8_000))
    assert (found.status, found.advice) == ("fail", "set PAIRSTREAM_API_PORT")
    assert errno.errorcode[errno.EADDRNOTAVAIL] == "EADDRNOTAVAIL"
