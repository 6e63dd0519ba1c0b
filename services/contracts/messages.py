"""Messages on the topics: frozen structs, JSON on the wire, schemas in ``schemas/``.

Times are integer microseconds since the epoch, UTC. Prices are in quote currency, sizes in base currency.
Readers ignore unknown fields; writers only ever add optional ones.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from services.contracts.alert_messages import Alert as Alert
from services.contracts.alert_messages import AlertState as AlertState
from services.contracts.alert_messages import Severity as Severity
from services.contracts.fields import Id, Microseconds, Name, NotNegative, Positive, Symbol, TradeId
from services.contracts.listings import Listing, SymbolConfig, SymbolState
from services.contracts.pair_messages import Method as Method
from services.contracts.pair_messages import PairConfig as PairConfig
from services.contracts.pair_messages import Transform as Transform
from services.contracts.radar_messages import RadarEvent as RadarEvent
from services.contracts.rules import Rule as Rule
from services.contracts.signals import Quality as Quality
from services.contracts.signals import ReversionState as ReversionState
from services.contracts.signals import Signal as Signal
from services.contracts.silences import Silence as Silence

# The number of missing trades has 64 bits, too.
_MOST_IDS = 2**63 - 1

TapeEventKind = Literal[
    "gap_found",
    "gap_repaired",
    "gap_refuted",
    "gap_unrepaired",
    "stream_stale",
    "stream_live",
    "reconnect",
    "dropped",
    "coverage",
    "messages_lost",
    "symbol_state",
]

FeedName = Literal["live", "replay", "synthetic"]
ServiceState = Literal["starting", "running", "degraded", "finished", "stopping"]


class Tick(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One trade. Unique by (symbol, event_us, trade_id); topic ``ticks``, key: symbol.

    ``repaired`` says that the stream missed it and that it was asked for afterwards: it may come late and out
    of order. It is left out where it is false.

    ``marks`` are the time marks that ingest has said of the symbol since its last trade: the ends of stretches,
    certain and doubtful ones by turns, the first one certain. Marks are on a topic of their own; so the order of
    trades and marks can be told from the tape alone.
    """

    venue: Name
    symbol: Symbol
    trade_id: TradeId
    event_us: Microseconds
    received_us: Microseconds
    price: Positive
    size: Positive
    buyer_is_maker: bool
    repaired: bool = False
    marks: tuple[Microseconds, ...] = ()


class Quote(Struct, frozen=True, kw_only=True, gc=False):
    """Best bid and ask of a symbol; topic ``quotes``, key: symbol. ``update_id`` grows, with gaps."""

    venue: Name
    symbol: Symbol
    update_id: Annotated[int, Meta(ge=0)]
    event_us: Microseconds
    received_us: Microseconds
    bid_price: Positive
    bid_size: NotNegative
    ask_price: Positive
    ask_size: NotNegative


class MarkPrice(Struct, frozen=True, kw_only=True, gc=False):
    """Mark price and funding of a perpetual; topic ``mark-prices``, key: symbol.

    ``funding_rate`` is a fraction per funding interval (0.0001 is one basis point), due at ``next_funding_us``.
    """

    venue: Name
    symbol: Symbol
    event_us: Microseconds
    received_us: Microseconds
    mark_price: Positive
    index_price: Positive | None = None
    funding_rate: float | None = None
    next_funding_us: Microseconds | None = None


class Liquidation(Struct, frozen=True, kw_only=True, gc=False):
    """A forced order; topic ``liquidations``, key: symbol. A sample: venues push at most one per symbol and second."""

    venue: Name
    symbol: Symbol
    event_us: Microseconds
    received_us: Microseconds
    side: Literal["buy", "sell"]
    price: Positive
    average_price: Positive | None
    size: Positive


class TapeEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Event on the tape of one symbol; topic ``tape-events``, key: symbol.

    ``messages_lost`` is of a whole partition, and its symbol and venue are empty: the service ``reader`` could not
    read so many ``messages`` of a ``topic`` and ``partition``, because the broker had deleted them before.

    A gap is a run of trade ids ``first_id`` to ``last_id``, inclusive, that the stream jumped over, between the
    event times ``start_us`` and ``end_us`` of its neighbours. It is found, and later ``repaired`` (every id has
    been published), ``refuted`` (the venue has no trades with these ids) or ``unrepaired``, with the reason;
    ``missing`` counts the ids still missing. An unrepaired gap may still be repaired later. ``coverage_1h`` and
    ``coverage_24h`` are shares, 0 to 1, of the trade ids of that time that are on the tape. ``symbol_state`` says that
    the symbol is in another ``state`` from now on, as in ``listings``, or ``removed`` if nobody collects it any more.
    """

    kind: TapeEventKind
    venue: Name
    symbol: Name
    at_us: Microseconds
    stream: Id | None = None
    first_id: TradeId | None = None
    last_id: TradeId | None = None
    start_us: Microseconds | None = None
    end_us: Microseconds | None = None
    missing: TradeId | None = None
    coverage_1h: Annotated[float, Meta(ge=0, le=1)] | None = None
    coverage_24h: Annotated[float, Meta(ge=0, le=1)] | None = None
    reason: str | None = None
    reader: Name | None = None
    topic: Id | None = None
    partition: Annotated[int, Meta(ge=0)] | None = None
    messages: Annotated[int, Meta(ge=0)] | None = None
    state: SymbolState | Literal["removed"] | None = None

    def require_known(self) -> None:
        """Refuse a gap that does not say which trades are missing, and when (ValueError); ``decode`` asks."""
        if not self.kind.startswith("gap_"):
            return
        if self.first_id is None or self.last_id is None or self.start_us is None or self.end_us is None:
            raise ValueError("expected first_id, last_id, start_us and end_us of a gap, received null")
        if not self.first_id <= self.last_id < self.first_id + _MOST_IDS:
            raise ValueError(f"expected last_id from first_id {self.first_id} on, received {self.last_id}")


class LegTrade(Struct, frozen=True, array_like=True, gc=False, omit_defaults=True):
    """A trade of one symbol; without a price it says what a ``TimeMark`` says.

    With ``first_id`` it stands for all trades from that id to its own, which are of one second and of which it is the
    last. With ``lost`` it says nothing but that trades of the symbol before the next one may not have been read.
    ``marks`` are those of the tick, ``is_doubtful`` is that of the mark.
    """

    symbol: Symbol
    event_us: Microseconds
    trade_id: TradeId
    price: Positive | None = None
    first_id: TradeId | None = None
    lost: bool = False
    marks: tuple[Microseconds, ...] = ()
    is_doubtful: bool = False


class LegTrades(Struct, frozen=True, kw_only=True):
    """Trades for the pairs of one partition, each symbol's in the order of its tape; topic ``leg-trades``. Internal.

    It brings the legs of a pair, which live on different partitions of ``ticks``, to one worker: one message
    for many pairs and many trades, on the partition that the names of the pairs decide.
    """

    trades: tuple[LegTrade, ...]


class TimeMark(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """No trade of `symbol` from before `event_us` follows `trade_id`; topic ``time-marks``, key: symbol. Internal.

    ingest says it of symbols that are quiet while others trade, and of all when a recording ends, so that what
    a second holds depends on the tape and never on who was how fast. A mark that ``is_doubtful`` says only that
    nobody waits any longer: trades may still be on their way.
    """

    symbol: Symbol
    event_us: Microseconds
    trade_id: TradeId
    is_doubtful: bool = False


class Filling(Struct, frozen=True):
    """Progress through the history that a feed plays at its start, in seconds of event time."""

    done_s: Annotated[float, Meta(ge=0)]
    total_s: Annotated[float, Meta(ge=0)]


class DeliveryLag(Struct, frozen=True):
    """Delivery lag of a symbol: receipt time minus event time of its trades, in ms; below zero if the clocks
    differ.

    ``now_ms`` is of the latest trade; half of the last minute's trades took no longer than ``p50_ms``, 99 of 100 no
    longer than ``p99_ms``.
    """

    now_ms: int
    p50_ms: int
    p99_ms: int


class TradeRate(Struct, frozen=True):
    """Rates of a symbol over the last minute: trades a second, and their price × size in quote currency a second.

    ``price`` is that of the last trade, whenever that was; null of an ingest that does not tell it.
    """

    trades: Annotated[float, Meta(ge=0)]
    quote_volume: Annotated[float, Meta(ge=0)]
    price: float | None = None


class Heartbeat(Struct, frozen=True, kw_only=True):
    """Heartbeat of one process, once a second; topic ``heartbeats``, key: service/instance.

    ``instance`` names the process among those of its service: host, process id and start. Without it all are one.
    Times are of the process's own clock, and nobody judges by them who lives. The last one of a process that ends as
    it was asked to has the state ``stopping``.

    ``counters`` holds totals since the start (``ticks``, ``dead_letters``, ...); ``lag_messages`` how many
    messages wait to be read (of ingest: to be taken by the broker), ``lag_seconds`` for how long the oldest of them
    has waited. ``lost`` counts, by topic, the messages that the broker had deleted before the service read them.
    ``filling`` is there while ingest plays the history that precedes the present. ``delivery`` of ingest is the
    lag of each symbol that had trades in the last minute, ``trade_rates`` those of each symbol that is collected and
    has traded; what was asked for afterwards is not counted.
    ``clock_behind_us`` of ingest is how far its clock is behind the venue's, negative if it is ahead, and 0 while they
    agree: receipts are put right by it, ``at_us`` is not. ``disk_free`` is the free share of the disk it works on.
    """

    service: Name
    at_us: Microseconds
    started_us: Microseconds
    state: ServiceState
    version: str
    feed: FeedName | None = None
    detail: str | None = None
    lag_messages: int | None = None
    lag_seconds: float | None = None
    counters: dict[str, int] = {}
    lost: dict[str, int] = {}
    filling: Filling | None = None
    delivery: dict[Name, DeliveryLag] = {}
    trade_rates: dict[Name, TradeRate] = {}
    instance: Name | None = None
    clock_behind_us: int = 0
    disk_free: Annotated[float, Meta(ge=0, le=1)] | None = None


MESSAGES: dict[str, type[Struct]] = {
    "tick": Tick,
    "quote": Quote,
    "mark-price": MarkPrice,
    "liquidation": Liquidation,
    "tape-event": TapeEvent,
    "leg-trades": LegTrades,
    "time-mark": TimeMark,
    "pair-config": PairConfig,
    "rule": Rule,
    "silence": Silence,
    "symbol-config": SymbolConfig,
    "listing": Listing,
    "signal": Signal,
    "alert": Alert,
    "radar-event": RadarEvent,
    "heartbeat": Heartbeat,
}
