"""What runs keep in the temporary directory: nobody's stays, a live run's always does."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
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
