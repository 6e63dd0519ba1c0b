"""Dialect of a CSV file, recognised from its beginning: delimiter, columns, decimal sign, times."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from services.common.compressed_files import FileError
from services.datasets.columns import Columns, kline, named
from services.datasets.options import DELIMITERS, Delimiter, ReadOptions
from services.datasets.times import Times

SAMPLE_BYTES = 1 << 16
BOM = b"\xef\xbb\xbf"
# Some files begin with a line that names their source.
_HEADER_WITHIN = 5
_SAMPLE_ROWS = 200
_PLAIN = re.compile(r"[+-]?[0-9.]+")
_COMMA = re.compile(r"[+-]?([0-9]+),([0-9]+)")
EXPECTED = "a header that names a time, open, high, low and close (or close alone)"


@dataclass(frozen=True)
class Dialect:
    """`header` is the number of the line that names the `width` columns, 0 if none does; bars begin behind it."""

    delimiter: Delimiter
    decimal: str
    header: int
    names: tuple[str, ...]
    columns: Columns
    times: Times
    time_kind: str

    @property
    def width(self) -> int:
        """Return how many columns a line has."""
        return len(self.names)

    def cells(self, line: str) -> list[str]:
        """Return what a line holds; csv.Error if that cannot be said."""
        return split(line, DELIMITERS[self.delimiter])

    def time_text(self, cells: Sequence[str]) -> str:
        """Return the time in a line, the day and the time of day joined."""
        time, clock = self.columns.time, self.columns.clock
        return cells[time] if clock is None else f"{cells[time]} {cells[clock]}"


def split(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line, without the space around them."""
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def recognise(sample: bytes, name: str, options: ReadOptions) -> Dialect:
    """Return how the file is written that begins with `sample`; FileError, with what it was taken for, otherwise."""
    lines = _text(sample, name).split("\n")
    delimiters = [options.delimiter] if options.delimiter else list(DELIMITERS)
    header = _header(lines, delimiters, options, name)
    if header is None:
        raise FileError(name, _unrecognised(lines, delimiters, options), 1)
    delimiter, number, names, columns = header
    rows = list(_rows(lines[number:], DELIMITERS[delimiter], len(names)))
    if not rows:
        raise FileError(
            name, f"expected bars in {len(names)} columns behind line {number}, received none", number + 1
        )
    columns = _one_time(columns, rows[0], options)
    decimal = options.decimal or _decimal(rows, columns, name)
    times = Times(options.zone, options.time_unit, options.time_format)
    found = Dialect(delimiter, decimal, number, tuple(names), columns, times, "")
    return replace(found, time_kind=times.kind(found.time_text(rows[0])))


def names_bars(sample: bytes, options: ReadOptions) -> bool:
    """Return whether the file that begins with `sample` has the columns of bars."""
    try:
        lines = _text(sample, "").split("\n")
        delimiters = [options.delimiter] if options.delimiter else list(DELIMITERS)
        return _header(lines, delimiters, options, "") is not None
    except FileError:
        return False


def _text(sample: bytes, name: str) -> str:
    if not sample.strip():
        raise FileError(name, "expected a csv of bars, received an empty file")
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileError(name, "expected text in UTF-8, received UTF-16: save it as CSV UTF-8", 1)
    if b"\0" in sample:
        raise FileError(name, "expected a csv of bars, received bytes that are no text")
    try:
        text = sample.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(sample) == SAMPLE_BYTES and error.start > len(sample) - 4:
            text = sample[: error.start].decode("utf-8-sig")
        else:
            line, byte = sample.count(b"\n", 0, error.start) + 1, sample[error.start]
            raise FileError(name, f"expected text in UTF-8, received the byte 0x{byte:02x}", line) from None
    if re.match(r"\s*<(!doctype|html|head|body|\?xml)", text, re.IGNORECASE):
        raise FileError(name, "expected a csv of bars, received a web page", 1)
    if "\r" in text and "\n" not in text:
        raise FileError(name, "expected lines that end with LF or CR LF, received CR alone", 1)
    # A line that the sample cuts says nothing.
    return text if len(sample) < SAMPLE_BYTES else text.rpartition("\n")[0] or text


def _header(
    lines: Sequence[str], delimiters: Iterable[Delimiter], options: ReadOptions, name: str
) -> tuple[Delimiter, int, list[str], Columns] | None:
    delimiters = list(delimiters)
    for number, line in enumerate(lines[:_HEADER_WITHIN], 1):
        for delimiter in delimiters:
            try:
                cells = split(line, DELIMITERS[delimiter])
                found = named(cells, options.mapping) if len(cells) > 1 else None
            except csv.Error:
                continue
            except ValueError as error:
                raise FileError(name, str(error), number) from None
            if found is not None:
                if _is_number(cells[found.close]):
                    return delimiter, number - 1, _numbers(cells), found
                return delimiter, number, cells, found
    for delimiter in delimiters:
        try:
            cells = split(lines[0], DELIMITERS[delimiter])
        except csv.Error:
            continue
        found = kline(len(cells))
        if found is not None and all(map(_is_number, cells)):
            return delimiter, 0, _numbers(cells), found
    return None


def _numbers(cells: Sequence[str]) -> list[str]:
    return [str(number) for number, _ in enumerate(cells, 1)]


def _is_number(cell: str) -> bool:
    return bool(_PLAIN.fullmatch(cell) or _COMMA.fullmatch(cell))


def _unrecognised(lines: Sequence[str], delimiters: Iterable[Delimiter], options: ReadOptions) -> str:
    first = lines[0].strip()
    wanted = ", ".join(f"{field} as {column!r}" for field, column in options.mapping.items())
    expected = f"{EXPECTED}, with {wanted}" if wanted else f"{EXPECTED}, or a mapping"
    most = max((first.count(DELIMITERS[one]) for one in delimiters), default=0)
    columns = "one column" if most == 0 else f"{most + 1} columns"
    return f"expected {expected}, received {columns}: {first[:120]!r}"


def _rows(lines: Sequence[str], delimiter: str, width: int) -> Iterable[list[str]]:
    for line in lines[:_SAMPLE_ROWS]:
        try:
            cells = split(line, delimiter)
        except csv.Error:
            continue
        if len(cells) == width:
            yield cells


def _one_time(columns: Columns, row: Sequence[str], options: ReadOptions) -> Columns:
    """Return `columns` with one place for the time, where the columns date and time each are a time."""
    if columns.clock is None or "clock" in options.mapping or options.time_format is not None:
        return columns
    times = Times(options.zone, options.time_unit)
    for place in (columns.clock, columns.time):
        text = row[place]
        whole = len(text) > len("20240131") if text.isdecimal() else len(text) > len("2024-01-31")
        if whole and _is_time(text, times):
            return columns._replace(time=place, clock=None)
    return columns


def _is_time(text: str, times: Times) -> bool:
    try:
        times.parse(text)
    except ValueError:
        return False
    return True


def _decimal(rows: Sequence[Sequence[str]], columns: Columns, name: str) -> str:
    places = {*columns.prices, *(() if columns.volume is None else (columns.volume,))}
    cells = [row[place] for row in rows for place in places]
    commas = [found for cell in cells if (found := _COMMA.fullmatch(cell))]
    if not commas or any("." in cell for cell in cells):
        return "."
    if any(len(found[2]) != 3 or found[1].lstrip("0") == "" for found in commas):
        return ","
    raise FileError(
        name,
        "expected prices whose comma is told from a thousands separator, or decimal=, received "
        f"{commas[0][0]!r}",
    )
