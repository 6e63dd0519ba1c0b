"""What a run keeps in the temporary directory: the sockets of its database, and those that wake its readers.

Its name is new with every run, and the run holds a lock on it, which the system takes away when the process ends,
however it ends. So the next run knows which directories nobody needs any more.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from services.common.errors import FatalError

PREFIX = "pairstream-up-"


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
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if path.lstat().st_uid != os.geteuid():
                continue
            lock = _locked(path)
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
