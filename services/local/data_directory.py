"""Data directory, held by one run: by a file lock, and by a name in that file where locks do not work.

On a network disk a lock may be refused, or may reach no other host. So the file ``lock`` says who runs, and its owner
changes it every `BEAT_S`. Whoever finds another's name there, and cannot tell that its process has ended, looks for
`WATCH_S` whether the file changes. A run that finds another's name in place of its own ends at once.
"""

import asyncio
import fcntl
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from services.common.cancellation import TaskGroup
from services.common.errors import FatalError

BEAT_S = 2.0
WATCH_S = 7.0
# Time that two runs which start at one moment may take to write their names.
_SETTLE_S = 0.5

log = structlog.get_logger()


class DataDirectory:
    """A directory that is this run's; see ``held``."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock = path / "lock"
        self._name = f"{os.getpid()} {socket.gethostname()}"
        self._beats = 0
        self._taken_s = 0.0

    async def confirm(self) -> None:
        """Return if no other run has started at the same moment; FatalError otherwise."""
        await asyncio.sleep(self._taken_s + _SETTLE_S - asyncio.get_running_loop().time())
        await asyncio.to_thread(self._require_ours)

    async def take(self) -> None:
        """Write our name; FatalError if another run is there."""
        said = self._said()
        if (owner := _owner(said)) and not _has_ended(owner):
            log.warning(
                f"{self.path} has the name of {_who(owner)}: watching it for {WATCH_S:g} s to see if that run lives"
            )
            await asyncio.sleep(WATCH_S)
            if self._said() != said:
                raise _in_use(self.path, owner)
        self._log_line()
        self._taken_s = asyncio.get_running_loop().time()

    async def beat(self) -> None:
        """Write our name every `BEAT_S`, until cancelled; FatalError if another run has the directory."""
        while True:
            await asyncio.sleep(BEAT_S)
            await asyncio.to_thread(self._require_ours)
            try:
                await asyncio.to_thread(self._log_line)
            except OSError as error:
                log.warning("other hosts cannot see that the data directory is in use", reason=str(error))

    def leave(self) -> None:
        """Take our name away."""
        with suppress(OSError):
            if _owner(self._said()) == self._name:
                self._lock.write_bytes(b"")

    def _require_ours(self) -> None:
        try:
            owner = _owner(self._said())
        except FileNotFoundError:
            owner = "nobody"
        except OSError as error:
            log.warning("the owner of the data directory cannot be read", reason=str(error))
            return
        if owner != self._name:
            raise FatalError(
                f"--data-dir: expected {self._lock} to name this run ({self._name}), received {owner or 'nothing'}: "
                "another pairstream took the directory, or the file was removed"
            )

    def _said(self) -> bytes:
        return self._lock.read_bytes()

    def _log_line(self) -> None:
        self._beats += 1
        # Always as long, and in its place: a full disk is no hindrance.
        with self._lock.open("r+b") as file:
            file.write(f"{self._name} {self._beats:012d}\n".encode())
            file.truncate()
            os.fsync(file.fileno())


@asynccontextmanager
async def held(path: Path) -> AsyncIterator[DataDirectory]:
    """Make the directory, and hold it for this run alone meanwhile; FatalError, with the owner, if another has it."""
    lock = _opened(path)
    try:
        _require_lock(path, lock)
        directory = DataDirectory(path)
        try:
            await directory.take()
        except OSError as error:
            raise _unfit(path, f"{error.strerror}: {path / 'lock'}") from error
        try:
            async with TaskGroup() as tasks:
                beating = tasks.create_task(directory.beat())
                try:
                    yield directory
                finally:
                    beating.cancel()
        finally:
            directory.leave()
    finally:
        os.close(lock)


def _opened(path: Path) -> int:
    """Return a descriptor of the lock file in `path`; both are made if they are not there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        return os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except FileExistsError:
        raise _unfit(path, "a file") from None
    except OSError as error:
        raise _unfit(path, f"{error.strerror}: {error.filename}") from error


def _require_lock(path: Path, lock: int) -> None:
    """Take the file lock; FatalError if another has it. Where there are no locks the name in the file must do."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _in_use(path, _owner(os.pread(lock, 1_000, 0))) from None
    except OSError as error:
        log.warning("no file locks here: the name in the file lock keeps others out", reason=error.strerror)


def _owner(said: bytes) -> str:
    """Return process and host of who wrote a lock file, nothing if it is no name of ours."""
    words = said.decode(errors="replace").split()
    if not words or not words[0].isdecimal():
        return ""
    return " ".join(words[:2])


def _who(owner: str) -> str:
    number, _, host = owner.partition(" ")
    return f"process {number}{f' on {host}' if host and host != socket.gethostname() else ''}"


def _has_ended(owner: str) -> bool:
    """Tell whether the process of `owner` is known to be gone: only of this host that can be known."""
    number, _, host = owner.partition(" ")
    if host != socket.gethostname():
        # Without a host it is of a time when the lock was all there was, and that is ours.
        return not host
    if int(number) == os.getpid():
        return True
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass
    return False


def _in_use(path: Path, owner: str) -> FatalError:
    """Return what to say to the second run on a directory."""
    return FatalError(
        f"--data-dir: {path} is in use by another pairstream ({_who(owner) if owner else 'process unknown'}); "
        "stop it or choose another directory"
    )


def _unfit(path: Path, received: str) -> FatalError:
    return FatalError(
        f"--data-dir: expected a directory that can be written, received {path}: {received}; "
        "mend that or choose another directory"
    )
