"""Dialect of a file, recognised from its beginning: delimiter, columns, numbers, times."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from services.common.compressed_files import FileError
from services.datasets.columns import TICK_VOLUMES, Columns, named, normal
from services.datasets.numbers import UNKNOWN, Numbers, name_of, recognise_numbers
from services.datasets.options import DELIMITERS, Delimiter, ReadOptions
from services.datasets.questions import UnclearError
from services.datasets.times import Times, is_time, recognise_times
from services.datasets.unnamed import unnamed

SAMPLE_BYTES = 1 << 16
BOM = b"\xef\xbb\xbf"
COMMENTS = ("#", "//")
# Some files begin with a line that names their source.
_HEADER_WITHIN = 5
_SAMPLE_ROWS = 2_000
_PLAIN = re.compile(r"[+-]?[0-9.]+")
_COMMA = re.compile(r"[+-]?([0-9]+),([0-9]+)")
EXPECTED = "a header that names a time, open, high, low and close (or close alone)"


@dataclass(frozen=True)
class Dialect:
    """`header` is the number of the line that names the `width` columns, 0 if none does; bars begin behind it.

    `silent` is the place of a volume that is 0 in every line, `symbol` is what the header says. `notes` say what was
    decided by evidence.
    """

    delimiter: Delimiter
    numbers: Numbers
    header: int
    names: tuple[str, ...]
    columns: Columns
    times: Times
    time_kind: str
    silent: int | None = None
    symbol: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Return how many columns a line has."""
        return len(self.names)

    def cells(self, line: str) -> list[str]:
        """Return what a line holds; csv.Error if that cannot be said."""
        return split(line, DELIMITERS[self.delimiter])

    def time_text(self, cells: Sequence[str]) -> str:
        """Return the time in a line, the day and the time of day joined."""
        return _time_text(cells, self.columns)


def split(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line, without the space around them."""
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def recognise(sample: bytes, name: str, options: ReadOptions) -> Dialect:
    """Return how the file is written that begins with `sample`.

    FileError, with what it was taken for, if it has no bars; UnclearError if an option has to be told.
    """
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
    rows = [row for row in rows if row != names and not row[0].startswith(COMMENTS)] or rows
    columns = _one_time(columns, rows, options)
    columns, silent = _volume(columns, names, rows, options)
    amounts = [*columns.prices, *(() if columns.volume is None else (columns.volume,))]
    numbers = recognise_numbers((row[place] for row in rows for place in amounts), options)
    texts = [text for row in rows if any(map(str.isdigit, text := _time_text(row, columns)))]
    times = recognise_times(texts, options)
    kind = times.kind(texts[0] if texts else "")
    symbol = _yahoo_symbol(lines, number, DELIMITERS[delimiter])
    found = Dialect(delimiter, numbers, number, tuple(names), columns, times, kind, silent, symbol)
    return replace(found, notes=tuple(_notes(found, options)))


def names_bars(sample: bytes, options: ReadOptions) -> bool:
    """Return whether the file that begins with `sample` has the columns of bars."""
    try:
        lines = _text(sample, "").split("\n")
        delimiters = [options.delimiter] if options.delimiter else list(DELIMITERS)
        return _header(lines, delimiters, options, "") is not None
    except FileError:
        return False
    except UnclearError:
        return True


def _text(sample: bytes, name: str) -> str:
    if not sample.strip():
        raise FileError(name, "expected a csv of bars, received an empty file")
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
    told = [number for number, line in enumerate(lines, 1) if line.strip() and not line.startswith(COMMENTS)]
    for number in told[:_HEADER_WITHIN]:
        for delimiter in delimiters:
            try:
                cells = split(lines[number - 1], DELIMITERS[delimiter])
                behind = 0
                if _is_yahoo(lines, number, DELIMITERS[delimiter]):
                    cells[0], behind = "Date", 2
                found = named(cells, options.mapping) if len(cells) > 1 else None
            except csv.Error:
                continue
            except ValueError as error:
                raise FileError(name, str(error), number) from None
            if found is not None:
                if _is_number(cells[found.close]):
                    return delimiter, number - 1, _numbers(cells), found
                return delimiter, number + behind, cells, found
    if not told or options.mapping:
        return None
    for delimiter in delimiters:
        try:
            width = len(split(lines[told[0] - 1], DELIMITERS[delimiter]))
        except csv.Error:
            continue
        rows = list(_rows(lines[told[0] - 1 :], DELIMITERS[delimiter], width))
        if rows and (found := unnamed(rows, options)) is not None:
            return delimiter, told[0] - 1, _numbers(rows[0]), found
    return None


def _is_yahoo(lines: Sequence[str], number: int, delimiter: str) -> bool:
    """Return whether three lines from `number` on are the header that yfinance writes: prices, tickers, and a name."""
    heads = [line.split(delimiter)[0].strip() for line in lines[number - 1 : number + 2]]
    return heads in (["Price", "Ticker", "Date"], ["Price", "Ticker", "Datetime"])


def _yahoo_symbol(lines: Sequence[str], number: int, delimiter: str) -> str | None:
    if number < 3 or not _is_yahoo(lines, number - 2, delimiter):
        return None
    tickers = set(split(lines[number - 2], delimiter)[1:])
    return min(tickers) if len(tickers) == 1 else None


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


def _time_text(cells: Sequence[str], columns: Columns) -> str:
    time, clock = columns.time, columns.clock
    return cells[time] if clock is None else f"{cells[time]} {cells[clock]}"


def _one_time(columns: Columns, rows: Sequence[Sequence[str]], options: ReadOptions) -> Columns:
    """Return `columns` with one place for the time, where the columns date and time each are a time."""
    if columns.clock is None or "clock" in options.mapping or options.time_format is not None:
        return columns
    for place in (columns.clock, columns.time):
        text = rows[0][place]
        whole = len(text) > len("20240131") if text.isdecimal() else len(text) > len("2024-01-31")
        if whole and is_time(text, options):
            return columns._replace(time=place, clock=None)
    return columns


def _volume(
    columns: Columns, names: Sequence[str], rows: Sequence[Sequence[str]], options: ReadOptions
) -> tuple[Columns, int | None]:
    """Return `columns` with the volume in ticks, where the one in contracts is 0 throughout, and the place of that."""
    ticks = next((place for place, name in enumerate(names) if normal(name) in TICK_VOLUMES), None)
    place = columns.volume
    if ticks is None or place in (None, ticks) or "volume" in options.mapping:
        return columns, None
    silent = all(row[place].strip("0.,") == "" or row[place] in UNKNOWN for row in rows)
    return (columns._replace(volume=ticks), place) if silent else (columns, None)


def _notes(found: Dialect, options: ReadOptions) -> Iterable[str]:
    """Yield what was decided by evidence, in words."""
    first = {"dmy": "the day", "mdy": "the month", "ymd": "the year"}
    if found.times.order is not None and options.date_order is None:
        yield f"in dates {first[found.times.order]} comes first"
    if found.time_kind == "excel" and options.time_unit is None:
        yield "times are days of a spreadsheet"
    if found.numbers.thousands and options.thousands is None:
        yield f"thousands are separated by {name_of(found.numbers.thousands)}"
    if found.silent is not None and found.columns.volume is not None:
        silent, taken = found.names[found.silent], found.names[found.columns.volume]
        yield f"the volume is {taken}, because {silent} is 0 throughout"
    if not found.header or found.names == tuple(map(str, range(1, found.width + 1))):
        places = ", ".join(
            f"{field} {place + 1}" for field, place in found.columns._asdict().items() if place is not None
        )
        yield f"without a header the columns are told by what is in them: {places}"
