"""Protocol of a venue: its addresses, frames and history, as the live feed needs them."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from services.contracts.listings import Listing
from services.contracts.messages import Liquidation, MarkPrice, Quote, Tick
from services.ingest.feed import StreamKind


class Stream(NamedTuple):
    """One subscription: `symbol` is ours (``BTCUSDT.OKX``), `name` and `route` are the venue's."""

    kind: StreamKind
    symbol: str
    name: str
    route: str


class Acknowledgement(NamedTuple):
    """The venue's answer to a subscription; `error` is its reason if it refuses. It proves nothing about data."""

    request_id: int | None
    error: str | None = None


Event = Tick | Quote | MarkPrice | Liquidation
Parsed = Sequence[Event] | Acknowledgement
"""Content of a frame: its events (none if the frame is of another kind), or an acknowledgement."""


class Venue(Protocol):
    """An exchange. Symbols are normalised here: nothing behind it sees the venue's own names."""

    name: str
    """As in ``Tick.venue``."""
    streams_per_connection: int
    messages_per_second: float
    """Limit on what a client may send on one connection."""
    lifetime_s: float
    """A connection is replaced before it gets so old; infinity if the venue has no limit."""

    def stream(self, kind: StreamKind, symbol: str) -> Stream:
        """Return the stream of one kind for one symbol; FatalError if this venue has none."""

    def url(self, route: str, streams: Sequence[Stream]) -> str:
        """Return where to connect for `streams`; FatalError if one belongs on another route."""

    def subscribe(self, streams: Sequence[Stream], request_id: int) -> str:
        """Return the message that adds `streams` to a connection."""

    def unsubscribe(self, streams: Sequence[Stream], request_id: int) -> str:
        """Return the message that ends `streams`."""

    def keep_alive(self) -> tuple[str, float] | None:
        """Return the text to send and after how many quiet seconds, None if protocol pings are enough."""

    def parse(self, raw: bytes, received_us: int) -> Parsed:
        """Return the events of a frame; the BadMessageError tells the damage."""

    async def listing(self) -> list[Listing]:
        """Return every symbol of the venue, whatever its status; TransientError if it does not answer."""

    async def volumes(self) -> dict[str, float]:
        """Return the volume of each symbol in 24 h, in quote currency; TransientError if it does not answer."""

    async def check_symbols(self, symbols: Iterable[str]) -> list[Listing]:
        """Return the listing if the venue trades every symbol; FatalError names those it does not, with a near match.

        TransientError if it does not answer.
        """

    async def time_us(self) -> int:
        """Return what time it is there; TransientError or BadMessageError if it does not say."""

    def hurried(self, patience_s: float) -> AbstractContextManager[None]:
        """Refuse requests meanwhile that what the venue allows would hold up for longer (VenueBusyError)."""

    async def since(self, symbol: str, start_us: int) -> list[Tick]:
        """Return the first page of history at or after `start_us`, empty if there are no trades yet.

        The page and the errors are those of `trades`.
        """

    async def trades(self, symbol: str, first_id: int) -> list[Tick]:
        """Return a page of history: trades from `first_id` on, ascending by id, as many as one request gives.

        An empty page means that there are none with this id or a higher one. ``received_us`` is now,
        ``repaired`` false. TransientError if the venue does not answer; BadMessageError if the page is damaged;
        GoneError if it no longer has them.
        """
