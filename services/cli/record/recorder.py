"""Recorder: frames of venues into a file, through every reconnect."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NoReturn

import structlog

from services.common import clock
from services.common.backoff import Backoff
from services.common.cancellation import TaskGroup, pause
from services.common.errors import BadMessageError, FatalError, TransientError
from services.contracts.messages import Tick
from services.ingest.connections.buffer import Buffer
from services.ingest.connections.connection_slot import SlotContext
from services.ingest.connections.events import Dropped, Frame, Lost, Occurrence, Stale, SubscriptionRefused
from services.ingest.connections.pool import ConnectionPool
from services.ingest.connections.stream_watchdog import StreamWatchdog
from services.ingest.feed import StreamKind
from services.ingest.feeds.recordings.writer import RecordingWriter
from services.ingest.settings import IngestSettings
from services.ingest.venues import registry
from services.ingest.venues.any_frames import instruments
from services.ingest.venues.okx.frames import instrument_of
from services.ingest.venues.okx.venue import Okx
from services.ingest.venues.rest import retry_in_s
from services.ingest.venues.selected import selected
from services.ingest.venues.venue import Venue

_FLUSH_EVERY_S = 5.0
# A venue that changes its frames changes all of them.
_LOGGED = 5
PATIENCE_S = 30.0
"""Longest time for which a venue that does not answer is asked again before the recording begins."""

log = structlog.get_logger()


class _Source:
    """The connections to one venue, and which of them the file names already."""

    def __init__(
        self, venue: Venue, symbols: Sequence[str], settings: IngestSettings, buffer: Buffer[Occurrence]
    ) -> None:
        kinds: tuple[StreamKind, ...] = ("trades", *settings.streams)
        self._venue = venue
        self._symbols = symbols
        self._streams = [venue.stream(kind, symbol) for kind in kinds for symbol in symbols]
        watchdog = StreamWatchdog(settings.silence_s * clock.SECOND)
        self._around = SlotContext(venue, buffer, watchdog, settings.reconnect_after_s)
        self.pool = ConnectionPool(self._streams, self._around)
        self.named: set[int] = set()

    def url(self, connection: int) -> str:
        """Return the address of a connection that has just brought its first frame."""
        slot = self._around.unheard.get(connection)
        # It may have ended while the frame waited.
        streams = slot.streams if slot else self._streams[:1]
        return self._venue.url(streams[0].route, streams)

    def preface(self) -> bytes | None:
        """Return a frame that says what the venue's others leave out, None if they say all."""
        if not isinstance(self._venue, Okx):
            return None
        names = map(instrument_of, self._symbols)
        return instruments({name: self._venue.contracts[name] for name in names})


class Recorder:
    """Writes what the venues send, and knows what has been heard of."""

    def __init__(self, settings: IngestSettings, opened: Mapping[str, Venue]) -> None:
        self.symbols: list[str] = []
        """Symbols that the settings select, once the venues have answered."""
        self.heard: set[str] = set()
        self.frames = self.bytes = self.dropped = self.damaged = 0
        self.trouble: str | None = None
        """Latest obstacle to recording."""
        self._settings = settings
        self._venues = opened
        self._buffer: Buffer[Occurrence] = Buffer(settings.buffer_frames)
        self._sources: dict[str, _Source] = {}

    async def wait_for_venues(self, patience_s: float = PATIENCE_S) -> None:
        """Return once every venue has confirmed that it trades our symbols.

        FatalError if one does not, or has not answered after `patience_s`.
        """
        until_s = asyncio.get_running_loop().time() + patience_s
        for name, symbols in registry.by_venue(self._settings.symbols).items():
            delays = Backoff()
            while name not in self._sources:
                try:
                    chosen = await selected(self._venues[name], symbols)
                except TransientError as error:
                    if asyncio.get_running_loop().time() >= until_s:
                        raise FatalError(f"{name} has not answered for {patience_s:g} s: {error}") from error
                    self._warn("the venue does not answer, trying again", reason=str(error))
                    await pause(retry_in_s(error, delays))
                else:
                    self.symbols += chosen
                    self._sources[name] = _Source(self._venues[name], chosen, self._settings, self._buffer)

    async def run(self, writer: RecordingWriter) -> NoReturn:
        """Record until cancelled."""
        async with TaskGroup() as tasks:
            for source in self._sources.values():
                tasks.create_task(source.pool.run())
            tasks.create_task(_flush(writer))
            while True:
                match await self._buffer.next():
                    case Frame() as frame:
                        self._take(frame, writer)
                    case occurrence:
                        self._tell(occurrence)
        raise AssertionError("the loop above does not end")

    def _take(self, frame: Frame, writer: RecordingWriter) -> None:
        source = self._sources[frame.venue.name]
        if frame.connection not in source.named:
            writer.connection(source.url(frame.connection), frame.received_us)
            if not source.named and (preface := source.preface()):
                writer.frame(preface, frame.received_us)
            source.named.add(frame.connection)
        writer.frame(frame.raw, frame.received_us)
        self.frames, self.bytes = writer.frames, writer.bytes
        try:
            events = source.pool.read(frame)
        except BadMessageError as error:
            self.damaged += 1
            if self.damaged <= _LOGGED:
                log.warning("a damaged frame is recorded unchanged", reason=str(error))
        else:
            self.heard.update(event.symbol for event in events if isinstance(event, Tick))

    def _tell(self, occurrence: Occurrence) -> None:
        match occurrence:
            case Lost():
                self._warn("disconnected, trying again", reason=occurrence.reason)
            case Stale():
                self._warn("silent, connecting anew", reason=f"nothing on {occurrence.stream.name}")
            case SubscriptionRefused():
                self._warn("refused", reason=f"{occurrence.stream.name}: {occurrence.reason}")
            case Dropped():
                self.dropped += occurrence.frames
                log.warning("frames dropped: the disk is too slow", frames=occurrence.frames)

    def _warn(self, event: str, reason: str) -> None:
        self.trouble = reason
        log.warning(event, reason=reason)


async def _flush(writer: RecordingWriter) -> NoReturn:
    """Leave a crash little to take."""
    while True:
        await pause(_FLUSH_EVERY_S)
        writer.flush()
