"""Read recordings: frames as the venue sent them, or ndjson of ``ticks`` messages; plain or gz."""

import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from services.common import clock
from services.common.errors import BadMessageError, FatalError
from services.common.messages import Microseconds, Tick, decode
from services.ingest.feeds.binance_frames import parse

_GZIP = b"\x1f\x8b"
_CONNECTION = re.compile(rb"(wss?|https?)://")
_FRAME = re.compile(rb"([0-9]{1,11}(?:\.[0-9]{1,9})?): *(.*)", re.DOTALL)


class _ReceivedAt(msgspec.Struct):
    received_us: Microseconds


class Format(NamedTuple):
    """How to read a line: when it was received, and the trade in it, None for other kinds of frame.

    Both raise BadMessageError for a line that is damaged.
    """

    received_us: Callable[[bytes], int]
    tick: Callable[[bytes, int], Tick | None]


def _split(line: bytes) -> tuple[bytes, bytes]:
    if match := _FRAME.fullmatch(line.strip()):
        return match[1], match[2]
    raise BadMessageError(f"expected <receipt time in epoch seconds>: <frame>, received {line[:80]!r}")


def _received_at(line: bytes) -> int:
    try:
        return msgspec.json.decode(line, type=_ReceivedAt).received_us
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(f"expected a Tick, received {line[:80]!r}: {error}") from error


def _tick(line: bytes, received_us: int) -> Tick:
    return msgspec.structs.replace(decode(line, Tick), received_us=received_us)


FRAMES = Format(
    received_us=lambda line: round(float(_split(line)[0]) * clock.SECOND),
    tick=lambda line, received_us: parse(_split(line)[1], received_us),
)
TICKS = Format(received_us=_received_at, tick=_tick)


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the numbered lines that hold something, as bytes with their line end.

    Blank lines and those that name a connection are left out. FatalError if the file cannot be read.
    """
    try:
        with _open(path) as file:
            for number, line in enumerate(file, 1):
                if not line.isspace() and not _CONNECTION.match(line):
                    yield number, line
    except EOFError as error:
        raise _unusable(path, "it is truncated: the gz stream ends too early") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _unusable(path, f"the gz stream is damaged: {error}") from error
    except OSError as error:
        raise _unusable(path, str(error.strerror)) from error


def detect(path: Path) -> Format:
    """Return the format of the first line that holds something; FatalError if it is none we know."""
    for number, line in lines(path):
        if _FRAME.fullmatch(line.strip()):
            return FRAMES
        if line.lstrip().startswith(b"{"):
            return TICKS
        raise _unusable(path, f"line {number} is neither a recorded frame nor a tick: {line[:60]!r}")
    raise _unusable(path, "it is empty")


def survey(path: Path, symbols: Iterable[str]) -> Format:
    """Read `path` to its end and return its format; FatalError says in one line why it cannot be replayed.

    Damaged lines inside are no reason; a last line that is cut off is, and so is a symbol without a trade.
    """
    found: set[str] = set()
    missing = set(symbols)
    layout = detect(path)
    number, line = 0, b""
    for number, line in lines(path):  # noqa: B007 - the last line is looked at below
        if missing and (symbol := _symbol(layout, line)):
            found.add(symbol)
            missing.discard(symbol)
    if not line.endswith(b"\n"):
        try:
            layout.tick(line, 0)
        except BadMessageError as error:
            raise _unusable(path, f"it is truncated: line {number} is cut off") from error
    if missing:
        raise _unusable(
            path,
            f"it has no trades of {', '.join(sorted(missing))}, only of {', '.join(sorted(found)) or 'nothing'}",
        )
    return layout


def _symbol(layout: Format, line: bytes) -> str | None:
    try:
        tick = layout.tick(line, 0)
    except BadMessageError:
        return None
    return tick.symbol if tick else None


def _open(path: Path) -> gzip.GzipFile | BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return gzip.open(path) if packed else path.open("rb")


def _unusable(path: Path, reason: str) -> FatalError:
    return FatalError(
        f"replay file {path}: expected recorded frames or ndjson ticks, plain or gz, but {reason}"
    )
