"""Events of a venue's connections: frames, and changes of the connections.

A slot is a group of streams that share a connection, one connection after another.
"""

from collections.abc import Sequence
from typing import NamedTuple

from services.ingest.venues.venue import Stream, Venue


class Frame(NamedTuple):
    """Frame of the venue, the `number`-th on its connection."""

    raw: bytes
    received_us: int
    connection: int
    number: int
    venue: Venue


class Connected(NamedTuple):
    """A connection is open, which proves nothing yet; `reason` says why it came, None for the first."""

    venue: str
    slot: int
    connection: int
    streams: Sequence[Stream]
    reason: str | None


class Delivering(NamedTuple):
    """A connection has brought its first event."""

    venue: str
    slot: int
    connection: int


class Lost(NamedTuple):
    """A connection has ended or could not be made; another follows in `retry_s`."""

    venue: str
    slot: int
    streams: Sequence[Stream]
    reason: str
    retry_s: float


class Stale(NamedTuple):
    """A stream has been silent for longer than is plausible; its connection is being replaced."""

    venue: str
    stream: Stream
    silent_s: float
    plausible_s: float


class Live(NamedTuple):
    """A stale or refused stream delivers again."""

    venue: str
    stream: Stream


class SubscriptionRefused(NamedTuple):
    """The venue refuses a subscription."""

    venue: str
    stream: Stream
    reason: str


class Unsubscribed(NamedTuple):
    """Streams that are wanted no longer; with the last of its streams a `slot` has ended, too."""

    venue: str
    streams: Sequence[Stream]
    slot: int | None = None


class Dropped(NamedTuple):
    """Frames of one connection that found the buffer full and were dropped unparsed."""

    venue: str
    connection: int
    frames: int


Occurrence = Connected | Delivering | Lost | Stale | Live | SubscriptionRefused | Unsubscribed | Dropped
