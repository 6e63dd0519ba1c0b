"""Registry of venues: a symbol's suffix names its venue; a symbol without a suffix is of the first venue."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from services.common import clock
from services.common.errors import FatalError
from services.contracts.pairs import venue_suffix
from services.ingest.settings import IngestSettings
from services.ingest.venues.binance.venue import Binance
from services.ingest.venues.okx.venue import Okx
from services.ingest.venues.venue import Venue

VENUES: dict[str, Callable[[IngestSettings, Callable[[], int]], AbstractAsyncContextManager[Venue]]] = {
    Binance.name: Binance.opened,
    Okx.name: Okx.opened,
}


def venue_of(symbol: str) -> str:
    """Return the name of the symbol's venue; FatalError if we have none of that suffix.

    >>> venue_of("BTCUSDT"), venue_of("BTCUSDT.OKX"), venue_of("A.1USDT")
    ('binance', 'okx', 'binance')
    """
    suffix = venue_suffix(symbol)
    name = suffix.lower() or Binance.name
    if name not in VENUES or suffix == Binance.name.upper():
        known = ", ".join(f"X.{other.upper()}" for other in VENUES if other != Binance.name)
        raise FatalError(f"PAIRSTREAM_SYMBOLS: expected X for {Binance.name}, or {known}, received {symbol}")
    return name


def by_venue(symbols: Iterable[str]) -> dict[str, list[str]]:
    """Return the symbols of each venue that has some, by its name; FatalError if one is of no venue we know."""
    groups: dict[str, list[str]] = {}
    for symbol in symbols:
        groups.setdefault(venue_of(symbol), []).append(symbol)
    return groups


@asynccontextmanager
async def opened(
    settings: IngestSettings, now_us: Callable[[], int] = clock.now_us, *, every: bool = False
) -> AsyncIterator[dict[str, Venue]]:
    """Yield the venues of the settings' symbols, or `every` one, by name, open for requests until the end of the block.

    `now_us` is the clock by which what they answer is received.
    """
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(VENUES[name](settings, now_us))
            for name in (VENUES if every else by_venue(settings.symbols))
        }
