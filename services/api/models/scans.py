"""Models of scans of all pairs."""

from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from services.api.models.base import EpochUs, IsoTime, Listing, Record
from services.api.models.jobs import Job
from services.api.parameters import DatasetName, SymbolName
from services.api.time_parameters import Moment
from services.contracts.intervals import USUAL, Interval
from services.contracts.messages import Transform
from services.contracts.scans import (
    MOST_LAGS,
    MOST_SYMBOLS,
    NEWEST_BARS,
    Correction,
    Criterion,
    ScanRequest,
    ScanTrend,
    Stage,
)

_P = "the greater p-value of both ways round, because the smaller one would double the size of the test"
PValue = Annotated[float | None, Field(description=f"Engle-Granger: {_P}.", examples=[0.0004])]
Symbols = Annotated[list[str], Field(description="Symbols.", examples=[["BTCUSDT", "ETHUSDT"]])]


class ScanOptions(Record):
    """What is tested, and how."""

    symbols: Annotated[
        list[SymbolName] | None,
        Field(
            min_length=2,
            max_length=MOST_SYMBOLS,
            description="At least two; without them every symbol that has bars.",
            examples=[["BTCUSDT", "ETHUSDT"]],
        ),
    ] = None
    interval: Annotated[
        Interval | None,
        Field(
            description=f"Width of a bar; without it {USUAL} of the market, and a dataset's own.",
            examples=[USUAL],
        ),
    ] = None
    bars: Annotated[
        int, Field(ge=60, le=100_000, description="How many, without a start.", examples=[NEWEST_BARS])
    ] = NEWEST_BARS
    transform: Annotated[
        Transform, Field(description="What is tested: prices or their logarithms.", examples=["log"])
    ] = "log"
    trend: Annotated[
        ScanTrend,
        Field(
            description="What the tests allow for: nothing (n), a constant (c), a trend as well (ct).",
            examples=["c"],
        ),
    ] = "c"
    lags: Annotated[
        Criterion | Annotated[int, Field(ge=0, le=MOST_LAGS)],
        Field(
            description="Lagged differences in the tests: so many, or as many as AIC or BIC say.",
            examples=["aic"],
        ),
    ] = "aic"
    correction: Annotated[
        Correction,
        Field(
            description="For the number of tries: `dependent` holds however the tests depend on each other (Benjamini, "
            "Yekutieli); `measured` takes the p-values of independent walks, of as many bars (Benjamini, Hochberg): "
            "more power, some seconds more.",
            examples=["dependent"],
        ),
    ] = "dependent"
    held_out: Annotated[
        float,
        Field(gt=0, lt=1, description="Share of the bars, the last ones, for a second test.", examples=[0.3]),
    ] = 0.3

    @field_validator("symbols")
    @classmethod
    def _not_one(cls, symbols: list[str] | None) -> list[str] | None:
        if symbols is not None and len(set(symbols)) < 2:
            raise ValueError(
                f"expected at least two different symbols, received {', '.join(symbols) or 'none'}"
            )
        return symbols

    def request(self, **more: Any) -> ScanRequest:
        """Return it as research takes it."""
        return ScanRequest(
            symbols=tuple(dict.fromkeys(self.symbols or ())),
            interval=self.interval,
            bars=self.bars,
            transform=self.transform,
            trend=self.trend,
            lags=self.lags,
            correction=self.correction,
            held_out=self.held_out,
            **more,
        )


class ScanBody(ScanOptions):
    """Scan to be done: whose closes, which of them, and how they are tested."""

    dataset: DatasetName | None = None
    start: Annotated[Moment | None, Field(description="Inclusive; without it the newest `bars`.")] = None
    end: Annotated[Moment | None, Field(description="Exclusive; without it now.")] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("expected a time not before start")
        return self


class ScanSummary(Record):
    """Result of a scan in short: the range, who took part, and the funnel."""

    symbols: Annotated[
        list[str],
        Field(
            description="Who took part, in clustered order: those whose returns go together stand together.",
            examples=[["ETHUSDT", "BTCUSDT"]],
        ),
    ]
    left_out: Annotated[
        dict[str, str],
        Field(
            description="Who did not, and why.",
            examples=[{"XRPUSDT": "bars at 600 of 4,320 times, at least 95% are needed"}],
        ),
    ]
    first_us: EpochUs
    first_time: IsoTime
    last_us: EpochUs
    last_time: IsoTime
    bar_s: Annotated[float, Field(description="Width of a bar, s.", examples=[60.0])]
    bars: Annotated[
        int, Field(description="Bars of the first part, which pairs are chosen by.", examples=[3024])
    ]
    held_out_bars: Annotated[
        int, Field(description="Bars of the part held out, which survivors are tested on.", examples=[1296])
    ]
    asked_bars: Annotated[
        int | None,
        Field(description="Bars asked for: there may be fewer. Null with a start.", examples=[4320]),
    ]
    carried: Annotated[int, Field(description="Closes that are those of the bar before.", examples=[12])]
    tried: Annotated[int, Field(description="Pairs tested.", examples=[124750])]
    significant: Annotated[int, Field(description="Of these, with p < 5 % both ways round.", examples=[3207])]
    corrected: Annotated[
        int,
        Field(description="Of these, once the number of tries counts, by the `correction`.", examples=[51]),
    ]
    confirmed: Annotated[
        int,
        Field(description="Of these, those that stand the tests of survivors: see `stage`.", examples=[37]),
    ]
    refused: Annotated[int, Field(description="Pairs and symbols without a test.", examples=[1])]
    seconds: Annotated[float, Field(description="Time that the tests took, s.", examples=[14.8])]


