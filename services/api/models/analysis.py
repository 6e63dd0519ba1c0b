"""Models of a pair analysis over a history."""

from typing import Annotated

from pydantic import Field

from services.api.models.base import EpochUs, Feed, IsoTime, PairName, Price, Record, Symbol
from services.api.models.datasets import Carried
from services.api.models.evidence import Diagnostics, HalfLife, Hurst, Regression, UnitRoot, Verdict
from services.api.models.stability import Cusum, Edge, GregoryHansen, Innovations, StructuralBreak, Thirds
from services.contracts.messages import Method, Transform
from services.quant.options import Criterion, Part, Trend

DatasetId = Annotated[
    str | None, Field(description="The dataset the bars are of; null for the market's.", examples=[None])
]
BarSeconds = Annotated[float, Field(description="The width of a bar in seconds.", examples=[60.0])]

CarriedKept = Annotated[
    Carried,
    Field(description="What became of a dataset's carried bars, in which nothing traded.", examples=["drop"]),
]
CarriedBars = Annotated[
    int | None,
    Field(
        description="Bars of the range in which this leg did not trade. Of a dataset its carried bars, left out with "
        "`carried` drop, null where they are not known; of the market the intervals without a bar of it, from the "
        "first bar of either leg to the last: there a live window carries the last price, until it is stale.",
        examples=[12],
    ),
]
CarriedShare = Annotated[
    float | None,
    Field(ge=0, le=1, description="Of all bars of the range, traded in or not.", examples=[0.024]),
]
BarsAvailable = Annotated[
    int | None,
    Field(
        description="Bars of the dataset, of the symbol that has most, if only the newest of them were taken.",
        examples=[None],
    ),
]
Cut = Annotated[
    str | None,
    Field(
        description="The same in words, and how to ask for all.",
        examples=["the newest 10,000 of 52,000 bars: ask for all by start=2024-01-01T00:00:00.000000Z"],
    ),
]


class Point(Record):
    """One bar that both legs have."""

    start_us: EpochUs
    start_time: IsoTime
    y_price: Price
    x_price: Price
    hedge_ratio: Annotated[
        float | None,
        Field(
            description="Fitted on up to `window` bars before this one; rls, kalman and ewma remember all of the "
            "range, the older the less. Of huber and theil_sen up to `refit_every` bars older.",
            examples=[0.0512],
        ),
    ]
    intercept: Annotated[float | None, Field(description="Likewise.", examples=[12.25])]
    spread: Annotated[
        float | None,
        Field(description="y - (intercept + hedge_ratio * x) by these: nothing looks ahead, as in signals."),
    ]
    zscore: Annotated[
        float | None, Field(description="That spread in standard deviations of that window.", examples=[1.42])
    ]
    correlation: Annotated[
        float | None,
        Field(
            description="Pearson's, of the legs' prices as transformed, not of returns, in up to `window` bars before "
            "this one: two that trend have a high one by chance.",
            examples=[0.93],
        ),
    ]
    sample_spread: Annotated[
        float | None,
        Field(
            description="In-sample: what the line of the whole range leaves of y; null if that is only rounding. Of "
            "rls, kalman and ewma, whose line moves, it is `spread`."
        ),
    ]
    sample_zscore: Annotated[float | None, Field(description="sample_spread / regression.scale.")]
    structural_break: Annotated[
        bool, Field(description="Whether this is the first bar after a break of the line that was found.")
    ]


