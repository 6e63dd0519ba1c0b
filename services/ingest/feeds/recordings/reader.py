"""Reader of recordings: frames as the venue sent them, or ndjson of ``ticks`` messages; plain, gz or zip.

A line of frames is ``<receipt time in epoch seconds>: <raw JSON frame>``; a line that begins with a URL names the
connection that was opened there.
"""

import os
import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from services.common import clock
from services.common.codec import decode
from services.common.compressed_files import GZIP, ZIP, unusable
from services.common.errors import BadMessageError
from services.contracts.fields import Microseconds
from services.contracts.messages import Tick
from services.ingest.feed import DUPLICATE, SKIPPED, Item
from services.ingest.feeds.read_report import ReadReport
from services.ingest.feeds.recordings.recorded_tape import RecordedTape
from services.ingest.feeds.text_file import Block, CutOff, FileDamage, TextFile
from services.ingest.venues.any_frames import AnyFrames
from services.ingest.venues.venue import Event

_CONNECTION = re.compile(rb"(wss?|https?)://")
# Bytes read before the start, to find the symbols.
_LOOK_BYTES = 16 << 20
_LAST_BYTES = 4 << 20
_BEGINNING_BYTES = 1 << 20
_FRAME = re.compile(rb"([0-9]{1,11}(?:\.[0-9]{1,9})?): *(.*)", re.DOTALL)


class _ReceivedAt(msgspec.Struct):
    received_us: Microseconds


class Format(NamedTuple):
    """Format of a line: parses its receipt time and its content, which is nothing for frames of other kinds.

    Lines are to be read in order. Both raise BadMessageError for a line that is damaged.
    """

    name: Literal["frames", "ticks"]
    received_us: Callable[[bytes], int]
    events: Callable[[bytes, int], Sequence[Event]]


def _split(line: bytes) -> tuple[bytes, bytes]:
    if match := _FRAME.fullmatch(line.strip()):
        return match[1], match[2]
    raise BadMessageError(f"expected <receipt time in epoch seconds>: <frame>, received {line[:80]!r}")


def _received_at(line: bytes) -> int:
    try:
        return msgspec.json.decode(line, type=_ReceivedAt).received_us
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(f"expected a Tick, received {line[:80]!r}: {error}") from error


def _frames() -> Format:
    frames = AnyFrames()
    return Format(
        name="frames",
        received_us=lambda line: round(float(_split(line)[0]) * clock.SECOND),
        events=lambda line, received_us: frames.events(_split(line)[1], received_us),
    )


_TICKS = Format("ticks", _received_at, lambda line, _: [decode(line, Tick)])


class RecordedLine(NamedTuple):
    """A numbered line that holds something, without its line end."""

    number: int
    line: bytes


class Looked(NamedTuple):
    """Result of a first look: the symbols that have trades, and whether the look covered the whole file."""

    symbols: set[str]
    everything: bool


