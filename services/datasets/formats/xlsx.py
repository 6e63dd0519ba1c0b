"""A sheet of a spreadsheet as csv, row by row."""

import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import IO, Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from services.common.compressed_files import FileError
from services.datasets.formats.chunks import as_csv

WORKBOOK = "xl/workbook.xml"
_SHEETS = "xl/worksheets/"
# Beside the sheets, which are read row by row, all is in memory: shared texts above all.
_MOST_BYTES = 16 << 20
_MOST_COLUMNS = 100


def rows(file: IO[bytes], name: str, most_bytes: int | None) -> Iterator[bytes]:
    """Yield the rows of the first sheet that has any, as csv; FileError if the file is damaged or too large."""
    try:
        with zipfile.ZipFile(file) as folder:
            _require_bounds(folder.infolist(), name, most_bytes)
        file.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and validations that it leaves out
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        try:
            yield from as_csv(_rows(book))
        finally:
            book.close()
    except (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError) as error:
        raise FileError(name, f"expected a spreadsheet that can be read, received {error}") from None


def _rows(book: Any) -> Iterator[list[object]]:
    for sheet in book.worksheets:
        # A sheet may say that it is larger than it is.
        sheet.reset_dimensions()
        found = False
        for row in sheet.iter_rows(max_col=_MOST_COLUMNS, values_only=True):
            cells = [_cell(value) for value in row]
            while cells and cells[-1] == "":
                del cells[-1]
            if cells or found:
                found = True
                yield cells
        if found:
            return


def _cell(value: Any) -> object:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else value


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