class Scan(Job):
    """Scan: the job, and what it found in short."""

    summary: Annotated[ScanSummary | None, Field(description="Null until it is done.")]


class ScanPair(Record):
    """Two symbols, Y on X the way round that has the smaller p-value. Null is what was not tested or has no number."""

    rank: Annotated[
        int, Field(description="1 has the least p-value; last are those without a test.", examples=[1])
    ]
    y: Annotated[str, Field(description="Regressed on x.", examples=["ETHUSDT"])]
    x: Annotated[str, Field(description="The other leg.", examples=["BTCUSDT"])]
    stage: Annotated[
        Stage,
        Field(
            description="How far it came. `significant`: p < 5 % both ways round; `corrected`: so once the number of "
            "tries counts; `confirmed`: on the part held out, too, by Johansen's trace, and no break is found; "
            "`refused`: it could not be tested.",
            examples=["confirmed"],
        ),
    ]
    p_value: PValue
    adjusted_p_value: Annotated[
        float | None,
        Field(description="The same for the number of tries, by the `correction`.", examples=[0.012]),
    ]
    held_out_p_value: Annotated[
        float | None, Field(description="Of a survivor, on the part held out.", examples=[0.003])
    ]
    trace_statistic: Annotated[
        float | None,
        Field(description="Of a survivor: Johansen's, which has no way round.", examples=[31.2]),
    ]
    trace_critical_value: Annotated[
        float | None, Field(description="At 5 %; above it the legs are cointegrated.", examples=[15.49])
    ]
    break_statistic: Annotated[
        float | None,
        Field(
            description="Of a survivor, of all bars: as `structural_break` of an analysis.", examples=[8.1]
        ),
    ]
    break_critical_value: Annotated[
        float | None, Field(description="Above it one line is not enough.", examples=[15.8])
    ]
    break_us: EpochUs | None
    break_time: IsoTime | None
    hedge_ratio: Annotated[float | None, Field(description="Of the first part.", examples=[0.87])]
    hedge_ratio_se: Annotated[
        float | None, Field(description="Its classical standard error.", examples=[0.004])
    ]
    r_squared: Annotated[float | None, Field(description="Of the line.", examples=[0.93])]
    half_life_bars: Annotated[
        float | None,
        Field(
            description="Of the spread, bars, by least squares: biased, too short; null if it does not revert. See "
            "`half_life_corrected_bars`.",
            examples=[41.5],
        ),
    ]
    half_life_corrected_bars: Annotated[
        float | None,
        Field(
            description="The same as likely too short as too long (Andrews 1993); null if that is a random walk.",
            examples=[44.8],
        ),
    ]
    half_life_low_bars: Annotated[
        float | None,
        Field(
            description="Lower end of its interval of 95 %; null if that is a random walk.", examples=[33.1]
        ),
    ]
    half_life_high_bars: Annotated[
        float | None,
        Field(
            description="Upper end; null if none: a random walk, which never comes back, is not excluded.",
            examples=[64.9],
        ),
    ]
    zero_crossings: Annotated[
        int | None,
        Field(description="How often the spread changed its side of the line.", examples=[212]),
    ]
    spread_bp: Annotated[
        float | None,
        Field(
            description="Standard deviation of the spread, in basis points of y: what costs are compared with.",
            examples=[18.4],
        ),
    ]
    level_correlation: Annotated[float | None, Field(description="Of the closes.", examples=[0.96])]
    return_correlation: Annotated[float | None, Field(description="Of the steps.", examples=[0.71])]
    reason: Annotated[
        str | None,
        Field(
            description="Why a survivor is not confirmed, or there is no test.",
            examples=["p = 0.3 in the part held out"],
        ),
    ]
    spread: Annotated[
        list[float] | None,
        Field(description="Of the first 500: the spread to be drawn, thinned, in standard deviations."),
    ]


class ScanPairs(Listing[ScanPair]):
    """Pairs of a scan, the least p-value first, with the scan."""

    scan: Scan


class ScanMatrix(Record):
    """Matrix of a scan, symbols in clustered order; null where there is no number."""

    job_id: Annotated[str, Field(description="The scan.", examples=["scan-3f6b1c0a9d2e"])]
    of: Annotated[str, Field(description="What the cells are.", examples=["returns"])]
    symbols: Symbols
    cells: Annotated[
        list[list[float | None]], Field(description="A row for each symbol, in the order of `symbols`.")
    ]
