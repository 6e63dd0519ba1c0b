"""Sheets of a spreadsheet as csv, row by row."""

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from typing import IO, Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from services.common.compressed_files import FileError
from services.datasets.formats.chunks import as_csv

WORKBOOK = "xl/workbook.xml"
_SHEETS = "xl/worksheets/"
# Beside the sheets, which are read row by row, all is in memory: shared texts above all.
_MOST_BYTES = 16 << 20
_MOST_COLUMNS = 100
_MOST_SHEETS = 100
_MOST_ROWS = 1 << 20
# A row is in memory as a whole, and what is behind the last one.
_LONGEST_ROW = 8 << 20
_ROW_END = b"</row>"
# With these a text could hold what looks like the end of a row, or more than it is long.
_TRICKS = (b"<!DOCTYPE", b"<![CDATA[")
_BYTES = 1 << 20


def sheets(file: IO[bytes], name: str, most_bytes: int | None) -> list[str]:
    """Return the names of the sheets that have rows; FileError if the file is damaged or too large."""
    with _readable(name):
        with zipfile.ZipFile(file) as folder:
            _require_bounds(folder.infolist(), name, most_bytes)
            _require_no_tricks(folder)
        with _opened(file) as book:
            found = [sheet.title for sheet in book.worksheets if next(_rows(sheet), None) is not None]
    if len(found) > _MOST_SHEETS:
        raise FileError(name, f"expected at most {_MOST_SHEETS} sheets with rows, received {len(found):,}")
    return found


def rows(file: IO[bytes], name: str, sheet: str) -> Iterator[bytes]:
    """Yield the rows of one of the `sheets` as csv; FileError if the file is damaged."""
    with _readable(name), _opened(file) as book:
        yield from as_csv(_rows(book[sheet]))


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except _RefusedError as error:
        raise FileError(name, str(error)) from None
    except (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError) as error:
        raise FileError(name, f"expected a spreadsheet that can be read, received {error}") from None


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[Any]:
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and validations that it leaves out
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    try:
        yield book
    finally:
        book.close()


def _rows(sheet: Any) -> Iterator[list[object]]:
    # A sheet may say that it is larger than it is.
    sheet.reset_dimensions()
    found = False
    for row in sheet.iter_rows(max_row=_MOST_ROWS, max_col=_MOST_COLUMNS, values_only=True):
        # Sheets often end in many rows that hold nothing.
        cells = [] if row.count(None) == len(row) else [_cell(value) for value in row]
        while cells and cells[-1] == "":
            del cells[-1]
        if cells or found:
            found = True
            yield cells


def _cell(value: Any) -> object:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else value


class _Sheet(ReadOnlyWorksheet):  # type: ignore[misc]
    """Sheet that is read no further than its rows are asked for, and checked as it is read."""

    def _get_size(self) -> None:
        # The base class reads a sheet that does not say its size to the end, at each opening of the book.
        pass

    def _get_source(self) -> "closing[_Checked]":
        return closing(_Checked(super()._get_source()))


# As the book is read, sheets are made by this name.
openpyxl.reader.excel.ReadOnlyWorksheet = _Sheet


class _RefusedError(Exception):
    """What a sheet may not hold, in one line."""


class _Checked:
    """XML of which no row takes much memory: the parts between two ends of rows are short, and say what they are."""

    def __init__(self, file: IO[bytes], longest: int | None = _LONGEST_ROW) -> None:
        self._file = file
        self._longest = longest
        self._before = b""
        self._stretch = 0

    def read(self, size: int) -> bytes:
        part = self._file.read(size)
        text = self._before + part
        if any(trick in text for trick in _TRICKS):
            raise _RefusedError("expected a spreadsheet without declarations in its XML, received one")
        end = text.rfind(_ROW_END)
        self._stretch = len(text) - end if end >= 0 else self._stretch + len(part)
        if self._longest is not None and self._stretch > self._longest:
            raise _RefusedError(f"expected rows of at most {self._longest >> 20} MiB, received a longer one")
        self._before = text[-16:]
        return part

    def close(self) -> None:
        self._file.close()


def _require_no_tricks(folder: zipfile.ZipFile) -> None:
    """Return if what is read whole, beside the sheets, has no declarations."""
    for member in folder.infolist():
        if not member.filename.startswith(_SHEETS):
            with folder.open(member) as file:
                checked = _Checked(file, longest=None)
                while checked.read(_BYTES):
                    pass


def _require_bounds(members: list[zipfile.ZipInfo], name: str, most_bytes: int | None) -> None:
    beside = sum(one.file_size for one in members if not one.filename.startswith(_SHEETS))
    if beside > _MOST_BYTES:
        raise FileError(
            name, f"expected at most {_MOST_BYTES >> 20} MiB of texts and styles, received {beside:,} bytes"
        )
    sheets = sum(one.file_size for one in members) - beside
    if most_bytes is not None and sheets > most_bytes:
        raise FileError(
            name, f"expected at most {most_bytes:,} bytes of sheets, unpacked, received {sheets:,}"
        )
