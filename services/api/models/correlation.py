"""Models of the correlation matrix."""

from typing import Annotated, Literal

from pydantic import Field

from services.api.models.analysis import BarsAvailable, BarSeconds, CarriedKept, Cut, DatasetId
from services.api.models.base import EpochUs, Feed, IsoTime, Record, Symbol

CorrelationMethod = Literal["pearson", "spearman"]
Of = Literal["returns", "prices"]
Coefficient = Annotated[
    float | None,
    Field(
        ge=-1,
        le=1,
        description="Null without enough data, exactly 1 of a symbol and itself.",
        examples=[0.87],
    ),
]
Samples = Annotated[int, Field(ge=0, description="Returns or prices that both symbols have.", examples=[499])]


class Cell(Record):
    """The correlation of two symbols, of the bars that both have."""

    symbol: Symbol
    other: Symbol
    correlation: Coefficient
    samples: Samples
    breaks: Annotated[
        int,
        Field(
            description="Common bars not followed by the next interval: a return from there on spans more than "
            "`bar_s`.",
            examples=[0],
        ),
    ]
    reason: Annotated[
        str | None,
        Field(
            description="Why there is none; at least 30 samples are needed.",
            examples=["12 samples, 30 needed"],
        ),
    ]


class Correlation(Record):
    """A symmetric matrix: a cell for each two of `symbols`, row by row, in `data`."""

    feed: Feed
    dataset: DatasetId
    bar_s: BarSeconds
    method: Annotated[CorrelationMethod, Field(description="Spearman's is of ranks.")]
    of: Annotated[Of, Field(description="Log returns between neighbouring common bars, or closes.")]
    first_us: Annotated[EpochUs | None, Field(description="Start of the first bar of any symbol.")]
    first_time: IsoTime | None
    last_us: Annotated[EpochUs | None, Field(description="Start of the last one.")]
    last_time: IsoTime | None
    carried: CarriedKept
    carried_bars: Annotated[
        dict[str, int | None],
        Field(
            description="Of each symbol the bars in which it did not trade, as in an analysis: `carried_y`.",
            examples=[{"BTCUSDT": 0, "ETHUSDT": 12}],
        ),
    ]
    bars_available: BarsAvailable
    cut: Cut
    symbols: Annotated[list[Symbol], Field(description="Of rows and columns.")]
    data: list[Cell]
