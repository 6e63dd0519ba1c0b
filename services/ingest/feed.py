"""Protocol of a feed, and the items that a feed yields."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from services.contracts.listings import Listing, SymbolConfig
from services.contracts.messages import (
    FeedName,
    Filling,
    Liquidation,
    MarkPrice,
    Quote,
    ServiceState,
    TapeEvent,
    Tick,
)
from services.ingest.delivery_lag import DeliveryLags

StreamKind = Literal["trades", "quotes", "mark-prices", "liquidations"]
"""Kind of the events of a venue's stream."""


class Rejected(NamedTuple):
    """Bytes that could not become an event, why, and where they came from."""

    raw: bytes
    reason: str
    origin: str


class Skipped(NamedTuple):
    """A frame that is fine but not ours: another kind of stream, another symbol, an acknowledgement."""


class Counted(NamedTuple):
    """Event of a feed that is only counted, because it has no message."""

    counter: Literal["duplicates", "stale_streams", "reconnects", "dropped", "strangers"]
    times: int = 1


class FeedStatus(NamedTuple):
    """The feed's state has changed; ``filling`` is there while the past is played."""

    state: ServiceState
    detail: str | None = None
    filling: Filling | None = None


Item = (
    Tick | Quote | MarkPrice | Liquidation | TapeEvent | Listing | Rejected | Skipped | Counted | FeedStatus
)

SKIPPED = Skipped()
DUPLICATE = Counted("duplicates")


class Feed(Protocol):
    """A source of ticks. It never publishes; the service does."""

    @property
    def name(self) -> FeedName:
        """Kind of the feed, so that nobody takes synthetic or replayed ticks for live ones."""

    @property
    def delivery(self) -> DeliveryLags:
        """Lags of trades that came by themselves, neither requested nor played at once."""

    def vouches(self, price: MarkPrice) -> bool:
        """Tell whether the mark price that was yielded last came by the connection of the trades of its symbol."""

    async def check(self) -> None:
        """Raise FatalError if this feed can never work; nothing has been started yet."""

    async def listing(self) -> Sequence[Listing]:
        """Return every symbol that the feed has, collected or not; TransientError while that is unknown."""

    def collect(self, decisions: Mapping[str, SymbolConfig], told: Mapping[str, Listing]) -> None:
        """Collect the symbols of the settings with what users have decided, from now on.

        `told` is what was said of the symbols last, in this run or before it.
        """

    def stream(self) -> AsyncGenerator[Item]:
        """Yield what happens until the feed is over; a live feed never is."""
