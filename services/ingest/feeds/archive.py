"""The venue's archive as a tape: every trade of a symbol once, by id, out of files that are not so tidy."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.common.messages import Tick
from services.ingest.feeds.archive_file import first_id_in, lines_at, read, survey, symbol_of
from services.ingest.feeds.archive_rows import ROW, Rows
from services.ingest.feeds.feed import Item, Rejected
from services.ingest.feeds.report import Report

VENUE = "binance"
_VALUES = ["event_us", "price", "size", "buyer_is_maker"]
_FIELDS = ["trade_id", *_VALUES]
_CHUNK = 4096


class Batch(NamedTuple):
    """Trades that follow those of the batch before, ascending by id, and what had to be left out near them."""

    rows: Rows
    rejected: list[Rejected]


class Archive:
    """The files of one symbol, in any order; they may overlap.

    Two files are in memory at a time, about 45 bytes a row each.
    """

    def __init__(self, symbol: str, paths: Iterable[Path]) -> None:
        self.name = symbol
        self.report = Report()
        self._paths = sorted(paths)
        self._last_id: int | None = None

    def survey(self) -> None:
        """Look through the files, which takes a while; FatalError if one cannot be read."""
        for path in self._paths:
            survey(path)

    def batches(self) -> Iterator[Batch]:
        """Yield every trade once. Where rows disagree about one, none is taken, and all are rejected.

        FatalError if a file cannot be read to its end. The report grows as batches come.
        """
        self.report, self._last_id = Report(), None
        # Not by name: files of a day and of a month, or renamed ones, would come in the wrong order.
        self._paths.sort(key=first_id_in)
        waiting = np.empty(0, ROW)
        for file_number, path in enumerate(self._paths):
            rows, rejected = read(path, file_number)
            self.report.rows += len(rows) + len(rejected)
            self.report.damaged += len(rejected)
            self.report.out_of_order += int(np.count_nonzero(np.diff(rows["trade_id"]) < 0))
            rows = _by_id(rows)
            # What this file may repeat or contradict has waited for it.
            ready = int(np.searchsorted(waiting["trade_id"], rows["trade_id"][0])) if len(rows) else 0
            if ready or rejected:
                yield self._settle(waiting[:ready], rejected)
            waiting = _by_id(np.concatenate((waiting[ready:], rows))) if ready < len(waiting) else rows
        yield self._settle(waiting, [])

    def items(self) -> Iterator[tuple[int, Item]]:
        """Yield the ticks, ascending by id, and what is rejected, each with its event time (epoch, us)."""
        event_us = 0
        for batch in self.batches():
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

    def _settle(self, rows: Rows, rejected: list[Rejected]) -> Batch:
        """Return what is left of `rows`, ascending by id, when no other row can have one of their ids."""
        ids = rows["trade_id"]
        again = ids[1:] == ids[:-1]
        if again.any():
            unlike = np.zeros(len(again), np.bool_)
            for column in _VALUES:
                unlike |= rows[column][1:] != rows[column][:-1]
            disputed = np.isin(ids, ids[1:][again & unlike])
            rejected = [*rejected, *self._conflicts(rows[disputed])]
            self.report.conflicting += int(disputed.sum())
            first = np.concatenate(([True], ~again))
            self.report.duplicates += int((~first & ~disputed).sum())
            rows = rows[first & ~disputed]
        if self._last_id is not None:
            late = int(np.searchsorted(rows["trade_id"], self._last_id, side="right"))
            self.report.late += late
            rows = rows[late:]
        self._count_gaps(rows["trade_id"])
        return Batch(rows, rejected)

    def _count_gaps(self, ids: NDArray[np.int64]) -> None:
        if not len(ids):
            return
        steps = np.diff(ids, prepend=ids[0] - 1 if self._last_id is None else self._last_id)
        self.report.missing += int((steps - 1).sum())
        self.report.gaps += int(np.count_nonzero(steps > 1))
        self._last_id = int(ids[-1])

    def _conflicts(self, rows: Rows) -> Iterator[Rejected]:
        lines = defaultdict(list)
        for place, trade_id in zip(rows["place"].tolist(), rows["trade_id"].tolist(), strict=True):
            lines[place >> 32].append((place & 0xFFFF_FFFF, trade_id))
        for file_number, places in sorted(lines.items()):
            path = self._paths[file_number]
            texts = lines_at(path, {number for number, _ in places})
            for number, trade_id in sorted(places):
                reason = f"expected one row with the id {trade_id}, received several of different values"
                yield Rejected(texts[number], reason, f"{path}:{number}")


def by_symbol(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Return the files of an archive by the symbol in their names; FatalError for a name without one."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        found[symbol_of(path)].append(path)
    return found


def _by_id(rows: Rows) -> Rows:
    ids = rows["trade_id"]
    return rows if (ids[1:] >= ids[:-1]).all() else rows[np.argsort(ids, kind="stable")]
