"""Buffer of frames that wait for the broker: bounded, in order of receipt, dropped before they are parsed.

A frame that is dropped here leaves a gap before the next trade of its symbol, and gaps are repaired. One dropped
later would be missed by nobody.
"""

import asyncio
from collections import Counter, deque
from typing import Generic, TypeVar

from services.common.clock import MINUTE, SECOND
from services.ingest.connections.events import Dropped, Frame, Occurrence

FLOOR = 20_000
# Frames are 200 bytes; a venue that sends megabytes must not fill the memory.
MOST_BYTES = 256 * 2**20
# Frames to take without a wait before the sockets and the heartbeat get their turn.
_TURN = 64
# Interval of reports on dropped frames: with a reader that takes every other frame, each would cause one.
_OWN_UP_US = SECOND

A = TypeVar("A")


class Buffer(Generic[A]):
    """Queue of one reader: frames while there is room; events and other items (`A`) always, and first."""

    def __init__(self, frames: int = 0, most_bytes: int = MOST_BYTES) -> None:
        """`frames` is how many may wait; 0 is two minutes of the busiest minute seen, but at least `FLOOR`."""
        self._given = frames
        self._limit = frames or FLOOR
        self._most_bytes = most_bytes
        self._bytes = 0
        self._frames: deque[Frame] = deque()
        self._news: deque[Occurrence | A] = deque()
        self._dropped: Counter[tuple[str, int]] = Counter()
        self._owned_up_us = 0
        self._minute, self._in_minute = 0, 0
        self._taken = 0
        self._wake: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        """Return how many frames wait."""
        return len(self._frames)

    def put(self, frame: Frame) -> None:
        """Append a frame, or drop it and remember that; never waits."""
        if not self._given:
            self._measure(frame.received_us // MINUTE)
        size = len(frame.raw)
        if len(self._frames) >= self._limit or self._bytes + size > self._most_bytes:
            self._dropped[frame.venue.name, frame.connection] += 1
            return
        if self._dropped and abs(frame.received_us - self._owned_up_us) > _OWN_UP_US:
            self._owned_up_us = frame.received_us
            self._own_up()
        self._bytes += size
        self._frames.append(frame)
        if self._wake is not None:
            self._rouse()

    def tell(self, news: Occurrence | A) -> None:
        """Append what must not be dropped, and comes before the frames that wait."""
        self._news.append(news)
        self._rouse()

    async def next(self) -> Frame | Occurrence | A:
        """Return the next news, else the next frame, as soon as there is one."""
        self._taken += 1
        if self._taken % _TURN == 0:
            await asyncio.sleep(0)
        while not self._news:
            if self._frames:
                frame = self._frames.popleft()
                self._bytes -= len(frame.raw)
                return frame
            await self._wait()
        return self._news.popleft()

    async def next_news(self) -> Occurrence | A:
        """Return the next event as soon as there is one; frames stay in the buffer."""
        while not self._news:
            await self._wait()
        return self._news.popleft()

    def has_news(self) -> bool:
        """Return whether there is something besides frames."""
        return bool(self._news or self._dropped)

    def read_until_us(self, now_us: int) -> int:
        """Return the time up to which all that was received has been read: `now_us` if nothing waits."""
        return self._frames[0].received_us if self._frames else now_us

    async def _wait(self) -> None:
        if self._dropped:
            self._own_up()
            return
        self._wake = asyncio.get_running_loop().create_future()
        try:
            await self._wake
        finally:
            self._wake = None

    def _own_up(self) -> None:
        for (venue, connection), frames in self._dropped.items():
            self._news.append(Dropped(venue, connection, frames))
        self._dropped.clear()

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _measure(self, minute: int) -> None:
        if minute != self._minute:
            self._minute, self._in_minute = minute, 0
        self._in_minute += 1
        if 2 * self._in_minute > self._limit:
            self._limit = 2 * self._in_minute
