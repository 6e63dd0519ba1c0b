"""Run directories: those of dead runs are removed, those of live ones stay."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from services.common.errors import FatalError
from services.local import run_directory

_RUN = """
import sys
import tempfile
from services.local import run_directory
with run_directory.made() as path:
    (path / "socket").touch()
    print(path, flush=True)
    sys.stdin.read()
"""


class Run:
    """A process that holds a directory of a run."""

    def __init__(self, temporary: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _RUN],
            env={**os.environ, "TMPDIR": str(temporary)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.path = Path(self._process.stdout.readline().strip())

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate(timeout=10)

    def end(self) -> None:
        """End it as a user does."""
        self._process.communicate("", timeout=10)


def test_what_killed_runs_left_goes_at_the_next_start_and_what_live_ones_need_stays(tmp_path: Path) -> None:
    others = tmp_path / "pairstream-kafka-1"
    others.mkdir()
    first, killed, second = Run(tmp_path), Run(tmp_path), Run(tmp_path)
    killed.kill()
    assert killed.path.exists()
    third = Run(tmp_path)
    held = {first.path, second.path, third.path}
    assert set(tmp_path.iterdir()) == {others, *held}
    assert all((path / "socket").exists() for path in held)
    for run in (first, second, third):
        run.end()
    assert list(tmp_path.iterdir()) == [others]


def test_a_link_to_a_directory_of_somebody_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "file").touch()
    (tmp_path / f"{run_directory.PREFIX}link").symlink_to(mine)
    with run_directory.made() as path:
        assert path.stat().st_mode & 0o777 == 0o755
    assert (mine / "file").exists()


@pytest.mark.parametrize("before", ["opened", "locked"])
def test_a_directory_that_another_run_removed_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    removed: list[Path] = []
    make, lock = tempfile.mkdtemp, fcntl.flock

    def remove_first() -> None:
        if not removed:
            removed.extend(tmp_path.iterdir())
            removed[0].rmdir()

    def made(prefix: str) -> str:
        path = make(prefix=prefix)
        if before == "opened":
            remove_first()
        return path

    def locked(descriptor: int, how: int) -> None:
        if before == "locked":
            remove_first()
        lock(descriptor, how)

    monkeypatch.setattr(tempfile, "mkdtemp", made)
    monkeypatch.setattr(fcntl, "flock", locked)
    with run_directory.made() as path:
        assert removed != [path]
        assert path.is_dir()


def test_no_temporary_directory_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    expected = pytest.raises(FatalError, match="TMPDIR: expected a directory for temporary files, received")
    with expected, run_directory.made():
        pass


def listener(path: Path, kind: int) -> socket.socket:
    found = socket.socket(socket.AF_UNIX, kind)
    found.bind(str(path))
    if kind == socket.SOCK_STREAM:
        found.listen()
    return found


def test_leftovers_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    ended, living = process.pid, os.getpid()
    sockets: list[socket.socket] = []

    def older(name: str, kind: int | None = None, pid: int | None = None, age_s: float = 3_600) -> Path:
        path = tmp_path / name
        path.mkdir()
        if kind is not None:
            sockets.append(listener(path / ".s.PGSQL.5432", kind))
        if pid is not None:
            (path / ".s.PGSQL.5432.lock").write_text(f"{pid}\n/data\n")
        os.utime(path, (time.time() - age_s,) * 2)
        return path

    stream, datagrams = socket.SOCK_STREAM, socket.SOCK_DGRAM
    left = [
        older("pairstream-dead_db1", stream, ended),
        older("pairstream-wake-dead_wk1", datagrams),
        older("pairstream-empty_01"),
    ]
    for one in sockets:
        one.close()
    kept = [
        older("pairstream-live_db1", stream, living),
        older("pairstream-live_db2", stream),
        older("pairstream-starts_1", pid=living),
        older("pairstream-wake-live_wk1", datagrams),
        older("pairstream-young_01", age_s=60),
        older("pairstream-kafka-1"),
        older("pairstream-faust-0"),
        older("pairstream-recorded"),
    ]
    (kept[-1] / "mine.csv").touch()
    os.utime(kept[-1], (0, 0))
    with run_directory.made() as path:
        assert set(tmp_path.iterdir()) == {path, *kept}
    assert not any(one.exists() for one in left)
    for one in sockets:
        one.close()
