"""What the API answers, as far as the dashboard reads it; unknown fields are ignored."""

from typing import Generic, Literal, TypeVar

from msgspec import Struct

from services.common.messages import Alert, FeedName, Signal, Tick

T = TypeVar("T")


class Listing(Struct, Generic[T], frozen=True):
    """One page of a resource, with the name of the feed it comes from."""

    data: tuple[T, ...]
    feed: FeedName | None = None


class Bar(Struct, frozen=True):
    """One OHLCV bar; ``complete`` once no trade can change it."""

    start_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trade_count: int
    complete: bool


class SymbolStats(Struct, frozen=True):
    """One symbol's last day; ``tick_rate`` in trades per second."""

    symbol: str
    last_price: float | None = None
    tick_rate: float | None = None
    change_24h_pct: float | None = None


class WatchedPair(Struct, frozen=True):
    """A pair and how it is measured; ``min_samples`` is what it takes to say anything."""

    pair: str
    y: str
    x: str
    min_samples: int
    entry_z: float
    exit_z: float
    stale_after_s: float
    transform: str = ""


class ServiceHealth(Struct, frozen=True):
    """One service as its heartbeat tells it; ``age_s`` is the heartbeat's age."""

    service: str
    state: str
    healthy: bool
    age_s: float | None = None
    detail: str | None = None
    lag_messages: int | None = None


class Status(Struct, frozen=True):
    """The health of the whole pipeline."""

    services: tuple[ServiceHealth, ...] = ()
    feed: FeedName | None = None


class StreamMessage(Struct, frozen=True):
    """One message of ``/v1/stream``: a snapshot of everything first, then updates with what is new."""

    type: Literal["snapshot", "update"]
    feed: FeedName | None = None
    ticks: tuple[Tick, ...] = ()
    signals: tuple[Signal, ...] = ()
    alerts: tuple[Alert, ...] = ()
    status: Status | None = None
