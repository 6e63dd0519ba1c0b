"""File of the venue's archive: ``aggTrades`` as csv, plain, gz or zip, with or without a header."""

import re
from collections.abc import Iterator
from pathlib import Path

from services.common.compressed_files import FileError, unusable
from services.common.decompression import unpacked
from services.common.errors import FatalError
from services.contracts.pairs import parse_symbol
from services.ingest.feeds.archive.rows import COLUMNS, first_id, is_header, parse
from services.ingest.feeds.text_file import BLOCK, Block, CutOff, FileDamage, Found, TextFile

_NAME = re.compile(r"(.+?)-aggTrades\b.*\.(csv|zip|gz)", re.IGNORECASE)
_EXAMPLE = "BTCUSDT-aggTrades-2024-01-01.zip"
_FIRST_LINE_BYTES = 1 << 16
_LOOK_BYTES = 16 << 20


def is_archive(path: Path) -> bool:
    """Return whether a file is of the archive, or means to be: by its name or its first line.

    FatalError if it cannot be read.
    """
    if _NAME.fullmatch(path.name):
        return True
    with unpacked(path) as file:
        line = file.read(_FIRST_LINE_BYTES).partition(b"\n")[0]
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


def lowest_id(path: Path) -> int:
    """Return the lowest id among the first rows of `path`, about 3,000 of them.

    FatalError if it cannot be read, has other columns, or has no row in its first 16 MiB.
    """
    looked_at, damage = 0, ""
    for found in blocks(path):
        parts = parse(found.lines, found.number) if isinstance(found, Block) else [found]
        for part in parts:
            if isinstance(part, FileDamage | CutOff):
                damage = damage or f"; line {part.number}: {part.reason}"
                looked_at += len(part.line)
            elif part is not None and len(part):
                return int(part["trade_id"].min())
        if looked_at > _LOOK_BYTES:
            break
    raise unusable(path, f"it has no rows{damage}")


def blocks(path: Path, follow: bool = False, size: int = BLOCK) -> Iterator[Found | None]:
    """Yield whole lines, about `size` bytes at once; the header is left out.

    None says that nothing more has been written yet, which is waited for with `follow`. FatalError if the file
    cannot be read or has other columns.
    """
    found = TextFile(path, lambda line: first_id(line) is not None, follow).blocks(size)
    for first in found:
        match first:
            case Block(number, lines):
                yield from _without_header(path, number, lines)
            case CutOff(line=b"", reason=reason):
                raise unusable(path, f"it is cut off before its first row: {reason}")
            case FileDamage(line=line) | CutOff(line=line):
                raise _no_row(path, line)
            case None:
                yield None
                continue
        yield from found


def _without_header(path: Path, number: int, lines: bytes) -> Iterator[Block]:
    line, _, rows = lines.partition(b"\n")
    if is_header(line):
        number, lines = number + 1, rows
    elif first_id(line) is None:
        raise _no_row(path, line)
    if lines:
        yield Block(number, lines)


def _no_row(path: Path, line: bytes) -> FileError:
    return unusable(path, f"line 1 is neither a row nor the header of the columns {COLUMNS}: {line[:80]!r}")
