"""What the API answers, described for its readers: one model per record, in the order of its columns."""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from services.common.messages import AlertState, FeedName, Quality

T = TypeVar("T")

EpochUs = Annotated[int, Field(description="Microseconds since 1970, UTC.", examples=[1767225600123456])]
IsoTime = Annotated[
    str, Field(description="The same in ISO 8601, UTC.", examples=["2026-01-01T00:00:00.123456Z"])
]
Symbol = Annotated[str, Field(description="The future's symbol at the venue.", examples=["BTCUSDT"])]
PairName = Annotated[str, Field(description="Y-X: Y is regressed on X.", examples=["ETHUSDT-BTCUSDT"])]
Price = Annotated[float, Field(description="In quote currency.", examples=[64123.4])]
Feed = Annotated[
    FeedName | None, Field(description="Where all this comes from; null until ingest has said it.")
]
AgeS = Annotated[float | None, Field(description="Seconds since then by the wall clock.", examples=[0.412])]
GapState = Literal["found", "unrepaired", "refuted", "repaired"]
TradeId = Annotated[int, Field(description="The venue's id.", examples=[2947204771])]
Coverage1h = Annotated[
    float | None,
    Field(description="Share of the last hour's trades that are here; null until known.", examples=[1.0]),
]
Coverage24h = Annotated[
    float | None,
    Field(description="Share of the last day's trades that are here; null until known.", examples=[0.99998]),
]
OpenGaps = Annotated[int, Field(description="Gaps whose trades are missing still.", examples=[0])]


class Record(BaseModel):
    """A record has exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class Listing(Record, Generic[T]):
    """Records of one resource, with the feed they come from."""

    feed: Feed
    data: list[T]
    next_cursor: Annotated[
        str | None,
        Field(description="Give it as `cursor` for the page that follows; absent when there is none yet."),
    ] = None


class Tick(Record):
    """One trade."""

    symbol: Symbol
    trade_id: TradeId
    event_us: EpochUs
    event_time: IsoTime
    received_us: EpochUs
    received_time: IsoTime
    venue: Annotated[str, Field(examples=["binance"])]
    price: Price
    size: Annotated[float, Field(description="In base currency.", examples=[0.25])]
    buyer_is_maker: Annotated[bool, Field(description="True if the seller took liquidity.")]
    repaired: Annotated[
        bool, Field(description="True if the stream missed it and it was asked for afterwards.")
    ]


class Bar(Record):
    """The trades of one interval; intervals without a trade have no bar."""

    start_us: EpochUs
    start_time: IsoTime
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Annotated[float, Field(description="In base currency.", examples=[12.5])]
    quote_volume: Annotated[float, Field(description="Sum of price times size.", examples=[801542.5])]
    vwap: Annotated[float, Field(description="quote_volume / volume.", examples=[64123.4])]
    trade_count: Annotated[int, Field(examples=[118])]
    complete: Annotated[bool, Field(description="A trade at or after the end of the bar is stored.")]


class Signal(Record):
    """A pair at the close of one second; what could not be computed is null, and `reason` says why."""

    pair: PairName
    event_us: EpochUs
    event_time: IsoTime
    y_price: Price
    x_price: Price
    hedge_ratio: Annotated[float | None, Field(examples=[0.0521])]
    intercept: Annotated[float | None, Field(examples=[12.5])]
    method: Annotated[str, Field(description="How the hedge ratio is estimated.", examples=["ols"])]
    spread: Annotated[float | None, Field(description="y - (intercept + hedge_ratio * x).", examples=[1.25])]
    zscore: Annotated[
        float | None, Field(description="The spread in standard errors of the fit.", examples=[-1.8])
    ]
    correlation: Annotated[float | None, Field(examples=[0.87])]
    window: Annotated[int, Field(description="Samples fitted, of one second each.", examples=[300])]
    samples: Annotated[int, Field(description="Samples in the window by now.", examples=[300])]
    quality: Quality
    reason: Annotated[str | None, Field(examples=["12 samples, 30 needed"])]


class LatestSignal(Signal):
    """A pair now: at the close of its last second, or, where `closed` is false, since then."""

    closed: Annotated[bool, Field(description="False while the second is open; such signals are not stored.")]
    late: Annotated[int, Field(description="Trades that came too late to be measured.", examples=[0])]


class Alert(Record):
    """One transition of one rule on one pair."""

    alert_id: str
    rule_id: Annotated[str, Field(examples=["zscore"])]
    pair: PairName
    event_us: EpochUs
    event_time: IsoTime
    state: AlertState
    value: Annotated[float, Field(examples=[2.31])]
    threshold: Annotated[float, Field(examples=[2.0])]
    message: str


class Gap(Record):
    """A run of trade ids that the stream jumped over, and what became of it."""

    symbol: Symbol
    first_id: TradeId
    last_id: TradeId
    venue: Annotated[str, Field(examples=["binance"])]
    start_us: EpochUs
    start_time: IsoTime
    end_us: EpochUs
    end_time: IsoTime
    found_us: EpochUs
    found_time: IsoTime
    updated_us: EpochUs
    updated_time: IsoTime
    state: Annotated[
        GapState,
        Field(
            description="`found`: being repaired; `repaired`: every trade is here; `refuted`: the venue has no such "
            "trades; `unrepaired`: they could not be had, `reason` says why."
        ),
    ]
    missing: Annotated[int, Field(description="Ids that are missing still.", examples=[17])]
    reason: Annotated[str | None, Field(examples=["older than the 48 hours the venue keeps"])]


class SymbolCoverage(Record):
    """How much of a symbol's tape is here, as it was at `coverage_us`."""

    symbol: Symbol
    coverage_1h: Coverage1h
    coverage_24h: Coverage24h
    coverage_us: EpochUs | None
    coverage_time: IsoTime | None
    open_gaps: OpenGaps
    missing: Annotated[int, Field(description="Trade ids that open gaps lack.", examples=[0])]


