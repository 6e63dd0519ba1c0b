"""Models of ticks, bars and symbols."""

from typing import Annotated

from pydantic import Field

from services.api.models.base import AgeS, EpochUs, IsoTime, Price, Record, Symbol, TradeId, Venue
from services.contracts.listings import ListingStatus, SymbolState


class Tick(Record):
    """One trade."""

    symbol: Symbol
    trade_id: TradeId
    event_us: EpochUs
    event_time: IsoTime
    received_us: EpochUs
    received_time: IsoTime
    venue: Venue
    price: Price
    size: Annotated[float, Field(description="In base currency.", examples=[0.25])]
    buyer_is_maker: Annotated[bool, Field(description="True if the seller took liquidity.")]
    repaired: Annotated[
        bool, Field(description="True if the stream missed it and it was asked for afterwards.")
    ]


class Bar(Record):
    """The trades of one interval; intervals without a trade have no bar.

    A dataset has only what its files had: there what is not a price may be null.
    """

    start_us: EpochUs
    start_time: IsoTime
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Annotated[
        float | None,
        Field(description="In base currency; null if a dataset's file has none.", examples=[12.5]),
    ]
    quote_volume: Annotated[
        float | None, Field(description="Sum of price times size; null of a dataset.", examples=[801542.5])
    ]
    vwap: Annotated[
        float | None, Field(description="quote_volume / volume; null of a dataset.", examples=[64123.4])
    ]
    trade_count: Annotated[int | None, Field(description="Null of a dataset.", examples=[118])]
    closed: Annotated[
        bool,
        Field(
            description="Its time has passed: a trade at or after its end is stored; of a dataset, its time had passed "
            "when it was uploaded."
        ),
    ]
    coverage: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="The share of its time for which there was data. Of the market: from the symbol's first trade "
            "to its last one, less the open gaps of `/v1/gaps`; a quiet time is covered. Of a dataset: the bars of its "
            "files, of those that fit in.",
            examples=[1.0],
        ),
    ]
    carried: Annotated[
        bool,
        Field(
            description="Nothing traded, and the price is that of the bar before; only of a dataset, and never of a "
            "symbol without any volume above 0, of which that is not known."
        ),
    ]
    complete: Annotated[
        bool,
        Field(
            description="`closed`, with a `coverage` of 1. It goes with the next version: use these.",
            deprecated=True,
        ),
    ]


DeliveryMs = Annotated[
    int | None,
    Field(
        description="Delivery lag: ms from a trade to its receipt. `now` is of the latest trade; half of the last "
        "minute's trades took no more than `p50`, 99 of 100 no more than `p99`. Below zero if the clock of the "
        "receipts was behind the venue's; null without trades in that minute. What was asked for afterwards is "
        "not counted; of a replay it is what was recorded.",
        examples=[85],
    ),
]


State = Annotated[
    SymbolState | None,
    Field(
        description="Null unless it is collected, or would be if it traded. `filling`: its history is loaded first; "
        "`pre-trading`, `halted`, `delivered` and `delisted` are the venue's.",
        examples=["live"],
    ),
]
StateReason = Annotated[
    str | None, Field(description="Why it is in that state.", examples=["the venue says SETTLING"])
]


class SymbolPrice(Record):
    """A symbol's last trade, null before the first, and how late its trades are delivered."""

    symbol: Symbol
    collected: Annotated[
        bool,
        Field(description="False if its trades are stored, but none are collected now.", examples=[True]),
    ]
    state: State
    state_reason: StateReason
    last_price: Price | None
    last_event_us: EpochUs | None
    last_event_time: IsoTime | None
    age_s: AgeS
    delivery_now_ms: DeliveryMs
    delivery_p50_ms: DeliveryMs
    delivery_p99_ms: DeliveryMs


class SymbolDay(SymbolPrice):
    """A symbol's last trade and the 24 hours before it, in whole minutes."""

    volume_24h: Annotated[float, Field(description="In base currency.", examples=[10250.5])]
    trades_24h: Annotated[int, Field(description="How many there were.", examples=[812345])]
    tick_rate: Annotated[
        float, Field(description="Trades per second in the 60 seconds before the last one.", examples=[9.4])
    ]
    change_24h_pct: Annotated[
        float | None,
        Field(
            description="Against the last price 24 hours before; null if none is stored for that hour.",
            examples=[-1.25],
        ),
    ]
    first_event_us: Annotated[
        EpochUs | None, Field(description="Of its first stored trade, as of at most ten seconds ago.")
    ]
    first_event_time: IsoTime | None


class ListedSymbol(Record):
    """A symbol as its venue lists it, collected or not."""

    symbol: Symbol
    venue: Venue
    status: Annotated[
        ListingStatus, Field(description="Whether it trades at its venue.", examples=["trading"])
    ]
    venue_status: Annotated[
        str | None, Field(description="The same in the venue's word.", examples=["TRADING"])
    ]
    base: Annotated[str | None, Field(description="What is traded.", examples=["BTC"])]
    quote: Annotated[str | None, Field(description="What it is priced in.", examples=["USDT"])]
    contract_type: Annotated[str | None, Field(description="In the venue's word.", examples=["PERPETUAL"])]
    tick_size: Annotated[float | None, Field(description="Step of its prices.", examples=[0.1])]
    size_step: Annotated[
        float | None, Field(description="Step of its sizes, in base currency.", examples=[0.001])
    ]
    onboard_us: Annotated[int | None, Field(description="When it was listed.")]
    onboard_time: Annotated[str | None, Field(description="The same in ISO 8601, UTC.")]
    delivery_us: Annotated[int | None, Field(description="When the contract ends; null of a perpetual.")]
    delivery_time: Annotated[str | None, Field(description="The same in ISO 8601, UTC.")]
    state: State
    state_reason: StateReason
