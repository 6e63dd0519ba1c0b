"""Read one file of the venue's archive: ``aggTrades`` as csv, plain, gz or zip, with a header or without."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from services.common.errors import FatalError
from services.common.packed import Packed, unpacked, unusable
from services.common.pairs import parse_symbol
from services.ingest.feeds.archive_rows import COLUMNS, ROW, Damage, Rows, first_id, is_header, parse
from services.ingest.feeds.feed import Rejected

_NAME = re.compile(r"([^-]+)-aggTrades\b.*\.(csv|zip|gz)", re.IGNORECASE)
_EXAMPLE = "BTCUSDT-aggTrades-2024-01-01.zip"
_BLOCK = 1 << 22
_LONGEST_LINE = 1 << 16
# Every damaged row is kept until it is reported.
_MOST_DAMAGED = 100_000


def is_archive(path: Path) -> bool:
    """Return whether a file is of the archive, or means to be: by its name or its first line.

    FatalError if it cannot be read.
    """
    if _NAME.fullmatch(path.name):
        return True
    with unpacked(path) as file:
        line = file.readline(_LONGEST_LINE)
    return is_header(line) or first_id(line) is not None


def inside(directory: Path) -> list[Path]:
    """Return the files in a directory that are named like the venue's; FatalError if there are none."""
    try:
        found = sorted(path for path in directory.iterdir() if _NAME.fullmatch(path.name))
    except OSError as error:
        raise unusable(directory, str(error.strerror)) from error
    if not found:
        raise unusable(directory, f"no file in this directory has a name such as {_EXAMPLE}")
    return found


def symbol_of(path: Path) -> str:
    """Return the symbol a file's name begins with; FatalError if it does not."""
    match = _NAME.fullmatch(path.name)
    try:
        return parse_symbol(match[1] if match else "")
    except ValueError:
        raise FatalError(
            f"{path}: expected a name such as {_EXAMPLE}, because only the name says the symbol, "
            f"received {path.name}"
        ) from None


def survey(path: Path) -> None:
    """Read `path` to its end, but look only at the first and the last row: several times faster than ``read``.

    FatalError if it cannot be read, has other columns, has no rows, or ends in the middle of one.
    """
    first_id_in(path)
    number, last_line = 1, b""
    with unpacked(path) as file:
        for number, block in blocks(path, file):
            *before, last_line = block.split(b"\n")
            number += len(before)
    if last_line and first_id(last_line) is None:
        raise unusable(path, f"it is truncated: line {number} is cut off: {last_line[:80]!r}")


def first_id_in(path: Path) -> int:
    """Return the id in the first row of `path`; FatalError if it has none."""
    with unpacked(path) as file:
        for _, block in blocks(path, file):
            if (found := first_id(block)) is not None:
                return found
    raise unusable(path, "it has no rows")


def read(path: Path, file_number: int = 0) -> tuple[Rows, list[Rejected]]:
    """Return the rows of a file, in its own order, and those that are damaged; times in µs.

    FatalError if it cannot be read, or if there are too many damaged rows to keep. Takes about 45 bytes a row.
    """
    tables: list[Rows] = [np.empty(0, ROW)]
    rejected: list[Rejected] = []
    with unpacked(path) as file:
        for number, block in blocks(path, file):
            for found in parse(block, number):
                if isinstance(found, Damage):
                    rejected.append(Rejected(found.line, found.reason, f"{path}:{found.number}"))
                else:
                    tables.append(found)
            if len(rejected) > _MOST_DAMAGED:
                raise unusable(path, f"more than {_MOST_DAMAGED} rows are damaged: {rejected[-1].reason}")
    rows = np.concatenate(tables)
    rows["place"] |= file_number << 32
    return rows, rejected


def lines_at(path: Path, numbers: set[int]) -> dict[int, bytes]:
    """Return the lines of `path` with these numbers, without line ends."""
    with unpacked(path) as file:
        return {number: line.rstrip(b"\r\n") for number, line in enumerate(file, 1) if number in numbers}


def blocks(path: Path, file: Packed) -> Iterator[tuple[int, bytes]]:
    """Yield whole lines, many at once, with the number of the first; the header is left out."""
    number = 1
    while block := file.read(_BLOCK):
        rest = file.readline(_LONGEST_LINE)
        if len(rest) == _LONGEST_LINE:
            raise unusable(path, f"it has a line of more than {_LONGEST_LINE} bytes")
        block += rest
        if number == 1:
            line, _, rows = block.partition(b"\n")
            if is_header(line):
                number, block = 2, rows
            elif first_id(line) is None:
                raise unusable(
                    path, f"line 1 is neither a row nor the header of the columns {COLUMNS}: {line[:80]!r}"
                )
        if block:
            yield number, block
        number += block.count(b"\n")
