"""Opening of a file by its first bytes, as text: csv stays as it is, all else becomes csv."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from services.common.compressed_files import ZIP, FileError, Packed
from services.datasets.formats import parquet, text, xlsx
from services.datasets.formats.chunks import Chunks
from services.datasets.formats.json_rows import JsonRows

_LOOK_BYTES = 1 << 16
_BOM = b"\xef\xbb\xbf"
_COPY_BYTES = 1 << 20
_IN_MEMORY = 4 << 20
_OTHERS = {
    b"\xd0\xcf\x11\xe0": "a spreadsheet of before 2007: save it as xlsx or csv",
    b"ARROW1": "a file of Arrow or Feather: save it as Parquet",
    b"FEA1": "a file of Feather: save it as Parquet",
    b"\x89HDF": "HDF5: save it as Parquet or csv",
    b"%PDF": "a PDF",
}


def is_spreadsheet(file: IO[bytes]) -> bool:
    """Return whether a file is an xlsx; it stands at its beginning then as before."""
    magic = file.read(2)
    file.seek(0)
    if magic != ZIP:
        return False
    try:
        with zipfile.ZipFile(file) as folder:
            return xlsx.WORKBOOK in folder.namelist()
    except zipfile.BadZipFile:
        return False
    finally:
        file.seek(0)


@contextmanager
def text_of(stream: Packed, name: str, most_bytes: int | None) -> Iterator[tuple[Packed, str | None]]:
    """Yield the csv that `stream` is or would be, and the symbol that it says beside its rows; FileError if none.

    A spreadsheet inside gzip has one sheet with rows; `Upload.files` takes others apart.
    """
    first = stream.read(_LOOK_BYTES)
    for magic, what in _OTHERS.items():
        if first.startswith(magic):
            raise FileError(name, f"expected csv, xlsx, Parquet or JSON, received {what}")
    if first.startswith(parquet.MAGIC):
        with _seekable(stream, first) as file:
            yield cast("Packed", Chunks(parquet.rows(file, name, most_bytes))), None
    elif first.startswith(ZIP):
        with _seekable(stream, first) as file:
            sheet = _only_sheet(xlsx.sheets(file, name, most_bytes), name)
            yield cast("Packed", Chunks(xlsx.rows(file, name, sheet))), None
    elif first.startswith(text.MARKS):
        yield cast("Packed", Chunks(text.utf8(stream, first, name))), None
    elif first.removeprefix(_BOM).lstrip()[:1] in (b"[", b"{"):
        found = JsonRows(stream, first.removeprefix(_BOM), name)
        yield cast("Packed", Chunks(found.csv())), found.symbol
    else:
        yield cast("Packed", _Begun(stream, first)), None


def _only_sheet(sheets: list[str], name: str) -> str:
    if len(sheets) == 1:
        return sheets[0]
    received = f"{len(sheets)}: {', '.join(sheets)}" if sheets else "none"
    raise FileError(
        name, f"expected one sheet with rows in a packed spreadsheet, received {received}: unpack the file"
    )


class _Begun:
    """A stream of which the beginning has been read already."""

    def __init__(self, stream: Packed, first: bytes) -> None:
        self._stream = stream
        self._first = first

    def read(self, size: int) -> bytes:
        if not self._first:
            return self._stream.read(size)
        part, self._first = self._first[:size], self._first[size:]
        return part + self._stream.read(size - len(part))


@contextmanager
def _seekable(stream: Packed, first: bytes) -> Iterator[IO[bytes]]:
    """Yield a file in which one can go back: the stream itself, or a copy of what comes out of packed data."""
    if hasattr(stream, "seek") and not isinstance(stream, zipfile.ZipExtFile):
        stream.seek(0)
        yield cast("IO[bytes]", stream)
        return
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as copy:
        part = first
        while part:
            copy.write(part)
            part = stream.read(_COPY_BYTES)
        copy.seek(0)
        yield cast("IO[bytes]", copy)
