"""Archive of a venue as a tape: every trade of a symbol once, by id, from untidy files."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from services.contracts.messages import Tick
from services.ingest.feed import Item, Rejected
from services.ingest.feeds.archive.file import lowest_id, symbol_of
from services.ingest.feeds.archive.id_spans import IdSpans
from services.ingest.feeds.archive.order import EMPTY, OrderedFile, by_id
from services.ingest.feeds.archive.rows import Rows
from services.ingest.feeds.read_report import ReadReport

VENUE = "binance"
_VALUES = ["event_us", "price", "size", "buyer_is_maker"]
_FIELDS = ["trade_id", *_VALUES]
_CHUNK = 1024
CONFLICT = "expected one trade of an id, received another time, price, size or side; the first one stays"
"""Why a row is left out, whoever reads the archive."""
WINDOW = 1 << 15


class ArchiveBatch(NamedTuple):
    """Trades that follow those of the batch before, ascending by id, and what had to be left out near them."""

    rows: Rows
    rejected: list[Rejected]


class Archive:
    """The files of one symbol, in any order; they may overlap.

    In memory are twice `window` rows, about 120 bytes each, of every file that the same trades may be in.
    """

    def __init__(
        self, symbol: str, paths: Iterable[Path], window: int = WINDOW, follow: bool = False
    ) -> None:
        """A row may be `window` rows from its place in a file. `follow` waits for rows that are still written."""
        self.name = symbol
        self.report = ReadReport()
        self._paths = sorted(paths)
        self._window = window
        self._follow = follow
        self._handed_out = IdSpans()
        self._last_id = -1

    def survey(self) -> None:
        """Look for a row at the beginning of each file; FatalError if one has none or cannot be read."""
        for path in self._paths:
            lowest_id(path)

    def batches(self) -> Iterator[ArchiveBatch | None]:
        """Yield every trade once. Where rows disagree about one, the first is taken, and the others are rejected.

        Rows further than the window from their place come late, and are not compared. None says that nothing more
        has been written yet. FatalError if a file cannot be read. The report grows as batches come.
        """
        self.report, self._handed_out, self._last_id = ReadReport(), IdSpans(), -1
        # Not by name: files of a day and of a month, or renamed ones, would come in the wrong order.
        coming = deque(sorted((lowest_id(path), path) for path in self._paths))
        files: list[OrderedFile] = []
        while True:
            for file in files:
                while not (len(file.rows) or file.is_over):
                    yield from self._read_on(file)
            files = [file for file in files if len(file.rows)]
            if not files and not coming:
                return
            ends = [file.end for file in files if not file.is_over]
            end = min([*ends, *(first_id for first_id, _ in islice(coming, 1))], default=None)
            taken = [file.take(end) for file in files]
            if any(map(len, taken)):
                yield self._settle(by_id(np.concatenate(taken)), files)
                for file in files:
                    file.forget()
            elif coming and coming[0][0] == end:
                _, path = coming.popleft()
                number = len(self._paths) - len(coming) - 1
                files.append(OrderedFile(path, number, self.report, self._window, self._follow))
            else:
                for file in files:
                    if not file.is_over and file.end == end:
                        yield from self._read_on(file)

    def _read_on(self, file: OrderedFile) -> Iterator[ArchiveBatch | None]:
        for rejected in file.read_on():
            yield None if rejected is None else ArchiveBatch(EMPTY, [rejected])

    def items(self) -> Iterator[tuple[int, Item | None]]:
        """Yield ticks, ascending by id unless late, and rejected rows, each with its event time (epoch, us).

        None says that nothing more has been written yet.
        """
        event_us = 0
        for batch in self.batches():
            if batch is None:
                yield event_us, None
                continue
            for rejected in batch.rejected:
                yield event_us, rejected
            for start in range(0, len(batch.rows), _CHUNK):
                rows = batch.rows[start : start + _CHUNK]
                for trade_id, event_us, price, size, buyer_is_maker in rows[_FIELDS].tolist():
                    yield (
                        event_us,
                        Tick(
                            venue=VENUE,
                            symbol=self.name,
                            trade_id=trade_id,
                            event_us=event_us,
                            received_us=event_us,
                            price=price,
                            size=size,
                            buyer_is_maker=buyer_is_maker,
                        ),
                    )

    def _settle(self, rows: Rows, files: Iterable[OrderedFile]) -> ArchiveBatch:
        """Return what is left of `rows`, ascending by id, when no other row nearby can have one of their ids."""
        rejected: list[Rejected] = []
        ids = rows["trade_id"]
        again = ids[1:] == ids[:-1]
        if again.any():
            first = np.concatenate(([True], ~again))
            of_first = rows[np.maximum.accumulate(np.where(first, np.arange(len(rows)), 0))]
            unlike = np.zeros(len(rows), np.bool_)
            for column in _VALUES:
                unlike |= rows[column] != of_first[column]
            rejected = list(_conflicts(rows[unlike], files))
            self.report.conflicting += int(unlike.sum())
            self.report.duplicates += int((~first & ~unlike).sum())
            rows = rows[first]
        rows = self._without_repeated(rows)
        self._handed_out.add(rows["trade_id"])
        self.report.missing, self.report.gaps = self._handed_out.missing()
        return ArchiveBatch(rows, rejected)

    def _without_repeated(self, rows: Rows) -> Rows:
        """Return those of `rows` that were not handed out before; count the others, and those that come late."""
        ids = rows["trade_id"]
        late = int(np.searchsorted(ids, self._last_id, side="right"))
        if late:
            repeated = self._handed_out.has(ids)
            self.report.duplicates += int(repeated.sum())
            self.report.late += late - int(repeated.sum())
            rows = rows[~repeated]
        if late < len(ids):
            self._last_id = int(ids[-1])
        return rows


def _conflicts(rows: Rows, files: Iterable[OrderedFile]) -> Iterator[Rejected]:
    by_number = {file.number: file for file in files}
    for place, trade_id in sorted(zip(rows["place"].tolist(), rows["trade_id"].tolist(), strict=True)):
        file, line = by_number[place >> 32], place & 0xFFFF_FFFF
        yield Rejected(file.text(line), f"{CONFLICT}: id {trade_id}", f"{file.path}:{line}")


def by_symbol(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Return the files of an archive by the symbol in their names; FatalError for a name without one."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        found[symbol_of(path)].append(path)
    return found
