"""Replay feed: recordings and archives, at the speed they were made or at another."""

import asyncio
import heapq
import resource
from collections.abc import AsyncGenerator, Collection, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Protocol, TypeVar

import structlog
from msgspec import structs

from services.common.cancellation import pause
from services.common.errors import FatalError
from services.contracts.listings import Listing
from services.contracts.messages import FeedName, Liquidation, MarkPrice, Quote, Tick
from services.ingest.delivery_lag import DeliveryLags
from services.ingest.feed import SKIPPED, FeedStatus, Item, StreamKind
from services.ingest.feeds.archive.archive import VENUE, WINDOW, Archive, by_symbol
from services.ingest.feeds.archive.file import inside, is_archive
from services.ingest.feeds.file_growth import LOOK_AGAIN_S
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.read_report import ReadReport
from services.ingest.feeds.recordings.reader import Recording
from services.ingest.venues.timestamps import TimestampCheck

_KINDS: dict[type[Item], StreamKind] = {
    Tick: "trades",
    Quote: "quotes",
    MarkPrice: "mark-prices",
    Liquidation: "liquidations",
}
# Items read ahead in a thread: parsing a day of an archive takes seconds.
_AHEAD = 2048
# All symbols together have room for rows out of order, but each for so many.
_LEAST_WINDOW = 1 << 9
_OTHER_FILES = 128

log = structlog.get_logger()


class ReplaySource(Protocol):
    """Source of a replay: one recording, or the archive of one symbol."""

    name: str
    report: ReadReport

    def items(self) -> Iterator[tuple[int, Item | None]]:
        """Yield what happened, each with its time (epoch, us), ascending; None where nothing more is written yet."""


Received = TypeVar("Received", bound=Tick | Quote | MarkPrice | Liquidation)


