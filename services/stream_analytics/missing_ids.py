"""Missing trade ids of one symbol, and the gaps they are in, found by bisection."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple

from services.stream_analytics.doubtful_stretches import DoubtfulStretch


class _Run(NamedTuple):
    first: int
    last: int
    holes: tuple[DoubtfulStretch, ...]


_FIRST = attrgetter("first")


class MissingIds:
    """Runs of ids, ascending and apart; a producer that spreads a symbol over partitions makes thousands.

    Where a venue has numbered anew, an id may be missing in holes of both numberings.
    """

    def __init__(self, runs: Iterable[tuple[int, int]] = ()) -> None:
        """Begin with `runs` that are in no hole."""
        self._runs = [_Run(first, last, ()) for first, last in runs]

    def __contains__(self, trade_id: int) -> bool:
        place = bisect_right(self._runs, trade_id, key=_FIRST) - 1
        return place >= 0 and trade_id <= self._runs[place].last

    def add(self, first: int, last: int, holes: tuple[DoubtfulStretch, ...]) -> None:
        """Note ids that are missing in `holes`."""
        place, begin = self._between(first, last), first
        runs: list[_Run] = []
        for run in self._runs[place]:
            if begin < run.first:
                runs.append(_Run(begin, run.first - 1, holes))
            runs.append(_Run(run.first, run.last, run.holes + holes))
            begin = run.last + 1
        if begin <= last:
            runs.append(_Run(begin, last, holes))
        self._runs[place] = runs
        for hole in holes:
            hole.missing = last - first + 1

    def take(self, first: int, last: int) -> list[DoubtfulStretch]:
        """Note ids that have come, and return the holes in which any of them was missing."""
        place, found = self._between(first, last), dict[int, DoubtfulStretch]()
        for run in self._runs[place]:
            for hole in run.holes:
                hole.missing -= run.last - run.first + 1
                found[id(hole)] = hole
        del self._runs[place]
        return list(found.values())

    def forget(self, before_us: int) -> None:
        """Miss no id any longer of a hole that ends before then."""
        self._runs = [
            _Run(run.first, run.last, holes)
            for run in self._runs
            if (holes := tuple(hole for hole in run.holes if hole.last_us >= before_us))
        ]

    def _between(self, first: int, last: int) -> slice:
        """Cut the runs at both ends, and return where those between them are."""
        for begin in (first, last + 1):
            place = bisect_left(self._runs, begin, key=_FIRST) - 1
            if place >= 0 and (run := self._runs[place]).last >= begin:
                self._runs[place : place + 1] = [
                    _Run(run.first, begin - 1, run.holes),
                    _Run(begin, run.last, run.holes),
                ]
        return slice(bisect_left(self._runs, first, key=_FIRST), bisect_right(self._runs, last, key=_FIRST))
