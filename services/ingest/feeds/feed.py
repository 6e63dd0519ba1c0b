"""What every feed is: a stream of what happens on it."""

from collections.abc import AsyncGenerator
from typing import Literal, NamedTuple, Protocol

from services.common.clock import MINUTE, SECOND
from services.common.messages import (
    FeedName,
    Filling,
    Liquidation,
    MarkPrice,
    Quote,
    ServiceState,
    TapeEvent,
    Tick,
    encode,
)
from services.ingest.delivery import Delivery


class Rejected(NamedTuple):
    """Bytes that could not become an event, why, and where they came from."""

    raw: bytes
    reason: str
    origin: str


class Skipped(NamedTuple):
    """A frame that is fine but not ours: another kind of stream, another symbol, an acknowledgement."""


class Counted(NamedTuple):
    """Something that happened so many times and has no message of its own."""

    counter: Literal["duplicates", "stale_streams", "reconnects", "dropped"]
    times: int = 1


class Status(NamedTuple):
    """The feed's state has changed; ``filling`` is there while the past is played."""

    state: ServiceState
    detail: str | None = None
    filling: Filling | None = None


Item = Tick | Quote | MarkPrice | Liquidation | TapeEvent | Rejected | Skipped | Counted | Status

SKIPPED = Skipped()
# The venue's clock and ours may differ by so much.
_AHEAD_US = MINUTE
DUPLICATE = Counted("duplicates")


def refuse_future(tick: Tick) -> Rejected | None:
    """Return why the tick cannot be true, if so: one trade dated ahead would make all that follow late."""
    ahead_us = tick.event_us - tick.received_us
    if ahead_us <= _AHEAD_US:
        return None
    reason = f"expected a trade of the past, received one dated {ahead_us / SECOND:.0f} s ahead of the clock"
    return Rejected(encode(tick), reason, f"{tick.symbol} trade {tick.trade_id}")


class Feed(Protocol):
    """A source of ticks. It never publishes; the service does."""

    @property
    def name(self) -> FeedName:
        """What the ticks are: nobody may take one kind for another."""

    @property
    def delivery(self) -> Delivery:
        """What the feed counts the lag of each trade in that came by itself, neither asked for nor played at once."""

    async def check(self) -> None:
        """Raise FatalError if this feed can never work; nothing has been started yet."""

    def stream(self) -> AsyncGenerator[Item]:
        """Yield what happens until the feed is over; a live feed never is."""
