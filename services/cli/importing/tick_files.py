"""Tick files read in batches: the venue's archive, recorded frames, ndjson; plain, gz or zip."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.common.decompression import unpacked
from services.common.errors import BadMessageError
from services.contracts.messages import Tick
from services.ingest.feeds.archive.archive import VENUE
from services.ingest.feeds.archive.file import blocks, is_archive, symbol_of
from services.ingest.feeds.archive.rows import ROW as ARCHIVED
from services.ingest.feeds.archive.rows import Rows, parse
from services.ingest.feeds.recordings.reader import Format, RecordedLine, Recording
from services.ingest.feeds.text_file import Block, CutOff, FileDamage
from services.ingest.venues.timestamps import TimestampCheck
from services.ingest.venues.venue import Event

ROW = np.dtype(
    [
        ("trade_id", np.int64),
        ("event_us", np.int64),
        ("received_us", np.int64),
        ("price", np.float64),
        ("size", np.float64),
        ("buyer_is_maker", np.bool_),
        ("repaired", np.bool_),
        ("line", np.int64),
    ]
)
# A symbol is locked for one batch: a live sink waits for it about 0.2 s.
BATCH_ROWS = 25_000
_BLOCK = 1 << 22


class Ticks(NamedTuple):
    """Trades of one symbol, in the order of the file; `rows` is of dtype ROW."""

    venue: str
    symbol: str
    rows: NDArray[np.void]


class TickBatch(NamedTuple):
    """Content of some lines of a file, up to the line `through`; `read` counts the unpacked bytes so far."""

    ticks: list[Ticks]
    rejected: list[FileDamage]
    through: int
    read: int


def batches(path: Path, symbol: str | None, after: int = 0) -> Iterator[TickBatch]:
    """Yield the ticks in a file, but not those up to the line `after`; FatalError if it cannot be read to its end.

    `symbol` is what an archive is of if its name does not say it; of other files only its trades are taken.
    Memory does not grow with the file.
    """
    if is_archive(path):
        return _archive(path, symbol or symbol_of(path), after)
    return _recording(Recording(path), symbol, after)


def unpacked_size(path: Path) -> int:
    """Return about how many bytes are in a file; gz keeps it modulo 4 GiB. FatalError if it cannot be read."""
    with unpacked(path) as file:
        return file.size()


def _archive(path: Path, symbol: str, after: int) -> Iterator[TickBatch]:
    read = 0
    for found in blocks(path, size=_BLOCK):
        match found:
            case Block(number, text):
                read += len(text)
                through = number + text.count(b"\n") - text.endswith(b"\n")
                if through > after:
                    yield from _split(list(parse(text, number)), symbol, (after, through), read)
            case FileDamage(number) | CutOff(number):
                read += len(found.line)
                # A missing end is reported again by an import that resumes behind the file's last line.
                if number > after or not found.line:
                    yield TickBatch([], [FileDamage(*found)], number, read)


def _split(
    found: list[Rows | FileDamage], symbol: str, lines: tuple[int, int], read: int
) -> Iterator[TickBatch]:
    after, through = lines
    rejected = [one for one in found if isinstance(one, FileDamage)]
    rows = _rows(
        np.concatenate([np.empty(0, ARCHIVED), *(one for one in found if not isinstance(one, FileDamage))])
    )
    rows = rows[rows["line"] > after]
    *parts, last = np.array_split(rows, len(rows) // BATCH_ROWS + 1)
    for part in parts:
        # Rejected lines come with the last part: should the import be cut short before it, they come again.
        yield TickBatch([Ticks(VENUE, symbol, part)], [], int(part["line"][-1]), read)
    yield TickBatch([Ticks(VENUE, symbol, last)], rejected, through, read)


def _rows(archived: Rows) -> NDArray[np.void]:
    rows = np.zeros(len(archived), ROW)
    for name in ("trade_id", "event_us", "price", "size", "buyer_is_maker"):
        rows[name] = archived[name]
    rows["received_us"] = archived["event_us"]
    rows["line"] = archived["place"]
    return rows


def _recording(recording: Recording, symbol: str | None, after: int) -> Iterator[TickBatch]:
    form, stamps = recording.format, TimestampCheck()
    stamps.foresee(recording.begins_with(None if symbol is None else (symbol,)))
    found: defaultdict[tuple[str, str], list[tuple[object, ...]]] = defaultdict(list)
    rejected: list[FileDamage] = []
    first, number, read = after, after, 0
    for entry in recording.lines():
        assert entry is not None, "only who follows is told to wait"
        number = entry.number
        read += len(entry.line) + 1
        if number <= after and entry.line:
            continue
        try:
            for event in _events(entry, form):
                if not isinstance(event, Tick) or symbol not in (None, event.symbol):
                    continue
                if refused := stamps.refuse(event):
                    rejected.append(FileDamage(number, entry.line, refused.reason))
                else:
                    found[event.venue, event.symbol].append(_row(event, number))
        except BadMessageError as error:
            rejected.append(FileDamage(number, entry.line, str(error)))
        if number - first >= BATCH_ROWS:
            yield _batch(found, rejected, number, read)
            found.clear()
            rejected, first = [], number
    yield _batch(found, rejected, number, read)


def _events(entry: RecordedLine | FileDamage | CutOff, form: Format) -> Sequence[Event]:
    if not isinstance(entry, RecordedLine):
        raise BadMessageError(entry.reason)
    return form.events(entry.line, form.received_us(entry.line))


def _row(tick: Tick, line: int) -> tuple[object, ...]:
    return (
        tick.trade_id,
        tick.event_us,
        tick.received_us,
        tick.price,
        tick.size,
        tick.buyer_is_maker,
        tick.repaired,
        line,
    )


def _batch(
    found: dict[tuple[str, str], list[tuple[object, ...]]],
    rejected: list[FileDamage],
    through: int,
    read: int,
) -> TickBatch:
    ticks = [Ticks(venue, symbol, np.array(rows, ROW)) for (venue, symbol), rows in found.items()]
    return TickBatch(ticks, rejected, through, read)
