"""Uploaded files opened for reading: plain, gz, and zip with one file inside, if they are whole."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from services.common.errors import FatalError

Packed = IO[bytes] | gzip.GzipFile

GZIP = b"\x1f\x8b"
ZIP = b"PK"


class FileError(FatalError):
    """Unusable file: its name, the reason, and the line, if it is in one."""

    def __init__(self, name: str, detail: str, line: int | None = None) -> None:
        super().__init__(f"{name}: {detail}" if line is None else f"{name}:{line}: {detail}")
        self.name = name
        self.detail = detail
        self.line = line


def unusable(path: Path, reason: str) -> FileError:
    """Return the one line that says why `path` cannot be used."""
    return FileError(
        str(path),
        f"expected recorded frames, ndjson ticks or the venue's aggTrades csv, plain, gz or zip, but {reason}",
    )


@contextmanager
def opened(file: IO[bytes], name: str, member: str | None = None) -> Iterator[Packed]:
    """Yield the bytes inside `file`, told by its content; FileError if they cannot be read, even halfway.

    `member` is the file in a zip that is meant, which has one without it.
    """
    try:
        with _inside(file, name, member) as stream:
            yield stream
    except EOFError as error:
        raise FileError(
            name, "expected a whole file, but it is truncated: the packed data end too early"
        ) from error
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise FileError(name, f"expected a whole file, but the packed data are damaged: {error}") from error


@contextmanager
def _inside(file: IO[bytes], name: str, member: str | None = None) -> Iterator[Packed]:
    file.seek(0)
    magic = file.read(2)
    file.seek(0)
    if magic == ZIP:
        with zipfile.ZipFile(file) as folder:
            found = only_member(folder, name) if member is None else _unpacked(folder, folder.getinfo(member))
            with found as stream:
                # People put packed files into a zip.
                packed = stream.peek(2)[:2] == GZIP if isinstance(stream, zipfile.ZipExtFile) else False
                yield gzip.GzipFile(fileobj=stream, mode="rb") if packed else stream
    elif magic == GZIP:
        with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
            yield unpacked
    else:
        yield file


def only_member(folder: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Return the file in a zip; FileError if it holds another number of them, BadZipFile if it cannot be read."""
    members = files_in(folder)
    if len(members) != 1:
        raise FileError(name, f"expected one file inside, but it holds {len(members)} files, not one")
    return _unpacked(folder, members[0])


def files_in(folder: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files that a user put into a zip: no folders, and no files that macOS or Windows adds."""
    return [member for member in folder.infolist() if not (member.is_dir() or _is_litter(member.filename))]


def _is_litter(path: str) -> bool:
    name = path.rpartition("/")[2]
    return (
        path.startswith("__MACOSX/")
        or name.startswith("._")
        or name in (".DS_Store", "Thumbs.db", "desktop.ini")
    )


def _unpacked(folder: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return folder.open(member)
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or packed in a way of its own
        raise zipfile.BadZipFile(str(error)) from error
