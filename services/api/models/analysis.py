"""What is known of a pair over a history."""

from typing import Annotated

from pydantic import Field

from services.api.models.base import EpochUs, Feed, IsoTime, PairName, Price, Record, Symbol
from services.common.messages import Method, Transform
from services.quant.options import Conclusion, Criterion, Part, Trend

DatasetId = Annotated[
    str | None, Field(description="The dataset the bars are of; null for the market's.", examples=[None])
]
BarSeconds = Annotated[float, Field(description="The width of a bar in seconds.", examples=[60.0])]
PValue = Annotated[float, Field(ge=0, le=1, examples=[0.0312])]
Transformed = "In units of y as transformed: quote currency, or its logarithm."


class Regression(Record):
    """y = intercept + hedge_ratio * x, both legs transformed, over the whole range."""

    hedge_ratio: Annotated[float, Field(description="y per x; with logarithms % per %.", examples=[0.0512])]
    hedge_ratio_se: Annotated[
        float | None,
        Field(description="Its standard error; null for tls, theil_sen, ewma.", examples=[0.0004]),
    ]
    low: Annotated[
        float | None,
        Field(
            description="Lower end of the hedge ratio's confidence interval: Student's t for ols and ols_origin, "
            "normal for huber, rls and kalman, Sen's ranks for theil_sen of up to 632 bars, otherwise null.",
            examples=[0.0504],
        ),
    ]
    high: Annotated[float | None, Field(description="Upper end of it.", examples=[0.052])]
    level: Annotated[float, Field(description="The confidence of the interval.", examples=[0.95])]
    intercept: Annotated[float, Field(description=Transformed, examples=[12.25])]
    intercept_se: Annotated[
        float | None, Field(description="Its standard error; null but for ols and kalman.", examples=[1.5])
    ]
    scale: Annotated[
        float, Field(description=f"Standard deviation of the spread. {Transformed}", examples=[2.125])
    ]
    r_squared: Annotated[
        float,
        Field(description="1 - SSR / SST; about 0 for ols_origin, as statsmodels has it.", examples=[0.97]),
    ]
    samples: Annotated[int, Field(description="Bars in the regression.", examples=[500])]


class Statistic(Record):
    """A test of the residuals: a small p-value rejects that there is nothing to find."""

    statistic: Annotated[float, Field(examples=[3.2])]
    p_value: PValue


class Diagnostics(Record):
    """What is left in the spread of the whole range."""

    durbin_watson: Annotated[
        float,
        Field(description="2 without autocorrelation; near 0 intervals are too narrow.", examples=[1.91]),
    ]
    ljung_box: Annotated[Statistic, Field(description="Autocorrelation up to `lags`.")]
    arch: Annotated[Statistic, Field(description="Engle's test of changing variance, up to `lags`.")]
    lags: Annotated[int, Field(examples=[10])]
    jarque_bera: Annotated[Statistic, Field(description="Of normality.")]
    skew: Annotated[float, Field(examples=[0.1])]
    kurtosis: Annotated[float, Field(description="3 for a normal distribution.", examples=[3.4])]


class UnitRoot(Record):
    """A test that rejects a unit root (ADF) or no cointegration (Engle-Granger) below its critical values."""

    statistic: Annotated[float, Field(examples=[-4.2])]
    p_value: Annotated[PValue, Field(description="MacKinnon (1994).")]
    lags: Annotated[int, Field(description="Lagged differences in the regression.", examples=[2])]
    samples: Annotated[int, Field(description="Observations in the regression.", examples=[497])]
    critical_values: Annotated[
        dict[str, float] | None,
        Field(
            description="By level, MacKinnon (2010); null for Engle-Granger without a constant.",
            examples=[{"1%": -3.92, "5%": -3.35, "10%": -3.05}],
        ),
    ]


