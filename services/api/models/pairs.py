"""Models of pairs and their signals."""

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from services.api.models.base import EpochUs, IsoTime, PairName, Price, Record, Symbol
from services.contracts.messages import Method, Quality, ReversionState, Transform
from services.contracts.pair_messages import LOG_THROUGH_ORIGIN


def _whole(value: object) -> object:
    """Return a number without a fraction as an integer, which is what JSON Schema takes it for."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_WHOLE = BeforeValidator(_whole)
Window = Annotated[
    int, Field(ge=10, le=100_000, description="Samples fitted, of one second each.", examples=[300]), _WHOLE
]
MinSamples = Annotated[
    int, Field(ge=3, le=100_000, description="Samples it takes to say anything.", examples=[30]), _WHOLE
]
FitMethod = Annotated[Method, Field(description="How the hedge ratio is estimated.", examples=["ols"])]
PriceTransform = Annotated[
    Transform, Field(description="What is fitted: prices or their logarithms.", examples=["price"])
]
Intercept = Annotated[
    bool,
    Field(
        description="False: the line goes through the origin, with the method `ols` and the transform `price` alone.",
        examples=[True],
    ),
]
EntryZ = Annotated[float, Field(gt=0, lt=1e6, description="An alert fires beyond it.", examples=[2.0])]
ExitZ = Annotated[float, Field(ge=0, lt=1e6, description="An alert is resolved within it.", examples=[0.5])]
StaleAfterS = Annotated[
    float, Field(gt=0, le=86_400, description="Without a trade of a leg for so long.", examples=[10.0])
]
Paused = Annotated[bool, Field(description="A paused pair has no signals.", examples=[False])]
OnlyWhileReverting = Annotated[
    bool,
    Field(
        description="An alert fires only while the spread is seen to revert (`reversion` of the signals), for which "
        "the window has to have at least 30 samples.",
        examples=[False],
    ),
]
Reversion = Annotated[
    ReversionState | None,
    Field(
        description="Whether the spread is seen to come back. `reverting`: Engle-Granger rejects at 5 %, both ways "
        "round. `broken`: it did so within the last window, and then left its line by more than 5 standard "
        "deviations. `unproven`: all else.",
        examples=["unproven"],
    ),
]


class Signal(Record):
    """A pair at the close of one second; what could not be computed is null, and `reason` says why."""

    pair: PairName
    event_us: EpochUs
    event_time: IsoTime
    y_price: Price
    x_price: Price
    hedge_ratio: Annotated[
        float | None,
        Field(description="Units of x for one of y; of logarithms % of y per % of x.", examples=[0.0521]),
    ]
    intercept: Annotated[float | None, Field(description="Of the fitted line.", examples=[12.5])]
    method: Annotated[str, Field(description="How the hedge ratio is estimated.", examples=["ols"])]
    spread: Annotated[float | None, Field(description="y - (intercept + hedge_ratio * x).", examples=[1.25])]
    zscore: Annotated[
        float | None,
        Field(
            description="The spread over the standard deviation that the fit expects; no standard normal: see "
            "`zscore_rank`.",
            examples=[-1.8],
        ),
    ]
    price_correlation: Annotated[
        float | None,
        Field(
            description="Pearson's, of both legs' prices in the window, or of their logarithms. Independent random "
            "walks often have a large one: see `return_correlation`.",
            examples=[0.87],
        ),
    ]
    correlation: Annotated[
        float | None,
        Field(description="The old name of `price_correlation`.", examples=[0.87], deprecated=True),
    ]
    window: Annotated[int, Field(description="Samples fitted, of one second each.", examples=[300])]
    samples: Annotated[int, Field(description="Samples in the window by now.", examples=[300])]
    quality: Annotated[Quality, Field(description="Whether the numbers can be relied on.")]
    reason: Annotated[
        str | None, Field(description="Why not, if they cannot.", examples=["12 samples, 30 needed"])
    ]
    late: Annotated[
        int,
        Field(description="Trades of both legs in this second that came after it had closed.", examples=[0]),
    ]
    revision: Annotated[
        int,
        Field(
            description="How often the second was corrected, because trades of it or of the window before it came "
            "late. The highest revision replaces the others.",
            examples=[0],
        ),
    ]
    hedge_ratio_se: Annotated[
        float | None,
        Field(
            description="The standard error of the hedge ratio, as if the errors were independent; null where the "
            "method has none.",
            examples=[0.0004],
        ),
    ]
    r_squared: Annotated[
        float | None,
        Field(
            description="The share of y's variance in the window that the line explains; below 0 if its mean explains "
            "more, as of a line that is not that of least squares. With `ols_origin` about 0 in place of the mean.",
            examples=[0.76],
        ),
    ]
    zscore_rank: Annotated[
        float | None,
        Field(
            description="The share, 0 to 1, of the pair's last 720 |z|, one in five seconds, that were smaller: an "
            "hour of them if none is missing; null of fewer than 60. A z-score of a rolling regression is not normal, "
            "and its deviations are no standard ones.",
            examples=[0.93],
        ),
    ]
    outlier: Annotated[
        bool,
        Field(
            description="These prices alone move the line of their window by more than two of its standard errors "
            "(|DFFITS| above 2), or have more leverage than all others together. They stay in the window; `theil_sen` "
            "does not follow them, nor does `huber` if they are those of y. False while the window has fewer than 30 "
            "samples."
        ),
    ]
    outliers: Annotated[
        int,
        Field(
            description="Outliers in the window: while there are some the line is theirs. Of a wick of several "
            "seconds the first alone counts, as the others find it in their window.",
            examples=[0],
        ),
    ]
    return_correlation: Annotated[
        float | None,
        Field(
            description="Hayashi-Yoshida's, of the returns between each second's last trades, of the newest 1,000 "
            "samples of the window at most; found once a minute. 1 or -1 is an estimate that was there or beyond.",
            examples=[0.41],
        ),
    ]
    lead_lag_s: Annotated[
        float | None,
        Field(
            description="By how much y leads x (s), of whole seconds from -10 to 10, found once a minute; below 0 x "
            "leads, null if no lag stands out.",
            examples=[0.0],
        ),
    ]
    reversion: Reversion
    cointegration_p: Annotated[
        float | None,
        Field(
            description="Engle-Granger's p-value in the window, the greater one of both ways round; once a minute.",
            examples=[0.18],
        ),
    ]
    half_life_s: Annotated[
        float | None,
        Field(
            description="Median-unbiased half-life of the spread (s), taken for an AR(1): noise on it makes it too "
            "short. Found once a minute; 0 is less than a step of the test, null no end, or, without a "
            "`cointegration_p`, that nothing could be tested.",
            examples=[42.0],
        ),
    ]
    half_life_low_s: Annotated[
        float | None,
        Field(description="From here on the half-life lies, with a probability of 95 % ...", examples=[19.0]),
    ]
    half_life_high_s: Annotated[
        float | None, Field(description="... up to here; null if there is no end.", examples=[130.0])
    ]


class LatestSignal(Signal):
    """A pair now: at the close of its last second, or, where `closed` is false, since then."""

    closed: Annotated[bool, Field(description="False while the second is open; such signals are not stored.")]
    late: Annotated[
        int,
        Field(
            description="Trades of both legs that came after their second had closed: those of this second, or, where "
            "`closed` is false, all since the worker began.",
            examples=[0],
        ),
    ]


class Pair(Record):
    """A pair and how it is measured."""

    pair: PairName
    y: Symbol
    x: Symbol
    window: Window
    method: FitMethod
    transform: PriceTransform
    intercept: Intercept
    min_samples: MinSamples
    entry_z: EntryZ
    exit_z: ExitZ
    stale_after_s: StaleAfterS
    paused: Paused
    only_while_reverting: OnlyWhileReverting
    warning: Annotated[
        str | None,
        Field(
            description="Why the pair, which is from before this was refused, is not to be relied on.",
            examples=[f"expected {LOG_THROUGH_ORIGIN}"],
        ),
    ]
    last_signal: LatestSignal | None


@with_config(ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))
class PairChange(TypedDict, total=False):
    """Settings of a pair to create or change; a field left out keeps its default, or its present value."""

    window: Window
    method: FitMethod
    transform: PriceTransform
    intercept: Intercept
    min_samples: MinSamples
    entry_z: EntryZ
    exit_z: ExitZ
    stale_after_s: StaleAfterS
    paused: Paused
    only_while_reverting: OnlyWhileReverting
