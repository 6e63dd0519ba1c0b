"""Start of ``pairstream up`` that must fail: one line with the reason and the remedy, and no process left."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from services.common.settings import PREFIX
from services.local import run_directory
from services.local.embedded_database import EmbeddedDatabase
from tests.fix_pipeline import data_directory
from tests.pipeline import Pipeline, pipeline, refused

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

SYNTHETIC = ["--feed", "synthetic"]
MOVE_AWAY = "or move it away: a new one begins empty$"


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """Make a data directory as a first start does."""
    with data_directory() as path, run_directory.made() as sockets:
        EmbeddedDatabase(path / "postgresql", sockets, lambda *_: None)
        yield path


@pytest.fixture
def copied(template: Path, data_dir: Path) -> Path:
    """Copy the template, owners and all."""
    subprocess.run(["cp", "-a", f"{template}/.", str(data_dir)], check=True)
    return data_dir


@contextmanager
def mounted(where: Path, *arguments: str) -> Iterator[None]:
    """Mount what `arguments` say; skip where that is not allowed."""
    done = subprocess.run(["mount", *arguments, str(where)], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(where)], check=True)


def control(content: bytes) -> Callable[[Path], object]:
    return lambda data: (data / "global/pg_control").write_bytes(content)


def version(content: bytes) -> Callable[[Path], object]:
    return lambda data: (data / "PG_VERSION").write_bytes(content)


def postmaster(content: bytes) -> Callable[[Path], object]:
    return lambda data: (data / "postmaster.pid").write_bytes(content)


def is_a_file(data: Path) -> None:
    subprocess.run(["rm", "-r", str(data)], check=True)
    data.touch()


def is_not_readable(data: Path) -> None:
    control_file = data / "global/pg_control"
    if os.geteuid() == 0:
        # PostgreSQL runs as a user of its own.
        os.chown(control_file, 0, 0)
    control_file.chmod(0o000 if os.geteuid() else 0o600)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(
            control(os.urandom(8192)), rf"database files are incompatible.*{MOVE_AWAY}", id="control"
        ),
        pytest.param(
            control(b""), rf"could not read file .global/pg_control.*{MOVE_AWAY}", id="control-empty"
        ),
        pytest.param(
            lambda data: (data / "global/pg_control").unlink(),
            rf"could not find the database system.*pg_control.*No such file.*{MOVE_AWAY}",
            id="control-gone",
        ),
        pytest.param(
            version(b"16\n"),
            rf"initialized by PostgreSQL version 16, .*; start the pairstream that made it, {MOVE_AWAY}",
            id="other-version",
        ),
        pytest.param(
            version(b"\xff\x00"), rf"PG_VERSION. does not contain valid data.*{MOVE_AWAY}", id="version"
        ),
        pytest.param(
            lambda data: (data / "PG_VERSION").unlink(),
            rf"other files, without PG_VERSION.*{MOVE_AWAY}",
            id="not-ours",
        ),
        pytest.param(
            postmaster(b"\xff\xfe\x00" * 30),
            r"bogus data in lock file .postmaster\.pid.*; if no other PostgreSQL works .* remove postmaster\.pid",
            id="postmaster-garbage",
        ),
        pytest.param(
            postmaster(b""),
            r"postmaster\.pid. is empty; .* remove postmaster\.pid in it$",
            id="postmaster-empty",
        ),
        pytest.param(is_a_file, "Not a directory", id="file"),
        pytest.param(
            is_not_readable, r"pg_control.*Permission denied; give the directory back", id="unreadable"
        ),
    ],
)
def test_data_that_no_server_starts_on(copied: Path, damage: Callable[[Path], object], reason: str) -> None:
    damage(copied / "postgresql")
    expected = f"the database does not start: expected the data of its PostgreSQL in {copied}/postgresql"
    # At once: a server that is started again and again is waited for for 30 s.
    refused(copied, SYNTHETIC, f"^pairstream: {expected}, received .*{reason}", within_s=30)
    assert (copied / "lock").read_bytes() == b""


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        (
            "64k",
            r"--data-dir: expected a directory that can be written, received .*: No space left on device",
        ),
        ("20m", r"the database does not start: .*could not .*; free space on its disk$"),
        # Enough for an empty server, not for a database of ours.
        ("40m", r"the database does not start: .*could not .*; free space on its disk$"),
    ],
)
def test_a_disk_that_is_full_at_the_first_start(data_dir: Path, size: str, reason: str) -> None:
    with mounted(data_dir, "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs"):
        if size == "64k":
            fill(data_dir / "others")
        refused(data_dir, SYNTHETIC, reason)
        assert not (data_dir / "postgresql.new").exists()


def test_a_disk_that_is_full_when_the_data_are_there(copied: Path) -> None:
    with data_directory() as place, mounted(place, "-t", "tmpfs", "-o", "size=60m,mode=755", "tmpfs"):
        subprocess.run(["cp", "-a", f"{copied}/.", str(place)], check=True)
        (place / "lock").write_bytes(b" " * 100)
        fill(place / "others")
        refused(place, SYNTHETIC, r"postmaster\.pid.*No space left on device; free space on its disk$")


def fill(file: Path) -> None:
    """Take all that is left of a disk."""
    with file.open("wb", buffering=0) as rest, suppress(OSError):
        while True:
            rest.write(b"x" * 4096)


def test_a_file_that_may_not_grow_is_like_a_full_disk(data_dir: Path) -> None:
    refused(data_dir, SYNTHETIC, "File too large; free space on its disk$", largest_file_bytes=1 << 20)


@pytest.mark.parametrize("part", ["", "postgresql"])
def test_a_directory_that_is_read_only(copied: Path, part: str) -> None:
    place = copied / part
    (copied / "lock").touch()
    with mounted(place, "--bind", str(place)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
        refused(copied, SYNTHETIC, rf"{copied}.*Read-only file system.*; (mend that|give the directory back)")


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere"])
def test_a_place_where_no_directory_can_be_made(data_dir: Path, place: str) -> None:
    (data_dir / "file").touch()
    reason = "a file" if place == "file" else "(Not a directory|No such file or directory): .*"
    message = (
        rf"--data-dir: expected a directory that can be written, received {data_dir / place}: {reason}; mend"
    )
    refused(data_dir / place, SYNTHETIC, message)


def test_a_lock_file_that_is_none(data_dir: Path) -> None:
    (data_dir / "lock").mkdir()
    refused(data_dir, SYNTHETIC, f"received {data_dir}: Is a directory: {data_dir}/lock; mend that or choose")


def names(prefix: str) -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob(f"{prefix}*"))


def directory_of(running: Pipeline) -> Path:
    """Return where a run keeps its sockets."""
    return Path(running.database.partition("host=")[2]).parent


def test_one_run_where_locks_reach_nobody_and_garbage_or_dead_owners_are_no_hindrance(copied: Path) -> None:
    lock = copied / "lock"
    lock.write_bytes(b"\xff\xfe\x00" * 30)
    (copied / "postgresql/postmaster.pid").write_text("99999999\n/x\n1\n5432\n/tmp\n\n 1 2\nready\n")
    if os.geteuid() == 0:
        owner = (copied / "postgresql").stat()
        os.chown(copied / "postgresql/postmaster.pid", owner.st_uid, owner.st_gid)
    with pipeline(copied, *SYNTHETIC, environ={f"{PREFIX}RATE": "1"}) as running:
        # Another inode: as on a disk where another host's lock is not seen.
        copy = copied / "copy"
        copy.write_bytes(lock.read_bytes())
        copy.replace(lock)
        in_use = rf"--data-dir: {copied} is in use by another pairstream \(process {running.process.pid}\); stop it"
        refused(copied, SYNTHETIC, in_use, says_first="watching it for 7 s to see if that run lives")
        assert running.is_healthy()
        copy.write_text("7 elsewhere 000000000001\n")
        copy.replace(lock)
        running.wait_until(lambda: running.returncode == 1, "the end of a run whose directory was taken")
        running.join()
        assert running.said(
            r"^pairstream: --data-dir: expected .* to name this run .*, received 7 elsewhere: "
        )
        running.wait_until(lambda: running.survivors() == [], "no process left")
        assert not directory_of(running).exists()


@pytest.mark.long
def test_a_killed_run_hinders_nobody_and_its_sockets_go_at_the_next_start(data_dir: Path) -> None:
    quiet = {f"{PREFIX}RATE": "1"}
    with data_directory() as other, pipeline(other, *SYNTHETIC, environ=quiet) as living:
        with pipeline(data_dir, *SYNTHETIC, environ=quiet) as killed:
            os.kill(killed.process.pid, signal.SIGKILL)
            killed.process.wait()
        assert directory_of(killed).exists()
        with pipeline(data_dir, *SYNTHETIC, environ=quiet) as again:
            assert not directory_of(killed).exists()
            assert {directory_of(living), directory_of(again)} <= names(run_directory.PREFIX)
            assert living.is_healthy()
            assert living.count("ticks") > 0
