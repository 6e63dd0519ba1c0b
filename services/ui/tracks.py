"""The newest points of each series a chart shows, shared by every tab and read from the API only as needed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

from services.common.clock import SECOND
from services.common.errors import BadMessageError, TransientError
from services.common.messages import Signal
from services.ui.answers import Bar
from services.ui.client import ApiClient

BARS_KEPT = 500
SIGNALS_KEPT = 1800  # half an hour of seconds
BARS_EVERY_S = 0.5
SIGNALS_EVERY_S = 1.0
UNUSED_S = 60.0

P = TypeVar("P", Bar, Signal)


def point_us(point: Bar | Signal) -> int:
    """Return a point's place on the time axis."""
    return point.start_us if isinstance(point, Bar) else point.event_us


class Track(Generic[P]):
    """One series, oldest first; ``generation`` grows when it no longer continues what it was."""

    def __init__(
        self,
        fetch: Callable[[int], Awaitable[Sequence[P]]],
        kept: int,
        every_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fetch` returns the newest n points, oldest first; it is called at most every `every_s` seconds."""
        self.points: list[P] = []
        self.generation = 0
        self.loaded = False
        self.error: str | None = None
        self.used_s = monotonic()
        self._fetch: Callable[[int], Awaitable[Sequence[P]]] = fetch
        self.kept = kept
        self._every_s = every_s
        self._monotonic = monotonic
        self._read_s = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    def poke(self, news: Iterable[P] = ()) -> None:
        """Bring the track up to date without waiting for it; `news` are the last points the stream brought.

        Points that follow their predecessors by one second need no reading. Errors stay in ``error``.
        """
        self.used_s = self._monotonic()
        newest, is_appended = None, False
        for newest in news:
            is_appended = self._append(newest)
        if is_appended:
            return
        if self._reading is not None and not self._reading.done():
            return
        if self.used_s - self._read_s >= self._every_s:
            self._read_s = self.used_s
            self._reading = asyncio.create_task(self._read(self._count(newest)))

    async def settled(self) -> None:
        """Wait for the reading under way, if there is one."""
        if self._reading is not None:
            await self._reading

    def since(self, us: int) -> list[P]:
        """Return the points from `us` on."""
        first = len(self.points)
        while first and point_us(self.points[first - 1]) >= us:
            first -= 1
        return self.points[first:]

    def _count(self, newest: P | None) -> int:
        if not self.points:
            return self.kept
        ahead = (point_us(newest) - point_us(self.points[-1])) // SECOND if newest is not None else 0
        return min(self.kept, max(ahead, 0) + 2)

    async def _read(self, count: int) -> None:
        try:
            fresh = await self._fetch(count)
            if self.points and fresh and not self._overlaps(fresh):
                fresh = await self._fetch(self.kept)
        except (TransientError, BadMessageError) as error:
            self.error = str(error)
        else:
            self.error = None
            self.loaded = True
            self._merge(fresh)

    def _overlaps(self, fresh: Sequence[P]) -> bool:
        return bool(self.points) and (
            point_us(self.points[0]) <= point_us(fresh[-1])
            and point_us(fresh[0]) <= point_us(self.points[-1])
        )

    def _append(self, point: P) -> bool:
        if not self.points:
            return False
        step = point_us(point) - point_us(self.points[-1])
        if step == SECOND:
            self.points.append(point)
            del self.points[: -self.kept]
        return step in (0, SECOND)

    def _merge(self, fresh: Sequence[P]) -> None:
        if not fresh:
            return
        first, last = point_us(fresh[0]), point_us(fresh[-1])
        if not self._overlaps(fresh):
            self.points = list(fresh)
            self.generation += 1
            return
        # What the stream brought may be ahead of what the API has stored.
        before = [point for point in self.points if point_us(point) < first]
        after = [point for point in self.points if point_us(point) > last]
        self.points = (before + list(fresh) + after)[-self.kept :]


class Tracks:
    """Every track some tab looks at; one that nobody has looked at for a minute is dropped."""

    def __init__(self, client: ApiClient, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._bars: dict[tuple[str, str], Track[Bar]] = {}
        self._signals: dict[str, Track[Signal]] = {}

    def bars(self, symbol: str, interval: str) -> Track[Bar]:
        """Return the bars of `symbol`, current to half a second once they are loaded."""
        _drop_unused(self._bars, self._monotonic())
        track = self._bars.get((symbol, interval))
        if track is None:
            track = Track(
                lambda count: self._client.bars(symbol, interval, count),
                BARS_KEPT,
                BARS_EVERY_S,
                self._monotonic,
            )
            self._bars[symbol, interval] = track
        track.poke()
        return track

    def signals(self, pair: str, closes: Iterable[Signal]) -> Track[Signal]:
        """Return the signals of `pair`; `closes` are the last ones the stream brought."""
        _drop_unused(self._signals, self._monotonic())
        track = self._signals.get(pair)
        if track is None:
            track = Track(
                lambda count: self._client.signals(pair, count),
                SIGNALS_KEPT,
                SIGNALS_EVERY_S,
                self._monotonic,
            )
            self._signals[pair] = track
        track.poke(closes)
        return track


K = TypeVar("K")


def _drop_unused(tracks: dict[K, Track[P]], now_s: float) -> None:
    for key in [key for key, track in tracks.items() if now_s - track.used_s > UNUSED_S]:
        del tracks[key]