class Recording:
    """One file, told by its first line to hold frames or ticks."""

    def __init__(self, path: Path, follow: bool = False) -> None:
        """Look at the first line; FatalError if it is none we know. `follow` waits for lines still to be written."""
        self.name = str(path)
        self.report = ReadReport()
        self.path = path
        self.format = _detect(path)
        self._follow = follow

    def lines(self) -> Iterator[RecordedLine | FileDamage | CutOff | None]:
        """Yield the lines, but neither blank ones nor those that name a connection.

        None says that nothing more has been written yet. FatalError if the file cannot be read.
        """
        return _lines(TextFile(self.path, self._is_whole, self._follow))

    def begins_with(self, symbols: Container[str] | None = None) -> Iterator[Tick]:
        """Yield the trades in the first megabyte, of all symbols unless told which; what is damaged is passed over."""
        form, read = _detect(self.path), 0
        for entry in _lines(TextFile(self.path, self._is_whole)):
            assert entry is not None, "only who follows is told to wait"
            with suppress(BadMessageError):
                line = _usable(entry)
                for event in form.events(line, form.received_us(line)):
                    if isinstance(event, Tick) and (symbols is None or event.symbol in symbols):
                        yield event
            read += len(entry.line)
            if read > _BEGINNING_BYTES:
                return

    def survey(self, symbols: Iterable[str]) -> Looked:
        """Look for a line that can be used, and for trades of `symbols`, until all are found: in the first 16 MiB.

        Then, if the file is plain, in the last 4 MiB; what is between is not known. FatalError says in one line why
        no line can be used. Damage and an end that is cut off are no reason.
        """
        missing, found, read = set(symbols), set[str](), 0
        usable, damage = False, ""
        for entry in _lines(TextFile(self.path, self._is_whole)):
            assert entry is not None, "only who follows is told to wait"
            try:
                found |= self._trades(entry)
                usable = True
            except BadMessageError as error:
                damage = damage or f"line {entry.number}: {error}"
            read += len(entry.line)
            if usable and missing <= found:
                return Looked(found, everything=False)
            if read > _LOOK_BYTES:
                break
        else:
            read = 0
        if not usable:
            raise unusable(self.path, f"no line can be used; {damage}")
        if read:
            found |= self._last_trades()
        return Looked(found, everything=not read)

    def items(self) -> Iterator[tuple[int, Item | None]]:
        """Yield what the lines hold, each with the time of its receipt (epoch, us); a damaged line's is the last.

        Connections overlap while one takes over from another, so frames may hold a trade twice; it comes once. None
        says that nothing more has been written yet.
        """
        self.report, tape = ReadReport(), RecordedTape()
        received_us = 0
        for entry in self.lines():
            if entry is None:
                yield received_us, None
                continue
            try:
                line = _usable(entry)
                received_us = self.format.received_us(line)
                events = self.format.events(line, received_us)
            except BadMessageError as error:
                found = FileDamage(*entry, str(error)) if isinstance(entry, RecordedLine) else entry
                if rejected := self.report.rejected(self.path, found):
                    self.report.rows += 1
                    yield received_us, rejected
                continue
            self.report.rows += 1
            for event in events:
                if self.format.name == "frames" and isinstance(event, Tick) and not tape.is_new(event):
                    self.report.duplicates += 1
                    yield received_us, DUPLICATE
                else:
                    yield received_us, event
            if not events:
                yield received_us, SKIPPED
        self.report.missing, self.report.gaps = tape.missing()

    def _trades(self, entry: RecordedLine | FileDamage | CutOff) -> set[str]:
        return {event.symbol for event in self.format.events(_usable(entry), 0) if isinstance(event, Tick)}

    def _is_whole(self, line: bytes) -> bool:
        if _CONNECTION.match(line):
            return True
        try:
            self.format.events(line, 0)
        except BadMessageError:
            return False
        return True

    def _last_trades(self) -> set[str]:
        """Return the symbols of the trades in the last 4 MiB, none of a packed file: it would have to be unpacked."""
        found: set[str] = set()
        with self.path.open("rb") as file:
            if file.read(2) not in (GZIP, ZIP):
                file.seek(max(0, file.seek(0, os.SEEK_END) - _LAST_BYTES))
                for line in file.read(_LAST_BYTES).split(b"\n")[1:]:
                    with suppress(BadMessageError):
                        found |= self._trades(RecordedLine(0, line))
        return found


def _usable(entry: RecordedLine | FileDamage | CutOff) -> bytes:
    if isinstance(entry, RecordedLine):
        return entry.line
    raise BadMessageError(entry.reason)


def _lines(text: TextFile) -> Iterator[RecordedLine | FileDamage | CutOff | None]:
    for found in text.blocks():
        if isinstance(found, Block):
            for number, line in enumerate(found.lines.split(b"\n"), found.number):
                if line and not line.isspace() and not _CONNECTION.match(line):
                    yield RecordedLine(number, line)
        else:
            yield found


def _detect(path: Path) -> Format:
    for entry in _lines(TextFile(path, lambda _: True)):
        assert entry is not None, "only who follows is told to wait"
        if isinstance(entry, CutOff):
            raise unusable(path, f"it is cut off before its first line: {entry.reason}")
        if _FRAME.fullmatch(entry.line.strip()):
            return _frames()
        if entry.line.lstrip().startswith(b"{"):
            return _TICKS
        raise unusable(
            path, f"line {entry.number} is neither a recorded frame nor a tick: {entry.line[:60]!r}"
        )
    raise unusable(path, "it is empty")
