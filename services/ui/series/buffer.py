"""Series buffer: the newest points of one series, read from the API only as needed."""

import asyncio
import time
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

from services.common.clock import SECOND
from services.common.errors import BadMessageError, TransientError
from services.contracts.messages import Signal
from services.ui.api.client import ApiRefusedError
from services.ui.api.types import Bar
from services.ui.state.event_log import EventLog

OLDER_EVERY_S = 1.0
# The most rows of one JSON answer.
PAGE = 10_000

P = TypeVar("P", Bar, Signal)


def point_us(point: Bar | Signal) -> int:
    """Return a point's place on the time axis."""
    return point.start_us if isinstance(point, Bar) else point.event_us


class SeriesBuffer(Generic[P]):
    """One series, oldest first.

    ``generation`` grows when it no longer continues what it was, ``revision`` when points before the last one change,
    but for those that the stream has corrected: their times are in ``corrected``.
    """

    def __init__(
        self,
        fetch: Callable[[int], Awaitable[Sequence[P]]],
        kept: int,
        every_s: float,
        monotonic: Callable[[], float] = time.monotonic,
        fetch_older: Callable[[int, int], Awaitable[Sequence[P]]] | None = None,
        again_every_s: float = float("inf"),
        *,
        is_thinned: bool = False,
    ) -> None:
        """`fetch` returns the newest n points, oldest first; it is called at most every `every_s` seconds.

        `fetch_older` returns the newest n points before a moment. What is known is read again `again_every_s`. Which
        points there are of a series that `is_thinned` depends on their values: what is corrected is read again, too.
        """
        self.points: list[P] = []
        self.generation = self.revision = 0
        self.corrected: EventLog[int] = EventLog()
        self.loaded = False
        self.error: str | None = None
        self.refusal: str | None = None
        """Why the API does not want to answer, None if it does."""
        self.is_whole = False
        """True if the API has no older points."""
        self.older_error: str | None = None
        self.used_s = monotonic()
        self._fetch: Callable[[int], Awaitable[Sequence[P]]] = fetch
        self._fetch_older: Callable[[int, int], Awaitable[Sequence[P]]] | None = fetch_older
        self._reading_older: asyncio.Task[None] | None = None
        self._read_older_s = float("-inf")
        self.usual = self.kept = kept
        self._every_s = every_s
        self._again_every_s = again_every_s
        self._monotonic = monotonic
        self._read_s = float("-inf")
        self._read_again_s = self.used_s
        self._reading: asyncio.Task[None] | None = None
        self._streamed_us = 0
        self._is_thinned = is_thinned
        self._heeded: int | None = None
        self._is_to_check = True
        self._doubted_us: int | None = None
        """From where on the API is to be asked again."""
        self._asked_us: int | None = None

    def refresh_if_due(self, news: Iterable[P] = ()) -> None:
        """Bring the buffer up to date without waiting for it; `news` are the last points the stream brought.

        Points that follow their predecessors by one second need no reading. Errors stay in ``error``.
        """
        self.used_s = self._monotonic()
        newest, is_appended = None, False
        for newest in news:
            self._streamed_us = point_us(newest)
            is_appended = self._append(newest)
        if (is_appended and self._doubted_us is None) or self.is_reading:
            return
        if self.used_s - self._read_s >= self._every_s:
            self._read_s = self.used_s
            self._reading = asyncio.create_task(self._read(self._count(newest)))

    def correct(self: "SeriesBuffer[Signal]", corrections: EventLog[Signal]) -> None:
        """Heed what the stream has corrected since the last time; if some of it was missed, all is read again.

        After a reading all that is kept is looked at: the API may not have stored it yet.
        """
        news = [] if self._heeded is None else corrections.after(self._heeded)
        self._heeded = corrections.count
        if news is None:
            self._doubt(0)
        for signal in news or ():
            self._heed(signal)
            if self._is_thinned:
                self._doubt(signal.event_us)
        if self._is_to_check or news is None:
            self._is_to_check = False
            for signal in corrections.kept():
                self._heed(signal)

    def _heed(self: "SeriesBuffer[Signal]", signal: Signal) -> None:
        place = bisect_left(self.points, signal.event_us, key=point_us)
        known = self.points[place : place + 1]
        if known and known[0].event_us == signal.event_us and known[0].revision < signal.revision:
            self.points[place] = signal
            self.corrected.add(signal.event_us)

    def _doubt(self, us: int) -> None:
        self._doubted_us = us if self._doubted_us is None else min(us, self._doubted_us)

    def ensure_length(self, count: int) -> None:
        """Fetch older points in the background until `count` are buffered or the API has no more."""
        now_s = self._monotonic()
        missing = min(count - len(self.points), PAGE)
        if self._fetch_older is None or not self.points or self.is_whole or missing <= 0:
            return
        if self.is_reading_older or now_s - self._read_older_s < OLDER_EVERY_S:
            return
        self._read_older_s = now_s
        self.kept = max(self.kept, len(self.points) + missing)
        self._reading_older = asyncio.create_task(self._read_older(self._fetch_older, missing))

    @property
    def is_reading(self) -> bool:
        """Tell whether new points are being read."""
        return self._reading is not None and not self._reading.done()

    @property
    def is_reading_older(self) -> bool:
        """Tell whether older points are being read."""
        return self._reading_older is not None and not self._reading_older.done()

    async def settled(self) -> None:
        """Wait for the readings under way, if there are any."""
        for reading in (self._reading, self._reading_older):
            if reading is not None:
                await reading

    def since(self, us: int) -> list[P]:
        """Return the points from `us` on."""
        first = len(self.points)
        while first and point_us(self.points[first - 1]) >= us:
            first -= 1
        return self.points[first:]

    def _count(self, newest: P | None) -> int:
        if not self.points:
            return self.usual
        if self.used_s - self._read_again_s >= self._again_every_s:
            self._read_again_s = self.used_s
            return min(len(self.points), PAGE)
        if self._doubted_us is not None:
            self._asked_us, self._doubted_us = self._doubted_us, None
            return min(len(self.since(self._asked_us)) + 2, PAGE)
        ahead = (point_us(newest) - point_us(self.points[-1])) // SECOND if newest is not None else 0
        return min(self.usual, max(ahead, 0) + 2)

    async def _read(self, count: int) -> None:
        try:
            fresh = await self._fetch(count)
            if self.points and fresh and not self._overlaps(fresh):
                count = self.usual
                fresh = await self._fetch(count)
        except (TransientError, BadMessageError) as error:
            self.error = str(error)
            self.refusal = error.detail if isinstance(error, ApiRefusedError) else None
            if self._asked_us is not None:
                self._doubt(self._asked_us)
        else:
            self._asked_us = None
            self.error = self.refusal = None
            self.loaded = True
            self._merge(fresh, is_all=len(fresh) < count)

    async def _read_older(self, fetch: Callable[[int, int], Awaitable[Sequence[P]]], missing: int) -> None:
        generation = self.generation
        try:
            older = await fetch(missing, point_us(self.points[0]))
        except (TransientError, BadMessageError) as error:
            self.older_error = str(error)
            return
        self.older_error = None
        if self.generation == generation:
            self.points = list(older) + self.points
            self.is_whole = len(older) < missing
            self._is_to_check = True

    def _overlaps(self, fresh: Sequence[P]) -> bool:
        return bool(self.points) and (
            point_us(self.points[0]) <= point_us(fresh[-1])
            and point_us(fresh[0]) <= point_us(self.points[-1])
        )

    def _append(self, point: P) -> bool:
        if not self.points:
            return False
        step = point_us(point) - point_us(self.points[-1])
        if step == 0:
            self.points[-1] = point
        elif step == SECOND:
            self.points.append(point)
            del self.points[: -self.kept]
        return step in (0, SECOND)

    def _merge(self, fresh: Sequence[P], *, is_all: bool) -> None:
        if not fresh:
            return
        self._is_to_check = True
        first, last = point_us(fresh[0]), point_us(fresh[-1])
        if not self._overlaps(fresh):
            self.points = list(fresh)
            self.generation += 1
            self.kept, self.is_whole = self.usual, is_all
            return
        fresh = self._latest(fresh)
        begin = bisect_left(self.points, first, key=point_us)
        known, last_us = self.points[begin:], point_us(self.points[-1])
        # What the stream brought may be ahead of what the API has stored; what else is later belongs to another tape.
        later = bisect_right(known, last, key=point_us)
        ahead = known[later : bisect_right(known, self._streamed_us, key=point_us)]
        now = list(fresh) + ahead
        if _before(last_us, now) != _before(last_us, known):
            self.revision += 1
        self.points = (self.points[:begin] + now)[-self.kept :]

    def _latest(self, fresh: Sequence[P]) -> list[P]:
        """Return `fresh` with points that are known as corrected in place of what was stored before."""
        corrected = {point_us(one): one for one in self.since(point_us(fresh[0])) if revision(one)}
        known = [corrected.get(point_us(one), one) for one in fresh]
        return [max(pair, key=revision) for pair in zip(fresh, known, strict=True)]


def revision(point: Bar | Signal) -> int:
    """Return how often a point was corrected, as far as that is counted."""
    return 0 if isinstance(point, Bar) else point.revision


def _before(us: int, points: list[P]) -> list[P]:
    return points[: bisect_left(points, us, key=point_us)]