class ReplayFeed:
    """Replay of recordings and archives: their trades of `symbols`, merged by time."""

    name: FeedName = "replay"

    def __init__(
        self, path: Path, symbols: Iterable[str], pace: Pace, streams: Collection[StreamKind] = ()
    ) -> None:
        """`path` is a file, a directory of an archive, or several of them separated by commas."""
        self.delivery = DeliveryLags()
        self._stamps = TimestampCheck()
        self._paths = _several(path)
        self._symbols = frozenset(symbols)
        self._kinds: set[StreamKind] = {"trades", *streams}
        self._pace = pace

    async def check(self) -> None:
        """Raise FatalError if a file has nothing that can be replayed, or if no file has a symbol.

        Little of a large file is read: that each file can be read and has a usable line is known of its first 16 MiB,
        unpacked, and that a recording has trades of every symbol is promised only if all of it is no larger; what the
        first 16 and, of a plain file, the last 4 MiB lack may still come, and is said at the end if it has not. An
        archive's symbols are those in its names. Damage elsewhere and an end that is cut off are reported while
        it is replayed.
        """
        await asyncio.to_thread(self._survey)

    def vouches(self, price: MarkPrice) -> bool:
        """Take it that one connection was recorded: lines do not say which they are of."""
        return True

    async def listing(self) -> list[Listing]:
        """Return the symbols whose trades the files hold, as far as little of a large recording tells."""
        venues = await asyncio.to_thread(self._venues)
        return [Listing(symbol=symbol, venue=venue) for symbol, venue in sorted(venues.items())]

    async def stream(self) -> AsyncGenerator[Item]:
        """Yield it all once, with the times that were recorded.

        A file that is still being written is followed until that stops; nothing later of another file comes before.
        """
        sources = await asyncio.to_thread(self._sources)
        yield FeedStatus("running")
        merged = heapq.merge(*(source.items() for source in sources), key=itemgetter(0))
        told: str | None = None
        silent = set(self._symbols)
        more = True
        while more:
            items = await asyncio.to_thread(_next, merged)
            for at_us, item in items:
                if item is None:
                    await pause(LOOK_AGAIN_S)
                    continue
                await self._pace.until(at_us)
                if silent and isinstance(item, Tick):
                    silent.discard(item.symbol)
                yield self._chosen(item)
            more = bool(items)
            found = _findings(sources)
            if not more and silent:
                names = ", ".join(sorted(silent))
                log.warning("no trades came", symbols=names)
                found.append(f"no trades of {names}")
            if found and (words := "; ".join(found)) != told:
                told = words
                yield FeedStatus("running", told)
        for source in sources:
            log.info("replayed", source=source.name, **vars(source.report))

    def _sources(self) -> list[ReplaySource]:
        recordings, files = self._open(follow=True)
        first = [tick for one in recordings for tick in islice(one.begins_with(self._symbols), _AHEAD)]
        self._stamps.foresee(sorted(first, key=attrgetter("received_us")))
        symbols = sorted(self._symbols & files.keys())
        window = max(_LEAST_WINDOW, WINDOW // max(1, len(symbols)))
        archives = [Archive(symbol, files[symbol], window, follow=True) for symbol in symbols]
        # Of an archive a file of a day and one of its month may be open together.
        _allow_open_files(len(recordings) + 2 * len(archives))
        return [*recordings, *archives]

    def received(self, item: Received) -> Received:
        """Return what was handed out with the time of its receipt: now."""
        return structs.replace(item, received_us=self._pace.now_us())

    def _chosen(self, item: Item) -> Item:
        kind = _KINDS.get(type(item))
        if kind is None:
            return item
        assert isinstance(item, Tick | Quote | MarkPrice | Liquidation)
        if kind not in self._kinds or item.symbol not in self._symbols:
            return SKIPPED
        if isinstance(item, Tick | MarkPrice) and (refused := self._stamps.refuse(item)):
            return refused
        # Archives do not say when a trade was received: there it is when it happened.
        if isinstance(item, Tick) and not item.repaired and item.received_us != item.event_us:
            self.delivery.take(item.symbol, item.received_us, item.event_us)
        return item

    def _venues(self) -> dict[str, str]:
        """Return the venue of each symbol: of an archive its name tells, of a recording its first megabyte."""
        recordings, files = self._open()
        venues = dict.fromkeys(files, VENUE)
        return venues | {tick.symbol: tick.venue for one in recordings for tick in one.begins_with()}

    def _survey(self) -> None:
        recordings, files = self._open()
        found, everything = set(files), True
        for recording in recordings:
            looked = recording.survey(self._symbols - found)
            found |= looked.symbols
            everything &= looked.everything
        if everything and (missing := self._symbols - found):
            names = ", ".join(map(str, self._paths))
            raise FatalError(
                f"{names}: expected trades of every symbol, but it has no trades of {', '.join(sorted(missing))}, "
                f"only of {', '.join(sorted(found)) or 'nothing'}"
            )
        for symbol in self._symbols & files.keys():
            Archive(symbol, files[symbol]).survey()

    def _open(self, follow: bool = False) -> tuple[list[Recording], dict[str, list[Path]]]:
        """Return the recordings, and the files of the archive by symbol."""
        archived, recordings = [], []
        for path in self._paths:
            for file in inside(path) if path.is_dir() else [path]:
                if is_archive(file):
                    archived.append(file)
                else:
                    recordings.append(Recording(file, follow))
        return recordings, by_symbol(archived)


def _next(merged: Iterator[tuple[int, Item | None]]) -> list[tuple[int, Item | None]]:
    """Return the next items, as far as they can be had without waiting."""
    found = []
    for at_us, item in islice(merged, _AHEAD):
        found.append((at_us, item))
        if item is None:
            break
    return found


def _allow_open_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _OTHER_FILES
    if resource.RLIM_INFINITY != soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        # Without it the first file too many says so.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _several(path: Path) -> list[Path]:
    # Several names together may be too long for one.
    with suppress(OSError):
        if path.exists():
            return [path]
    return [Path(part.strip()) for part in str(path).split(",")]


def _findings(sources: Iterable[ReplaySource]) -> list[str]:
    found = ((source.name, source.report.findings()) for source in sources)
    return [f"{name}: {words}" for name, words in found if words]
