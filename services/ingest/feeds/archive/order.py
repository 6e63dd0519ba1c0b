"""Sort of an archive file's rows by id, however large the file is."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from services.ingest.feed import Rejected
from services.ingest.feeds.archive.file import blocks
from services.ingest.feeds.archive.rows import ROW, Rows, parse
from services.ingest.feeds.read_report import ReadReport
from services.ingest.feeds.text_file import BLOCK, Block

EMPTY: Rows = np.empty(0, ROW)
_LINE = 0xFFFF_FFFF
_ROW_BYTES = 32


class OrderedFile:
    """Reads on as it is told to. A row may be `window` rows from its place; one that is further comes late."""

    def __init__(self, path: Path, number: int, report: ReadReport, window: int, follow: bool) -> None:
        """`number` tells the rows of this file from those of others; what is wrong goes to `report`."""
        self.path = path
        self.number = number
        self.rows = EMPTY
        """What can be taken, ascending by id."""
        self.is_over = False
        self.is_waiting = False
        """The file ends here at present, but may still be written."""
        self._report = report
        self._window = window
        self._follow = follow
        self._last_id = 0
        self._unordered: list[Rows] = []
        self._texts: deque[Block] = deque()
        self._parts = self._read()

    @property
    def end(self) -> int:
        """The id before which no more rows will come, but late ones; there must be rows."""
        return int(self.rows["trade_id"][-1]) + self.is_waiting

    def take(self, end: int | None) -> Rows:
        """Return the rows with ids below `end`, all of them without it, and have them no more."""
        place = len(self.rows) if end is None else int(np.searchsorted(self.rows["trade_id"], end))
        taken, self.rows = self.rows[:place], self.rows[place:]
        return taken

    def read_on(self) -> Iterator[Rejected | None]:
        """Read more rows, unless the file is over, and yield rejected ones; None if none are written yet."""
        for part in self._parts:
            self.is_waiting = part is None
            if isinstance(part, Rejected):
                yield part
                continue
            if part is None:
                yield None
            else:
                self.rows = np.concatenate((self.rows, part))
            return
        self.is_over, self.is_waiting = True, False

    def text(self, line: int) -> bytes:
        """Return a line of which the row has not been forgotten."""
        block = next(block for block in reversed(self._texts) if block.number <= line)
        return block.lines.split(b"\n")[line - block.number].rstrip(b"\r")

    def forget(self) -> None:
        """Keep the text of those rows only that are still to be taken."""
        held = [rows["place"].min() & _LINE for rows in (self.rows, *self._unordered) if len(rows)]
        first = min(held, default=_LINE)
        while len(self._texts) > 1 and self._texts[1].number <= first:
            self._texts.popleft()

    def _read(self) -> Iterator[Rows | Rejected | None]:
        # Many symbols are read side by side, each with a small window.
        for found in blocks(self.path, self._follow, min(BLOCK, _ROW_BYTES * self._window)):
            if found is None:
                if self._unordered:
                    yield self._ordered(keep=0)
                yield None
                continue
            if isinstance(found, Block):
                self._texts.append(found)
            for part in parse(found.lines, found.number) if isinstance(found, Block) else [found]:
                if isinstance(part, np.ndarray):
                    self._add(part)
                elif rejected := self._report.rejected(self.path, part):
                    self._report.rows += 1
                    yield rejected
            if sum(map(len, self._unordered)) >= 2 * self._window:
                yield self._ordered(keep=self._window)
        if self._unordered:
            yield self._ordered(keep=0)

    def _add(self, rows: Rows) -> None:
        if len(rows):
            rows["place"] |= self.number << 32
            self._report.rows += len(rows)
            steps = np.diff(rows["trade_id"], prepend=self._last_id)
            self._report.out_of_order += int(np.count_nonzero(steps < 0))
            self._last_id = int(rows["trade_id"][-1])
            self._unordered.append(rows)

    def _ordered(self, keep: int) -> Rows:
        rows = by_id(np.concatenate(self._unordered))
        place = len(rows) - keep
        self._unordered = [rows[place:]] if keep else []
        return rows[:place]


def by_id(rows: Rows) -> Rows:
    """Return rows ascending by id; those of one id stay as they are."""
    ids = rows["trade_id"]
    return rows if (ids[1:] >= ids[:-1]).all() else rows[np.argsort(ids, kind="stable")]
