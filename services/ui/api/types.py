"""API types, as far as the dashboard reads them; unknown fields are ignored."""

from typing import Generic, Literal, TypeVar

from msgspec import Struct

from services.contracts.messages import Alert, FeedName, Filling, Signal, Tick
from services.contracts.pair_messages import DEFAULTS

T = TypeVar("T")


class Listing(Struct, Generic[T], frozen=True):
    """One page of a resource, with the name of the feed it comes from."""

    data: tuple[T, ...]
    feed: FeedName | None = None
    next_cursor: str | None = None


class Bar(Struct, frozen=True):
    """One OHLCV bar; ``closed`` once its time has passed, of which ``coverage`` is the share there was data for."""

    start_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trade_count: int
    closed: bool
    vwap: float | None = None
    coverage: float = 1.0

    @property
    def is_whole(self) -> bool:
        """Return whether its time has passed and nothing of it is missing."""
        return self.closed and self.coverage == 1


class SymbolStats(Struct, frozen=True):
    """One symbol's last day; ``tick_rate`` in trades per second, ``volume_24h`` in base currency."""

    symbol: str
    last_price: float | None = None
    last_event_us: int | None = None
    volume_24h: float | None = None
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
    window: int = DEFAULTS.window
    method: str = DEFAULTS.method
    intercept: bool = True
    paused: bool = False
    only_while_reverting: bool = False
    warning: str | None = None


class ProcessHealth(Struct, frozen=True):
    """One process of a service; ``said`` is the state in its last heartbeat, and ``state`` equals it while alive."""

    instance: str | None
    state: str
    said: str
    healthy: bool | None
    age_s: float | None = None
    lag_messages: int | None = None
    counters: dict[str, int] = {}


class ServiceHealth(Struct, frozen=True):
    """One service as its heartbeats tell it; ``age_s`` is the heartbeat's age, ``counters`` totals since its start.

    ``healthy`` is None while the API cannot tell. ``lost`` counts the messages that the broker had deleted before the
    service read them, by topic, and ``unacknowledged`` those that nobody has taken note of.
    """

    service: str
    state: str
    healthy: bool | None
    age_s: float | None = None
    detail: str | None = None
    lag_messages: int | None = None
    lag_seconds: float | None = None
    version: str | None = None
    counters: dict[str, int] = {}
    lost: dict[str, int] = {}
    filling: Filling | None = None
    unacknowledged: dict[str, int] = {}
    instances: tuple[ProcessHealth, ...] = ()

    @property
    def partly_silent(self) -> str:
        """Return how many of its processes are silent, in words; empty if none or all of them are."""
        silent = sum(one.state == "silent" for one in self.instances)
        return f"{silent} of {len(self.instances)} silent" if 0 < silent < len(self.instances) else ""

    @property
    def has_only_lost(self) -> bool:
        """Return whether nothing is wrong but that nobody has acknowledged what it lost."""
        return bool(self.unacknowledged and self.instances) and all(one.healthy for one in self.instances)


class SymbolTape(Struct, frozen=True):
    """Coverage of a symbol's tape: shares of the trades of the last hour and day, 0 to 1.

    ``stale`` names its streams that are silent longer than their rate makes plausible. ``delivery_...`` are the lags
    of the last minute's trades; None if none came by itself.
    """

    symbol: str
    last_event_us: int | None = None
    coverage_1h: float | None = None
    coverage_24h: float | None = None
    open_gaps: int = 0
    stale: tuple[str, ...] = ()
    delivery_now_ms: int | None = None
    delivery_p50_ms: int | None = None
    delivery_p99_ms: int | None = None


class Status(Struct, frozen=True):
    """The health of the whole pipeline; ``left_out`` counts heartbeats of processes that are too many to list."""

    services: tuple[ServiceHealth, ...] = ()
    feed: FeedName | None = None
    symbols: tuple[SymbolTape, ...] = ()
    left_out: int = 0


class Gap(Struct, frozen=True):
    """A run of trade ids that the stream jumped over; ``missing`` of them are not here.

    The trades before and after it were at ``start_us`` and ``end_us``.
    """

    symbol: str
    first_id: int
    last_id: int
    start_us: int
    end_us: int
    found_us: int
    updated_us: int
    state: str
    missing: int
    reason: str | None = None


class HandledAlert(Alert, frozen=True, kw_only=True, gc=False):
    """An alert, which one has retracted it, who has seen it, and until when nobody is to be told of it."""

    retracted_by: str | None = None
    acked_us: int | None = None
    acked_by: str | None = None
    snoozed_until_us: int | None = None


class StreamMessage(Struct, frozen=True):
    """One message of ``/v1/stream``: a snapshot of everything first, then updates with what is new.

    ``degraded`` says why what it brings may be old, or not all: in a snapshot if it is, and when that changes.
    """

    type: Literal["snapshot", "update", "ack"]
    feed: FeedName | None = None
    ticks: tuple[Tick, ...] = ()
    signals: tuple[Signal, ...] = ()
    alerts: tuple[HandledAlert, ...] = ()
    status: Status | None = None
    scope: Literal["all", "added"] = "all"
    degraded: tuple[str, ...] | None = None
