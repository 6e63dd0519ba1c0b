"""What every feed is: a stream of what happens on it."""

from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol

from services.common.messages import FeedName, ServiceState, Tick


class Rejected(NamedTuple):
    """Bytes that could not become a tick, why, and where they came from."""

    raw: bytes
    reason: str
    origin: str


class Skipped(NamedTuple):
    """A frame that is fine but not ours: another kind of stream, another symbol, an acknowledgement."""


class Status(NamedTuple):
    """The feed's state has changed."""

    state: ServiceState
    detail: str | None = None


Item = Tick | Rejected | Skipped | Status

SKIPPED = Skipped()


class Feed(Protocol):
    """A source of ticks. It never publishes; the service does."""

    @property
    def name(self) -> FeedName:
        """What the ticks are: nobody may take one kind for another."""

    async def check(self) -> None:
        """Raise FatalError if this feed can never work; nothing has been started yet."""

    def stream(self) -> AsyncGenerator[Item]:
        """Yield what happens until the feed is over; a live feed never is."""
