"""The live feed: aggregated trades of Binance USD-M futures."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

import structlog
import websockets

from services.common import clock
from services.common.backoff import Backoff
from services.common.errors import BadMessageError, TransientError
from services.common.messages import FeedName
from services.ingest.feeds.binance_frames import parse
from services.ingest.feeds.binance_symbols import VenueBusyError, check_symbols
from services.ingest.feeds.feed import SKIPPED, Item, Rejected, Status
from services.ingest.settings import IngestSettings

# The other routes accept a subscription to aggTrade, acknowledge it, and then stay silent.
_ROUTE = "/market/stream"
_TIMEOUT_S = 5.0

log = structlog.get_logger()


def stream_url(settings: IngestSettings) -> str:
    """Return the address of the combined stream of every symbol's aggregated trades."""
    streams = "/".join(f"{symbol.lower()}@aggTrade" for symbol in settings.symbols)
    return f"{settings.binance_ws_url}{_ROUTE}?streams={streams}"


async def reachable(settings: IngestSettings, timeout_s: float) -> str | None:
    """Return None if trades arrive within `timeout_s`, else the reason in words.

    A connection proves nothing, nor does an acknowledgement: only a trade does. FatalError names a symbol
    that the venue does not trade.
    """
    stage = "the list of symbols"
    try:
        async with asyncio.timeout(timeout_s):
            await check_symbols(settings.binance_rest_url, settings.symbols, timeout_s)
            stage = "a connection"
            async with _connect(settings) as connection:
                stage = "a trade"
                while parse(await connection.recv(decode=False), clock.now_us()) is None:
                    pass
    except TimeoutError:
        return f"expected {stage} from {settings.binance_ws_url} within {timeout_s:g} s, received none"
    except (OSError, websockets.WebSocketException) as error:
        return _reason(settings, error)
    except (TransientError, BadMessageError) as error:
        return str(error)
    return None


class BinanceFeed:
    """The venue's trades as they happen, over as many connections as it takes."""

    name: FeedName = "live"

    def __init__(
        self,
        settings: IngestSettings,
        now_us: Callable[[], int] = clock.now_us,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._now_us = now_us
        self._sleep = sleep
        self._checked = False
        self._connections = 0

    async def check(self) -> None:
        """Raise FatalError if the venue says that it does not trade a symbol; its silence is no objection."""
        with contextlib.suppress(TransientError):
            await self._check_symbols()

    async def stream(self) -> AsyncGenerator[Item]:
        """Yield what the venue sends, for ever: a connection that ends is followed by another."""
        delays = Backoff()
        while not self._checked:
            try:
                await self._check_symbols()
            except TransientError as error:
                log.warning("the venue does not answer, trying again", reason=str(error))
                yield Status("degraded", str(error))
                pause = error.retry_after_s if isinstance(error, VenueBusyError) else 0.0
                await self._sleep(max(pause, delays.next_s()))
        delays = Backoff()
        while True:
            try:
                async with _connect(self._settings) as connection:
                    self._connections += 1
                    log.info("connected", url=self._settings.binance_ws_url, connection=self._connections)
                    async for item in self._trades(connection):
                        yield item
                        if isinstance(item, Status):
                            # Data has arrived. Before that a venue that hangs up at once is not worth hurry.
                            delays.reset()
            except (OSError, TimeoutError, websockets.WebSocketException) as error:
                reason = _reason(self._settings, error)
            log.warning("disconnected, trying again", reason=reason)
            yield Status("degraded", reason)
            await self._sleep(delays.next_s())

    async def _check_symbols(self) -> None:
        await check_symbols(self._settings.binance_rest_url, self._settings.symbols, _TIMEOUT_S)
        self._checked = True

    async def _trades(self, connection: websockets.ClientConnection) -> AsyncGenerator[Item]:
        """Yield one connection's items; the first trade is announced, and the end is a ConnectionClosed."""
        frame, silent = 0, True
        while True:
            raw = await connection.recv(decode=False)
            frame += 1
            try:
                tick = parse(raw, self._now_us())
            except BadMessageError as error:
                yield Rejected(raw, str(error), f"connection {self._connections} frame {frame}")
                continue
            if tick is None:
                yield SKIPPED
                continue
            if silent:
                silent = False
                yield Status("running")
            yield tick


def _connect(settings: IngestSettings) -> websockets.connect:
    # Frames of 200 bytes gain nothing from compression; a closing handshake must not hold up a stop.
    return websockets.connect(
        stream_url(settings), compression=None, open_timeout=_TIMEOUT_S, close_timeout=1.0
    )


def _reason(settings: IngestSettings, error: Exception) -> str:
    words = str(error) or type(error).__name__
    return f"expected trades from {settings.binance_ws_url}, received none: {words}"
