"""Owner of the data directory: one run, with file locks and without."""

import asyncio
import errno
import fcntl
import os
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import FatalError
from services.local import data_directory
from services.local.data_directory import held


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_directory, "BEAT_S", 0.02)
    monkeypatch.setattr(data_directory, "WATCH_S", 0.3)
    monkeypatch.setattr(data_directory, "_SETTLE_S", 0.01)


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a disk that refuses file locks."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in a loop of its own."""

    @wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run


async def beaten(lock: Path, name: str, until: Callable[[], Awaitable[None]]) -> None:
    """Change a lock file as a live run of `name` does, until `until` returns."""

    ended = threading.Event()

    descriptor, beats = os.open(lock, os.O_WRONLY | os.O_CREAT), count()

    def say() -> None:
        os.pwrite(descriptor, f"{name} {next(beats):012d}\n".encode(), 0)

    def beat() -> None:
        while not ended.wait(0.01):
            say()

    say()
    beating = threading.Thread(target=beat)
    beating.start()
    try:
        await until()
    finally:
        ended.set()
        beating.join()
        os.close(descriptor)


def refusal(message: str) -> Any:
    return pytest.raises(FatalError, match=re.escape(message))


async def ends(directory: Path, lose: Callable[[Path], object]) -> str:
    """Hold a directory, lose its lock file, and return what the run ends with."""
    try:
        async with held(directory) as mine:
            lose(directory / "lock")
            await mine.confirm()
            await asyncio.wait_for(asyncio.Event().wait(), 10)
    except ExceptionGroup as group:
        return str(group.exceptions[0])
    raise AssertionError("expected the run to end")


def taken(lock: Path) -> None:
    lock.write_text("7 elsewhere 000000000001\n")


def taken_later(lock: Path) -> None:
    """Take the file after the run has looked whether it is alone, and go on writing to it as a run does."""
    loop = asyncio.get_running_loop()

    def write() -> None:
        if lock.exists():
            taken(lock)
            loop.call_later(0.005, write)

    loop.call_later(0.05, write)


@in_loop
async def test_a_second_run_is_refused_with_the_process_of_the_first(tmp_path: Path) -> None:
    async with held(tmp_path) as directory:
        await directory.confirm()
        with refusal(f"{tmp_path} is in use by another pairstream (process {os.getpid()}); stop it or"):
            async with held(tmp_path):
                pass
    assert (tmp_path / "lock").read_bytes() == b""


@pytest.mark.parametrize(
    "left",
    [
        b"",
        b"\xff\xfe\x00" * 30,
        b"999999999\n",
        b"999999999999999999999 %s 1\n",
        b"no name",
        b"1 elsewhere 7\n",
    ],
)
@in_loop
async def test_whatever_a_run_left_that_is_gone_does_not_stop_the_next(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "lock").write_bytes(left.replace(b"%s", socket.gethostname().encode()))
    async with held(tmp_path) as directory:
        await directory.confirm()
        said = (tmp_path / "lock").read_text()
        assert said.startswith(f"{os.getpid()} {socket.gethostname()} ")


@in_loop
async def test_a_run_on_another_host_is_seen_by_its_beats(tmp_path: Path) -> None:
    async def second() -> None:
        with refusal(f"{tmp_path} is in use by another pairstream (process 99999999 on elsewhere)"):
            async with held(tmp_path):
                pass

    # Here that process would be known to have ended.
    await beaten(tmp_path / "lock", "99999999 elsewhere", second)


@pytest.mark.usefixtures("no_locks")
@in_loop
async def test_where_locks_are_refused_a_run_on_this_host_is_seen_by_its_beats(tmp_path: Path) -> None:
    async def second() -> None:
        with refusal(f"{tmp_path} is in use by another pairstream (process {os.getppid()});"):
            async with held(tmp_path):
                pass

    await beaten(tmp_path / "lock", f"{os.getppid()} {socket.gethostname()}", second)
    async with held(tmp_path) as directory:
        await directory.confirm()


@pytest.mark.usefixtures("no_locks")
@in_loop
async def test_of_two_that_begin_at_the_same_moment_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_directory, "BEAT_S", 60)
    reason = await ends(tmp_path, taken)
    assert "received 7 elsewhere: another pairstream took the directory" in reason
    # It leaves the other's name.
    assert (tmp_path / "lock").read_text().startswith("7 elsewhere")


@pytest.mark.parametrize(
    ("lose", "received"), [(taken_later, "received 7 elsewhere"), (Path.unlink, "received nobody")]
)
@in_loop
async def test_a_run_ends_at_once_when_the_directory_is_not_its_own_any_more(
    tmp_path: Path, lose: Callable[[Path], object], received: str
) -> None:
    reason = await ends(tmp_path, lose)
    assert f"expected {tmp_path}/lock to name this run ({os.getpid()} " in reason
    assert received in reason


@in_loop
async def test_what_is_no_directory_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with refusal(f"--data-dir: expected a directory that can be written, received {file}: a file; "):
        async with held(file):
            pass
    with refusal("--data-dir: expected a directory that can be written, received /proc/nowhere: "):
        async with held(Path("/proc/nowhere")):
            pass


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")))
def test_any_lock_file_names_somebody_in_one_line_or_nobody(said: bytes) -> None:
    owner = data_directory._owner(said)
    assert len(owner.splitlines()) <= 1
    if owner:
        assert owner.split()[0].isdecimal()
        data_directory._has_ended(owner)
