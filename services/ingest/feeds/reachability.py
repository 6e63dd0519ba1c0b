"""Reachability of the live feed: whether trades arrive at all, checked before the pipeline starts on it."""

import asyncio
from collections.abc import Sequence

from services.common import clock
from services.common.errors import BadMessageError, TransientError
from services.ingest.connections import close_reasons
from services.ingest.connections.buffer import Buffer
from services.ingest.connections.connection import Timeouts, connect
from services.ingest.connections.events import Frame, Occurrence
from services.ingest.settings import IngestSettings
from services.ingest.venues import registry
from services.ingest.venues.selected import selected
from services.ingest.venues.venue import Acknowledgement, Venue


class _Attempt:
    """One venue, and what was last expected of it."""

    def __init__(self, venue: Venue, symbols: Sequence[str]) -> None:
        self._venue = venue
        self._symbols = symbols
        self.url = venue.name
        self.stage = "the list of symbols"

    async def trade(self, timeout_s: float) -> None:
        """Return as soon as a trade arrives."""
        symbols = await selected(self._venue, self._symbols)
        streams = [self._venue.stream("trades", symbol) for symbol in symbols]
        streams = streams[: self._venue.streams_per_connection]
        self.url = self._venue.url(streams[0].route, streams).partition("?")[0]
        self.stage = "a connection"
        buffer: Buffer[Occurrence] = Buffer()
        connection = await connect(
            self._venue, streams, 1, buffer.put, Timeouts(open_s=timeout_s), asyncio.sleep
        )
        try:
            await connection.ask(streams)
            self.stage = "a trade"
            reading = asyncio.create_task(self._read(buffer))
            await asyncio.wait([reading, connection.ended], return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                reading.cancel()
                connection.ended.result()
            await reading
        finally:
            await connection.close()

    async def _read(self, buffer: Buffer[Occurrence]) -> None:
        while True:
            frame = await buffer.next()
            assert isinstance(frame, Frame)
            events = self._venue.parse(frame.raw, clock.now_us())
            if events and not isinstance(events, Acknowledgement):
                return


async def reachable(settings: IngestSettings, timeout_s: float) -> str | None:
    """Return None if trades of every venue arrive within `timeout_s`, else the reason in words.

    A connection proves nothing, nor does an acknowledgement: only a trade does. FatalError names a symbol
    that a venue does not trade.
    """
    async with registry.opened(settings) as opened:
        for name, symbols in registry.by_venue(settings.symbols).items():
            attempt = _Attempt(opened[name], symbols)
            try:
                async with asyncio.timeout(timeout_s):
                    await attempt.trade(timeout_s)
            except TimeoutError:
                return f"expected {attempt.stage} from {attempt.url} within {timeout_s:g} s, received none"
            except close_reasons.ERRORS as error:
                return close_reasons.reason(attempt.url, error)
            except (TransientError, BadMessageError) as error:
                return str(error)
    return None
