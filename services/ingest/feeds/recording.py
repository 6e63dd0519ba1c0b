"""Recordings: frames as the venue sent them, or ndjson of ``ticks`` messages; plain, gz or zip.

A line of frames is ``<receipt time in epoch seconds>: <raw JSON frame>``; a line that begins with a URL names the
connection that was opened there.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from services.common import clock
from services.common.errors import BadMessageError
from services.common.messages import Microseconds, Tick, decode
from services.common.packed import unpacked, unusable
from services.ingest.feeds.any_frames import AnyFrames
from services.ingest.feeds.feed import DUPLICATE, SKIPPED, Item, Rejected
from services.ingest.feeds.report import Report
from services.ingest.feeds.venue import Event
from services.ingest.tape.chain import Chain, Taken

_CONNECTION = re.compile(rb"(wss?|https?)://")
_BEFORE_FIRST = 10_000
_FRAME = re.compile(rb"([0-9]{1,11}(?:\.[0-9]{1,9})?): *(.*)", re.DOTALL)


class _ReceivedAt(msgspec.Struct):
    received_us: Microseconds


class Format(NamedTuple):
    """How to read a line: when it was received, and what is in it, nothing for frames of other kinds.

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


class Recording:
    """One file, told by its first line to hold frames or ticks."""

    def __init__(self, path: Path) -> None:
        """Look at the first line; FatalError if it is none we know."""
        self.name = str(path)
        self.report = Report()
        self.path = path
        self.format = _detect(path)

    def survey(self, symbols: Iterable[str]) -> set[str]:
        """Read the file to its end and return which symbols have trades, among them all of `symbols` that have.

        FatalError says in one line why the file cannot be replayed. Damaged lines inside are no reason; a last
        line that is cut off is.
        """
        found: set[str] = set()
        missing = set(symbols)
        number, line = 0, b""
        for number, line in lines(self.path):  # noqa: B007 - the last line is looked at below
            if missing:
                trades = {event.symbol for event in self._events(line) if isinstance(event, Tick)}
                found |= trades
                missing -= trades
        if not line.endswith(b"\n"):
            try:
                self.format.events(line, 0)
            except BadMessageError as error:
                raise unusable(self.path, f"it is truncated: line {number} is cut off") from error
        return found

    def items(self) -> Iterator[tuple[int, Item]]:
        """Yield what the lines hold, each with the time of its receipt (epoch, us); a damaged line's is the last.

        Connections overlap while one takes over from another, so frames may hold a trade twice; it comes once.
        """
        self.report, tape = Report(), _Tape()
        received_us = 0
        for number, line in lines(self.path):
            self.report.rows += 1
            try:
                received_us = self.format.received_us(line)
                events = self.format.events(line, received_us)
            except BadMessageError as error:
                rejected = Rejected(line.rstrip(b"\r\n"), str(error), f"{self.path}:{number}")
                self.report.damaged += 1
                yield received_us, rejected
                continue
            for event in events:
                if self.format.name == "frames" and isinstance(event, Tick) and not tape.is_new(event):
                    self.report.duplicates += 1
                    yield received_us, DUPLICATE
                else:
                    yield received_us, event
            if not events:
                yield received_us, SKIPPED
        self.report.missing, self.report.gaps = tape.missing()

    def _events(self, line: bytes) -> Sequence[Event]:
        try:
            return self.format.events(line, 0)
        except BadMessageError:
            return []


class _Tape:
    """Which trades a recording has had so far."""

    def __init__(self) -> None:
        self._current: dict[str, Chain] = {}
        self._all: list[tuple[int, Chain]] = []

    def is_new(self, tick: Tick) -> bool:
        chain = self._current.get(tick.symbol)
        if chain is not None and (taken := chain.take(tick)) is not Taken.RENUMBERED:
            return taken is not Taken.DUPLICATE
        # The first to arrive need not be the first trade.
        first_id = max(0, tick.trade_id - _BEFORE_FIRST)
        chain = Chain(first_id, tick.event_us)
        chain.take(tick)
        self._current[tick.symbol] = chain
        self._all.append((first_id, chain))
        return True

    def missing(self) -> tuple[int, int]:
        """Return how many ids are missing between those there are, and in how many gaps."""
        spans = [span for first_id, chain in self._all for span in chain.missing if span.first_id > first_id]
        return sum(span.ids for span in spans), len(spans)


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the numbered lines that hold something, as bytes with their line end.

    Blank lines and those that name a connection are left out. FatalError if the file cannot be read.
    """
    with unpacked(path) as file:
        for number, line in enumerate(file, 1):
            if not line.isspace() and not _CONNECTION.match(line):
                yield number, line


def _detect(path: Path) -> Format:
    for number, line in lines(path):
        if _FRAME.fullmatch(line.strip()):
            return _frames()
        if line.lstrip().startswith(b"{"):
            return _TICKS
        raise unusable(path, f"line {number} is neither a recorded frame nor a tick: {line[:60]!r}")
    raise unusable(path, "it is empty")
