"""The replay feed: a recording, at the speed it was made or at another."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from services.common.errors import BadMessageError
from services.common.messages import FeedName
from services.ingest.feeds.feed import SKIPPED, Item, Rejected, Status
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.recording import detect, lines, survey


class ReplayFeed:
    """The trades of `symbols` in a recording, paced by the times at which they were received."""

    name: FeedName = "replay"

    def __init__(self, path: Path, symbols: tuple[str, ...], pace: Pace) -> None:
        self._path = path
        self._symbols = frozenset(symbols)
        self._pace = pace

    async def check(self) -> None:
        """Raise FatalError if the file cannot be replayed or lacks a symbol."""
        await asyncio.to_thread(survey, self._path, self._symbols)

    async def stream(self) -> AsyncGenerator[Item]:
        """Yield the recording once; event times are the recorded ones, receipt times are now."""
        layout = detect(self._path)
        yield Status("running")
        for number, line in lines(self._path):
            try:
                await self._pace.until(layout.received_us(line))
                tick = layout.tick(line, self._pace.now_us())
            except BadMessageError as error:
                yield Rejected(line.rstrip(b"\r\n"), str(error), f"{self._path}:{number}")
            else:
                yield tick if tick and tick.symbol in self._symbols else SKIPPED
