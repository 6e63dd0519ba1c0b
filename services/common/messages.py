"""The messages on the topics: frozen structs, JSON on the wire, schemas in ``schemas/``.

Times are integer microseconds since the epoch, UTC. Prices are in quote currency, sizes in base currency.
Readers ignore unknown fields; writers only ever add optional ones.
"""

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from services.common.errors import BadMessageError

# No venue comes near the bound; beyond it squares of prices overflow.
Positive = Annotated[float, Meta(gt=0, lt=1e20)]
# Before the year 10000: Python's datetime ends there, and milli- or nanoseconds by mistake fall outside.
Microseconds = Annotated[int, Meta(ge=0, lt=253_402_300_800_000_000)]

Count = Annotated[int, Meta(ge=0, lt=2**31)]

Quality = Literal["ok", "not_enough_data", "stale"]
AlertState = Literal["firing", "resolved"]
FeedName = Literal["live", "replay", "synthetic"]
ServiceState = Literal["starting", "running", "degraded", "finished", "stopping"]


class Tick(Struct, frozen=True, kw_only=True, gc=False):
    """One trade. Unique by (symbol, event_us, trade_id); topic ``ticks``, key: symbol."""

    venue: str
    symbol: str
    trade_id: Annotated[int, Meta(ge=0)]
    event_us: Microseconds
    received_us: Microseconds
    price: Positive
    size: Positive
    buyer_is_maker: bool


class PairEvent(Struct, frozen=True, kw_only=True, gc=False):
    """A trade of one leg of one pair, or the passing of time on both; topic ``pair-events``, key: pair. Internal.

    It brings the legs of a pair, which live on different partitions of ``ticks``, to one worker. On a quiet
    pair the worker sends itself a ``clock`` event, so that what a timer decided can be replayed too.
    """

    pair: str
    leg: Literal["y", "x", "clock"]
    event_us: Microseconds
    trade_id: Annotated[int, Meta(ge=0)] = 0
    price: Positive | None = None


class Signal(Struct, frozen=True, kw_only=True, gc=False):
    """The state of one pair at the close of one second. Unique by (pair, event_us); topic ``signals``, key: pair.

    ``event_us`` is the end of the second. The parameters are fitted on the window before it, so ``spread``
    and ``zscore`` never see the observation they judge. Unless ``quality`` is ``ok``, what could not be
    computed is null and ``reason`` says why.
    """

    pair: str
    event_us: Microseconds
    y_price: Positive
    x_price: Positive
    hedge_ratio: float | None
    intercept: float | None
    method: str
    spread: float | None
    zscore: float | None
    correlation: float | None
    window: Count
    samples: Count
    quality: Quality
    reason: str | None = None


class Alert(Struct, frozen=True, kw_only=True, gc=False):
    """One transition of one rule on one pair; topic ``alerts``, key: pair. ``alert_id`` is deterministic."""

    alert_id: str
    rule_id: str
    pair: str
    event_us: Microseconds
    state: AlertState
    value: float
    threshold: float
    message: str


class Heartbeat(Struct, frozen=True, kw_only=True):
    """What one service says of itself every second; topic ``heartbeats``, key: service.

    ``counters`` holds totals since the start (``ticks``, ``dead_letters``, ...); ``lag_messages`` how many
    messages wait to be read.
    """

    service: str
    at_us: Microseconds
    started_us: Microseconds
    state: ServiceState
    version: str
    feed: FeedName | None = None
    detail: str | None = None
    lag_messages: int | None = None
    counters: dict[str, int] = {}


MESSAGES: dict[str, type[Struct]] = {
    "tick": Tick,
    "pair-event": PairEvent,
    "signal": Signal,
    "alert": Alert,
    "heartbeat": Heartbeat,
}

encode = msgspec.json.Encoder().encode

T = TypeVar("T", bound=Struct)
_decoders: dict[type[Struct], msgspec.json.Decoder[Struct]] = {
    struct: msgspec.json.Decoder(struct) for struct in MESSAGES.values()
}


def decode(raw: bytes | None, kind: type[T]) -> T:
    """Return the message in `raw`; BadMessageError says what is wrong with it."""
    try:
        return _decoders[kind].decode(raw or b"")  # type: ignore[return-value]
    # A RecursionError is what hostile nesting ends in.
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        received = (raw or b"")[:80]
        raise BadMessageError(f"expected a {kind.__name__}, received {received!r}: {error}") from error
