"""Writer of recordings, in the format that ``reader`` reads."""

import contextlib
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

from services.common import clock
from services.common.errors import FatalError


class RecordingWriter:
    """Writes frames as lines, each of them whole, and counts frames and bytes."""

    def __init__(self, path: Path, file: IO[bytes] | gzip.GzipFile) -> None:
        """`path` is for messages."""
        self._path = path
        self._file = file
        self.frames = 0
        self.bytes = 0

    def connection(self, url: str, at_us: int) -> None:
        """Write that a connection was opened."""
        self._write(f"{url} <-> {_seconds(at_us)}\n".encode())

    def frame(self, raw: bytes, received_us: int) -> None:
        """Write a frame as it came, but on one line: in JSON a line end is never more than white space."""
        if b"\n" in raw or b"\r" in raw:
            raw = raw.replace(b"\n", b" ").replace(b"\r", b" ")
        self._write(b"%b: %b\n" % (_seconds(received_us).encode(), raw))
        self.frames += 1

    def flush(self) -> None:
        """Hand what was written to the system, so that a crash does not take it."""
        with _writing(self._path):
            self._file.flush()

    def _write(self, line: bytes) -> None:
        with _writing(self._path):
            self._file.write(line)
        self.bytes += len(line)


def require_new(path: Path) -> None:
    """Raise FatalError if there is a file already."""
    if path.exists():
        raise FatalError(f"{path}: expected a new file, but it exists; nothing was written")


@contextlib.contextmanager
def create(path: Path, replace: bool = False) -> Iterator[RecordingWriter]:
    """Yield a writer of a new file, packed if the name ends in ``.gz``; without a frame in it, it is removed.

    FatalError if it cannot be written, or if it is there and `replace` is false.
    """
    if not replace:
        require_new(path)
    mode: Literal["wb", "xb"] = "wb" if replace else "xb"
    with _writing(path):
        file = gzip.open(path, mode) if path.suffix == ".gz" else path.open(mode)  # noqa: SIM115
    writer = RecordingWriter(path, file)
    try:
        yield writer
    finally:
        # A full disk may show only now.
        with _writing(path):
            file.close()
            if not writer.frames and path.is_file():
                path.unlink()


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FatalError(f"{path}: expected to write to it, received: {error.strerror}") from error


def _seconds(us: int) -> str:
    return f"{us // clock.SECOND}.{us % clock.SECOND:06d}"