class GapLedger(Listing[Gap]):
    """Gaps, with the coverage of each symbol asked for."""

    coverage: list[SymbolCoverage]


class SymbolPrice(Record):
    """A symbol's last trade; null before the first."""

    symbol: Symbol
    last_price: Price | None
    last_event_us: EpochUs | None
    last_event_time: IsoTime | None
    age_s: AgeS


class SymbolDay(SymbolPrice):
    """A symbol's last trade and the 24 hours before it, in whole minutes."""

    volume_24h: Annotated[float, Field(description="In base currency.", examples=[10250.5])]
    trades_24h: Annotated[int, Field(examples=[812345])]
    tick_rate: Annotated[
        float, Field(description="Trades per second in the 60 seconds before the last one.", examples=[9.4])
    ]
    change_24h_pct: Annotated[
        float | None,
        Field(description="Against the last price 24 hours before; null if none is stored for that hour."),
    ]


class SymbolState(SymbolPrice):
    """A symbol's last trade, and how complete its tape is."""

    coverage_1h: Coverage1h
    coverage_24h: Coverage24h
    open_gaps: OpenGaps
    stale: Annotated[
        list[str],
        Field(description="Its streams that are silent longer than their rate makes plausible."),
    ]


class Pair(Record):
    """A pair and how it is measured."""

    pair: PairName
    y: Symbol
    x: Symbol
    window: Annotated[int, Field(description="Samples fitted, of one second each.", examples=[300])]
    min_samples: Annotated[int, Field(description="Samples it takes to say anything.", examples=[30])]
    method: Annotated[str, Field(examples=["ols"])]
    price_transform: Literal["raw", "log"]
    entry_z: Annotated[float, Field(description="An alert fires beyond it.", examples=[2.0])]
    exit_z: Annotated[float, Field(description="An alert is resolved within it.", examples=[0.5])]
    stale_after_s: Annotated[
        float, Field(description="Without a trade of a leg for so long.", examples=[10.0])
    ]
    last_signal: LatestSignal | None


class ServiceHealth(Record):
    """A service as its last heartbeat tells it."""

    service: Annotated[str, Field(examples=["ingest"])]
    state: Literal["unknown", "starting", "running", "degraded", "finished", "stopping"]
    healthy: Annotated[bool, Field(description="Running or finished, and heard of within 5 seconds.")]
    age_s: AgeS
    version: str | None
    detail: str | None
    lag_messages: Annotated[int | None, Field(description="Messages that wait to be read.", examples=[3])]
    counters: Annotated[
        dict[str, int], Field(description="Totals since its start.", examples=[{"ticks": 9120}])
    ]


class Status(Record):
    """The health of the whole pipeline."""

    feed: Feed
    version: Annotated[str, Field(examples=["0.1.0"])]
    now_us: EpochUs
    now_time: IsoTime
    services: list[ServiceHealth]
    symbols: list[SymbolState]


class Health(Record):
    """The process answers."""

    status: Literal["ok"] = "ok"


class FieldError(Record):
    """One thing that is wrong with a request."""

    field: Annotated[str, Field(examples=["limit"])]
    expected: Annotated[str, Field(examples=["less than or equal to 10000"])]
    received: Annotated[str | None, Field(examples=["20000"])]


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: Annotated[str, Field(examples=["urn:pairstream:problem:unknown-symbol"])]
    title: Annotated[str, Field(examples=["Unknown symbol"])]
    status: Annotated[int, Field(examples=[404])]
    detail: Annotated[str, Field(examples=["expected one of BTCUSDT, ETHUSDT, received 'XRPUSDT'"])]
    errors: Annotated[list[FieldError] | None, Field(description="Of an invalid request.")] = None
    known: Annotated[list[str] | None, Field(description="What is known, if it is not what was asked.")] = (
        None
    )
    reasons: Annotated[list[str] | None, Field(description="Why the service is not ready.")] = None
    id: Annotated[str | None, Field(description="Of an internal error: find it in the log.")] = None