class Analysis(Record):
    """Analysis of a pair over a range; a part that is null has its reason in `not_enough_data`."""

    feed: Feed
    dataset: DatasetId
    pair: PairName
    y: Symbol
    x: Symbol
    bar_s: BarSeconds
    method: Annotated[
        Method,
        Field(
            description="How the hedge ratio is fitted, as asked for; the tests of cointegration are by ols."
        ),
    ]
    transform: Annotated[
        Transform,
        Field(
            description="What all numbers but y_price and x_price are of: closes, or their natural logarithms."
        ),
    ]
    window: Annotated[int, Field(description="Bars of the rolling numbers.", examples=[300])]
    min_samples: Annotated[int, Field(description="Bars before the first of them.", examples=[30])]
    refit_every: Annotated[
        int,
        Field(
            description="Bars that share a rolling line: 1, for huber and theil_sen a tenth of `window`, from "
            "multiples of that since 1970 on, wherever the range begins.",
            examples=[1],
        ),
    ]
    trend: Annotated[
        Trend,
        Field(
            description="What ADF and Engle-Granger allow for: nothing (n), a constant (c), a linear (ct), a quadratic "
            "trend as well (ctt)."
        ),
    ]
    lags: Annotated[
        int | Criterion,
        Field(
            description="Lagged differences in ADF and Engle-Granger, as asked for; each says how many it took."
        ),
    ]
    first_us: Annotated[EpochUs | None, Field(description="Start of the first bar that both legs have.")]
    first_time: IsoTime | None
    last_us: Annotated[EpochUs | None, Field(description="Start of the last one.")]
    last_time: IsoTime | None
    bars: Annotated[
        int, Field(description="Bars that both legs have: all statistics are of these.", examples=[500])
    ]
    bars_y: Annotated[int, Field(description="Bars that Y has in the range; more than `bars` were dropped.")]
    bars_x: Annotated[int, Field(description="Bars that X has in it.")]
    breaks: Annotated[
        int, Field(description="Bars not followed by the next interval; taken as neighbours all the same.")
    ]
    carried: CarriedKept
    carried_y: CarriedBars
    carried_share_y: CarriedShare
    carried_x: CarriedBars
    carried_share_x: CarriedShare
    bars_available: BarsAvailable
    cut: Cut
    data_every: Annotated[
        int,
        Field(
            description="`data` has one bar in so many, the newest among them: 1 up to 10,000 bars, and always as CSV "
            "or Parquet. All statistics are of all bars.",
            examples=[1],
        ),
    ]
    verdict: Annotated[Verdict, Field(description="What the tests come to, in words.")]
    not_enough_data: Annotated[
        dict[Part, str],
        Field(
            description="Why a part could not be computed; `rolling` is `hedge_ratio` to `correlation` in `data`.",
            examples=[{"hurst": "Hurst's exponent needs at least 100 observations, there are 60"}],
        ),
    ]
    regression: Annotated[
        Regression | None,
        Field(description="The line of the whole range, or the last one of rls, kalman, ewma."),
    ]
    diagnostics: Annotated[Diagnostics | None, Field(description="Of the sample_spread.")]
    adf_y: Annotated[UnitRoot | None, Field(description="Is Y a random walk?")]
    adf_x: Annotated[UnitRoot | None, Field(description="Is X a random walk?")]
    adf_spread: Annotated[
        UnitRoot | None,
        Field(
            description="Is the sample_spread one? Too lenient, because the line was put where the spread is small: on "
            "independent random walks p < 0.05 comes 14 % of the time by ols or tls, and more by a line that "
            "moves: 18 % by kalman, 27 % by rls, 37 % by ewma. See engle_granger_*, which the verdict is by."
        ),
    ]
    engle_granger_y_on_x: Annotated[
        UnitRoot | None,
        Field(
            description="Does a line through X hold Y? By least squares with `trend` in it, whatever the method."
        ),
    ]
    engle_granger_x_on_y: Annotated[
        UnitRoot | None, Field(description="Does a line through Y hold X? Likewise.")
    ]
    gregory_hansen_y_on_x: Annotated[
        GregoryHansen | None,
        Field(
            description="Does a line through X hold Y, if it may change once? With a constant, by least squares."
        ),
    ]
    gregory_hansen_x_on_y: Annotated[
        GregoryHansen | None, Field(description="Does one through Y hold X? Likewise.")
    ]
    structural_break: Annotated[
        StructuralBreak | None,
        Field(
            description="Of least squares with an intercept, whatever the method, as all of the following tests; with "
            "`trend` ct or ctt of legs without their trend."
        ),
    ]
    edge: Annotated[
        Edge | None,
        Field(description="A break in the first or last 15 % has no line of its own to be dated by."),
    ]
    thirds: Annotated[Thirds | None, Field(description="The hedge ratio by thirds of the range.")]
    cusum: Annotated[Cusum | None, Field(description="Of the residuals of one line.")]
    innovations: Annotated[Innovations | None, Field(description="Of the sample_spread.")]
    returns_correlation: Annotated[
        float | None,
        Field(
            description="Pearson's, of log returns from bar to bar: no trend makes it high.", examples=[0.71]
        ),
    ]
    price_correlation: Annotated[
        float | None,
        Field(description="Pearson's, of prices: of two that trend it is high by chance.", examples=[0.93]),
    ]
    half_life: Annotated[
        HalfLife | None, Field(description="Of the sample_spread, by an autoregression of order 1.")
    ]
    hurst: Annotated[Hurst | None, Field(description="Of the sample_spread.")]
    data: Annotated[
        list[Point],
        Field(description="One point for each bar, or for some (`data_every`); none with `series=false`."),
    ]
