"""Signals of pairs, field by field; all other messages: ``messages``."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from services.contracts.fields import (
    Correlation,
    Count,
    Id,
    Microseconds,
    Name,
    NotNegative,
    PairName,
    Positive,
    Share,
)

Quality = Literal["ok", "not_enough_data", "stale"]
ReversionState = Literal["reverting", "unproven", "broken"]
Reversion = Annotated[
    ReversionState | None,
    Meta(
        description="Whether the spread is seen to come back. `reverting`: Engle-Granger rejects at 5 %, both ways "
        "round. `broken`: it did so within the last window, and then left its line by more than 5 standard "
        "deviations. `unproven`: all else.",
        examples=["unproven"],
    ),
]


class Signal(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The state of one pair at the close of one second. Unique by (pair, event_us); topic ``signals``, key: pair.

    ``event_us`` is the end of the second. The parameters are fitted on the window before it, so ``spread``
    and ``zscore`` never see the observation they judge. Unless ``quality`` is ``ok``, what could not be
    computed is null and ``reason`` says why.

    Where ``closed`` is false the second is still open: the prices are the latest, ``event_us`` is the later
    trade's time, and the next signal replaces this one; it is not stored.

    A closed second may be corrected: the same key with a higher ``revision`` replaces the earlier one, because a
    trade of it, or of the window before it, came after it had closed. In an open signal ``late`` counts all such trades
    since the worker began.

    Once a minute the window is looked at as a whole, and until the next time the signals carry what was found, from
    ``return_correlation`` on.

    The columns of the store, the answers of the API and its client are made from these fields and their descriptions.
    """

    pair: PairName
    event_us: Microseconds
    y_price: Positive
    x_price: Positive
    hedge_ratio: Annotated[
        float | None,
        Meta(description="Units of x for one of y; of logarithms % of y per % of x.", examples=[0.0521]),
    ]
    intercept: Annotated[float | None, Meta(description="Of the fitted line.", examples=[12.5])]
    method: Annotated[Name, Meta(description="How the hedge ratio is estimated.", examples=["ols"])]
    spread: Annotated[float | None, Meta(description="y - (intercept + hedge_ratio * x).", examples=[1.25])]
    zscore: Annotated[
        float | None,
        Meta(
            description="The spread over the standard deviation that the fit expects; no standard normal: see "
            "`zscore_rank`.",
            examples=[-1.8],
        ),
    ]
    price_correlation: Annotated[
        Correlation | None,
        Meta(
            description="Pearson's, of both legs' prices in the window, or of their logarithms. Independent random "
            "walks often have a large one: see `return_correlation`.",
            examples=[0.87],
        ),
    ] = None
    correlation: Annotated[
        float | None,
        Meta(
            description="The old name of `price_correlation`.",
            examples=[0.87],
            extra_json_schema={"deprecated": True},
        ),
    ]
    window: Annotated[Count, Meta(description="Samples fitted, of one second each.", examples=[300])]
    samples: Annotated[Count, Meta(description="Samples in the window by now.", examples=[300])]
    quality: Annotated[Quality, Meta(description="Whether the numbers can be relied on.")]
    reason: Annotated[
        str | None, Meta(description="Why not, if they cannot.", examples=["12 samples, 30 needed"])
    ] = None
    closed: Annotated[
        bool, Meta(description="False while the second is open; such signals are not stored.")
    ] = True
    late: Annotated[
        Count,
        Meta(description="Trades of both legs in this second that came after it had closed.", examples=[0]),
    ] = 0
    revision: Annotated[
        Count,
        Meta(
            description="How often the second was corrected, because trades of it or of the window before it came "
            "late. The highest revision replaces the others.",
            examples=[0],
        ),
    ] = 0
    hedge_ratio_se: Annotated[
        NotNegative | None,
        Meta(
            description="The standard error of the hedge ratio, as if the errors were independent; null where the "
            "method has none.",
            examples=[0.0004],
        ),
    ] = None
    r_squared: Annotated[
        float | None,
        Meta(
            description="The share of y's variance in the window that the line explains; below 0 if its mean explains "
            "more, as of a line that is not that of least squares. With `ols_origin` about 0 in place of the mean.",
            examples=[0.76],
        ),
    ] = None
    zscore_rank: Annotated[
        Share | None,
        Meta(
            description="The share, 0 to 1, of the pair's last 720 |z|, one in five seconds, that were smaller: an "
            "hour of them if none is missing; null of fewer than 60. A z-score of a rolling regression is not normal, "
            "and its deviations are no standard ones.",
            examples=[0.93],
        ),
    ] = None
    outlier: Annotated[
        bool,
        Meta(
            description="These prices alone move the line of their window by more than two of its standard errors "
            "(|DFFITS| above 2), or have more leverage than all others together. They stay in the window; `theil_sen` "
            "does not follow them, nor does `huber` if they are those of y. False while the window has fewer than 30 "
            "samples."
        ),
    ] = False
    outliers: Annotated[
        Count,
        Meta(
            description="Outliers in the window: while there are some the line is theirs. Of a wick of several "
            "seconds the first alone counts, as the others find it in their window.",
            examples=[0],
        ),
    ] = 0
    return_correlation: Annotated[
        Correlation | None,
        Meta(
            description="Hayashi-Yoshida's, of the returns between each second's last trades, of the newest 1,000 "
            "samples of the window at most; found once a minute. An estimate can be beyond 1 or -1: see "
            "`return_correlation_clipped`.",
            examples=[0.41],
        ),
    ] = None
    return_correlation_clipped: Annotated[
        bool,
        Meta(
            description="The estimate of `return_correlation` was beyond 1 or -1, where it is cut off. Legs that "
            "trade at different times in few samples have such estimates: take it for a strong correlation of "
            "unknown size."
        ),
    ] = False
    lead_lag_s: Annotated[
        float | None,
        Meta(
            description="By how much y leads x (s), of whole seconds from -10 to 10, found once a minute; below 0 x "
            "leads, null if no lag stands out.",
            examples=[0.0],
        ),
    ] = None
    reversion: Reversion = None
    cointegration_p: Annotated[
        Share | None,
        Meta(
            description="Engle-Granger's p-value in the window, the greater one of both ways round; once a minute.",
            examples=[0.18],
        ),
    ] = None
    half_life_s: Annotated[
        NotNegative | None,
        Meta(
            description="Median-unbiased half-life of the spread (s), taken for an AR(1): noise on it makes it too "
            "short. Found once a minute; 0 is less than a step of the test, null no end, or, without a "
            "`cointegration_p`, that nothing could be tested.",
            examples=[42.0],
        ),
    ] = None
    half_life_low_s: Annotated[
        NotNegative | None,
        Meta(description="From here on the half-life lies, with a probability of 95 % ...", examples=[19.0]),
    ] = None
    half_life_high_s: Annotated[
        NotNegative | None, Meta(description="... up to here; null if there is no end.", examples=[130.0])
    ] = None
    filled: Annotated[
        Id | None,
        Meta(
            description="What of the window was filled from the store, from before the pair was watched or measured "
            "this way; null once none of it is in the window. Bars stand for seconds whose ticks are gone.",
            examples=["ticks 2026-01-01T00:00:00Z to 2026-01-01T00:05:00Z"],
        ),
    ] = None
