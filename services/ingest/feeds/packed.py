"""Open what people keep recordings and archives in: plain files, gz, and zip with one file inside."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from services.common.errors import FatalError

Packed = IO[bytes] | gzip.GzipFile

_GZIP = b"\x1f\x8b"
_ZIP = b"PK"


def unusable(path: Path, reason: str) -> FatalError:
    """Return the one line that says why `path` cannot be used."""
    return FatalError(
        f"{path}: expected recorded frames, ndjson ticks or the venue's aggTrades csv, plain, gz or zip, "
        f"but {reason}"
    )


@contextmanager
def unpacked(path: Path) -> Iterator[Packed]:
    """Yield the bytes inside `path`, told by its content; FatalError if they cannot be read, even halfway."""
    try:
        with _open(path) as file:
            yield file
    except EOFError as error:
        raise unusable(path, "it is truncated: the packed data end too early") from error
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise unusable(path, f"the packed data are damaged: {error}") from error
    except OSError as error:
        raise unusable(path, str(error.strerror)) from error


@contextmanager
def _open(path: Path) -> Iterator[Packed]:
    with path.open("rb") as file:
        magic = file.read(2)
        file.seek(0)
        if magic == _ZIP:
            with zipfile.ZipFile(file) as folder, _only_member(path, folder) as member:
                yield member
        elif magic == _GZIP:
            with gzip.GzipFile(fileobj=file) as stream:
                yield stream
        else:
            yield file


def _only_member(path: Path, folder: zipfile.ZipFile) -> IO[bytes]:
    members = [member for member in folder.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise unusable(path, f"it holds {len(members)} files, not one")
    try:
        return folder.open(members[0])
    except RuntimeError as error:  # encrypted, or packed in a way of its own
        raise unusable(path, str(error)) from error