class HalfLife(Record):
    """How fast the spread comes back, by an autoregression of order 1."""

    samples: Annotated[
        float | None, Field(description="Bars until half of a deviation is gone.", examples=[12.4])
    ]
    seconds: Annotated[float | None, Field(description="The same in seconds.", examples=[744.0])]
    coefficient: Annotated[float, Field(examples=[0.946])]
    standard_error: Annotated[float, Field(examples=[0.0145])]
    reason: Annotated[str | None, Field(description="Why there is none.")]


class Hurst(Record):
    """Half the slope of log mean squared move against log time."""

    exponent: Annotated[
        float, Field(description="0.5: a random walk; less: it comes back; more: it trends.", examples=[0.31])
    ]
    standard_error: Annotated[float, Field(description="Of the slope; too small.", examples=[0.012])]
    longest: Annotated[int, Field(description="The longest move looked at, in bars.", examples=[50])]


class Verdict(Record):
    """What the numbers mean."""

    conclusion: Annotated[
        Conclusion,
        Field(
            description="By Engle-Granger at 5 %: both ways round, one, or none; legs_stationary if ADF says at 5 % "
            "that both legs come back by themselves."
        ),
    ]
    text: Annotated[
        str,
        Field(
            examples=["No cointegration was found at 5 %: Engle-Granger p = 0.42 (Y on X) and 0.51 (X on Y)."]
        ),
    ]
    notes: Annotated[list[str], Field(description="What to keep in mind.")]


class Point(Record):
    """One bar that both legs have."""

    start_us: EpochUs
    start_time: IsoTime
    y_price: Price
    x_price: Price
    hedge_ratio: Annotated[
        float | None, Field(description="Fitted on the `window` bars before this one.", examples=[0.0512])
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
        float | None, Field(description="Of the legs in the `window` bars before this one.", examples=[0.93])
    ]
    sample_spread: Annotated[
        float | None,
        Field(
            description="In-sample: what the line of the whole range leaves of y. Of rls, kalman and ewma, whose line "
            "moves, it is `spread`."
        ),
    ]
    sample_zscore: Annotated[float | None, Field(description="sample_spread / regression.scale.")]


class Analysis(Record):
    """Everything there is to say of a pair over a range; what is null has its reason in `not_enough_data`."""

    feed: Feed
    dataset: DatasetId
    pair: PairName
    y: Symbol
    x: Symbol
    bar_s: BarSeconds
    method: Method
    transform: Transform
    window: Annotated[int, Field(description="Bars of the rolling numbers.", examples=[300])]
    min_samples: Annotated[int, Field(description="Bars before the first of them.", examples=[30])]
    refit_every: Annotated[
        int,
        Field(description="Bars that share a rolling line: 1, more for huber and theil_sen.", examples=[1]),
    ]
    trend: Trend
    lags: int | Criterion
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
    verdict: Verdict
    not_enough_data: Annotated[
        dict[Part, str],
        Field(
            description="Why a part could not be computed.",
            examples=[{"hurst": "Hurst's exponent needs at least 100 observations, there are 60"}],
        ),
    ]
    regression: Regression | None
    diagnostics: Diagnostics | None
    adf_y: Annotated[UnitRoot | None, Field(description="Is Y a random walk?")]
    adf_x: Annotated[UnitRoot | None, Field(description="Is X a random walk?")]
    adf_spread: Annotated[
        UnitRoot | None,
        Field(
            description="Is the sample_spread one? Too lenient, because the line was fitted: on independent random "
            "walks p < 0.05 comes 11.7 % of the time. See engle_granger_*, which the verdict is by."
        ),
    ]
    engle_granger_y_on_x: Annotated[UnitRoot | None, Field(description="Does a line through X hold Y?")]
    engle_granger_x_on_y: Annotated[UnitRoot | None, Field(description="Does a line through Y hold X?")]
    half_life: HalfLife | None
    hurst: Annotated[Hurst | None, Field(description="Of the sample_spread.")]
    data: Annotated[list[Point], Field(description="One point for each bar; none with `series=false`.")]
