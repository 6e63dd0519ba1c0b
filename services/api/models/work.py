"""The arithmetic of one signal."""

from typing import Annotated

from pydantic import Field

from services.api.models.base import EpochUs, Feed, IsoTime, PairName, Price, Record
from services.api.models.pairs import Window
from services.quant.transform import Transform


class WindowSample(Record):
    """One sample of a window, or the second that is judged by it."""

    event_us: EpochUs
    event_time: IsoTime
    y_price: Price
    x_price: Price
    in_window: Annotated[bool, Field(description="False of the second itself, the last row.")]


class Arithmetic(Record):
    """From the window to the z-score; `y`, `x` and what follows are of logarithms if `transform` says so."""

    transform: Annotated[Transform, Field(description="What the estimator sees of a price.")]
    samples: Annotated[
        int, Field(description="Samples in `data` that the line is fitted on.", examples=[300])
    ]
    y: Annotated[float, Field(description="The second's y.", examples=[3512.4])]
    x: Annotated[float, Field(description="The second's x.", examples=[67012.1])]
    hedge_ratio: Annotated[float | None, Field(description="Slope of the line.", examples=[0.0521])]
    intercept: Annotated[float | None, Field(description="Constant of the line.", examples=[12.5])]
    predicted: Annotated[float | None, Field(description="intercept + hedge_ratio * x.", examples=[3511.1])]
    spread: Annotated[float | None, Field(description="y - predicted.", examples=[1.25])]
    scale: Annotated[
        float | None,
        Field(description="The standard deviation that the method expects of the spread.", examples=[0.7]),
    ]
    zscore: Annotated[float | None, Field(description="spread / scale.", examples=[1.79])]
    reason: Annotated[str | None, Field(description="Why there is none, where it is null.")]


class SignalWork(Record):
    """The numbers of one closed second: their inputs, the arithmetic, and a program that repeats it."""

    feed: Feed
    pair: PairName
    event_us: EpochUs
    event_time: IsoTime
    method: Annotated[str, Field(description="How the hedge ratio is estimated.", examples=["ols"])]
    window: Window
    zscore: Annotated[float | None, Field(description="As it was published.", examples=[1.79])]
    spread: Annotated[float | None, Field(description="As it was published.", examples=[1.25])]
    hedge_ratio: Annotated[float | None, Field(description="As it was published.", examples=[0.0521])]
    reason: Annotated[
        str | None, Field(description="Why none was published.", examples=["12 samples, 30 needed"])
    ]
    filled: Annotated[
        str | None,
        Field(
            description="What of the window was filled from the store when the pair was new. Samples that were filled "
            "of ticks are in `data` while their ticks are stored; those of bars are not.",
            examples=["ticks 2026-01-01T00:00:00Z to 2026-01-01T00:05:00Z"],
        ),
    ]
    arithmetic: Annotated[Arithmetic, Field(description="The same, worked out again from `data`.")]
    agrees: Annotated[
        bool,
        Field(
            description="Whether both z-scores are the same within 1e-9. They are not where samples of the window are "
            "no longer stored, or the pair's transform is another than it was."
        ),
    ]
    is_whole: Annotated[
        bool,
        Field(
            description="Whether `data` has every sample that the method has seen; false if older ones are not stored, "
            "or would be more than 50,000."
        ),
    ]
    python: Annotated[
        str, Field(description="A program that reads this window as CSV and prints the z-score.")
    ]
    data: Annotated[list[WindowSample], Field(description="The samples of the window, then the second.")]
