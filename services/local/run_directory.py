"""Run directory, temporary: sockets of the database, and sockets that wake readers.

Its name is new with every run, and the run holds a lock on it, which the system takes away when the process ends,
however it ends. So the next run knows which directories nobody needs any more.
"""

import errno
import fcntl
import os
import re
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from services.common.errors import FatalError

PREFIX = "pairstream-up-"
# Directories of older versions, without a lock: one for the database, and one for wake-up sockets.
_OLDER = re.compile(r"pairstream-(wake-)?[a-z0-9_]{8}")
_DATABASE_LOCK = re.compile(r"\.s\.PGSQL\.\d+\.lock")
# A directory younger than this may belong to a run that is just starting.
_YOUNG_S = 600.0


@contextmanager
def made() -> Iterator[Path]:
    """Yield a new directory that everybody may enter, and remove it afterwards; those of killed runs go before.

    FatalError if there is no temporary directory that can be written.
    """
    try:
        _remove_left_over()
        path, lock = _made()
        # The database may run as another user.
        path.chmod(0o755)
    except OSError as error:
        raise FatalError(f"TMPDIR: expected a directory for temporary files, received {error}") from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def _made() -> tuple[Path, int]:
    """Return a directory and the descriptor that holds its lock; another run may remove it before it has that."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(BlockingIOError, FileNotFoundError):
            lock = _locked(path)
            if path.exists():
                return path, lock
            os.close(lock)


def _locked(path: Path) -> int:
    """Return a descriptor of the directory `path` that holds its lock; OSError if somebody else has it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_left_over() -> None:
    for path in Path(tempfile.gettempdir()).glob("pairstream-*"):
        is_older = _OLDER.fullmatch(path.name) is not None
        with suppress(OSError):
            if path.lstat().st_uid != os.geteuid() or not (is_older or path.name.startswith(PREFIX)):
                continue
            lock = _locked(path)
            if not (is_older and _is_lived_in(path)):
                shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def _is_lived_in(path: Path) -> bool:
    """Tell whether anybody may use a directory of an older version, or whether it is none."""
    return time.time() - path.stat().st_mtime < _YOUNG_S or any(map(_is_used, path.iterdir()))


def _is_used(file: Path) -> bool:
    """Tell whether somebody listens on a socket, or lives by the lock of a database; of other files we know nothing."""
    if stat.S_ISSOCK(file.lstat().st_mode):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
            asking.setblocking(False)
            # Of a listener of another kind the answer is another.
            return asking.connect_ex(str(file)) != errno.ECONNREFUSED
    if not _DATABASE_LOCK.fullmatch(file.name):
        return True
    try:
        os.kill(abs(int(file.read_text().split(maxsplit=1)[0])), 0)
    except (ValueError, IndexError, ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
