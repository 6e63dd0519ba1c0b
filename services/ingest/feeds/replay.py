"""The replay feed: recordings and archives, at the speed they were made or at another."""

import asyncio
import heapq
from collections.abc import AsyncGenerator, Collection, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Protocol

import structlog
from msgspec import structs

from services.common.errors import FatalError
from services.common.messages import FeedName, Liquidation, MarkPrice, Quote, Tick
from services.ingest.feeds.archive import Archive, by_symbol
from services.ingest.feeds.archive_file import inside, is_archive
from services.ingest.feeds.feed import SKIPPED, Item, Status
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.recording import Recording
from services.ingest.feeds.report import Report
from services.ingest.feeds.venue import StreamKind

_KINDS: dict[type[Item], StreamKind] = {
    Tick: "trades",
    Quote: "quotes",
    MarkPrice: "mark-prices",
    Liquidation: "liquidations",
}
# Read so many items ahead, in a thread: parsing a day of an archive takes seconds.
_AHEAD = 2048

log = structlog.get_logger()


class Source(Protocol):
    """What can be replayed: one recording, or the archive of one symbol."""

    name: str
    report: Report

    def items(self) -> Iterator[tuple[int, Item]]:
        """Yield what happened, each with its time (epoch, us), ascending."""


class ReplayFeed:
    """What recordings and archives hold of `symbols`, merged by time."""

    name: FeedName = "replay"

    def __init__(
        self, path: Path, symbols: Iterable[str], pace: Pace, streams: Collection[StreamKind] = ()
    ) -> None:
        """`path` is a file, a directory of an archive, or several of them separated by commas."""
        self._paths = _several(path)
        self._symbols = frozenset(symbols)
        self._kinds: set[StreamKind] = {"trades", *streams}
        self._pace = pace

    async def check(self) -> None:
        """Raise FatalError if a file cannot be replayed, or if no file has a symbol."""
        await asyncio.to_thread(self._survey)

    async def stream(self) -> AsyncGenerator[Item]:
        """Yield it all once; event times are the recorded ones, receipt times are now."""
        recordings, files = await asyncio.to_thread(self._open)
        archives = [Archive(symbol, files[symbol]) for symbol in sorted(self._symbols & files.keys())]
        sources: list[Source] = [*recordings, *archives]
        yield Status("running")
        merged = heapq.merge(*(source.items() for source in sources), key=itemgetter(0))
        told, more = None, True
        while more:
            items = await asyncio.to_thread(list, islice(merged, _AHEAD))
            for at_us, item in items:
                await self._pace.until(at_us)
                yield self._now(item)
            if (found := _findings(sources)) != told:
                told = found
                yield Status("running", found)
            more = bool(items)
        for source in sources:
            log.info("replayed", source=source.name, **vars(source.report))

    def _now(self, item: Item) -> Item:
        kind = _KINDS.get(type(item))
        if kind is None:
            return item
        assert isinstance(item, Tick | Quote | MarkPrice | Liquidation)
        if kind not in self._kinds or item.symbol not in self._symbols:
            return SKIPPED
        return structs.replace(item, received_us=self._pace.now_us())

    def _survey(self) -> None:
        recordings, files = self._open()
        found = set(files).union(*(recording.survey(self._symbols) for recording in recordings))
        if missing := self._symbols - found:
            names = ", ".join(map(str, self._paths))
            raise FatalError(
                f"{names}: expected trades of every symbol, but it has no trades of {', '.join(sorted(missing))}, "
                f"only of {', '.join(sorted(found)) or 'nothing'}"
            )
        for symbol in self._symbols & files.keys():
            Archive(symbol, files[symbol]).survey()

    def _open(self) -> tuple[list[Recording], dict[str, list[Path]]]:
        """Return the recordings, and the files of the archive by symbol."""
        archived, recordings = [], []
        for path in self._paths:
            for file in inside(path) if path.is_dir() else [path]:
                if is_archive(file):
                    archived.append(file)
                else:
                    recordings.append(Recording(file))
        return recordings, by_symbol(archived)


def _several(path: Path) -> list[Path]:
    # Several names together may be too long for one.
    with suppress(OSError):
        if path.exists():
            return [path]
    return [Path(part.strip()) for part in str(path).split(",")]


def _findings(sources: Iterable[Source]) -> str | None:
    found = ((source.name, source.report.findings()) for source in sources)
    return "; ".join(f"{name}: {words}" for name, words in found if words) or None
