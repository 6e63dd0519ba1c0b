"""Models of the calibration of a pair's z-score."""

from typing import Annotated, Literal

from pydantic import Field

from services.api.models.base import EpochUs, Feed, IsoTime, PairName, Record
from services.api.models.pairs import EntryZ, ExitZ, OnlyWhileReverting, Window
from services.quant.analysis.calibration import Part
from services.quant.analysis.entries import Outcome

CalibrationTable = Literal["histogram", "qq", "acf", "beyond", "waits", "entries"]

Share = Annotated[float, Field(ge=0, le=1, examples=[0.159])]


class Bin(Record):
    """Number of z-scores in a range of values."""

    low: Annotated[
        float | None, Field(description="Inclusive; null of the first bin, which has no lower end.")
    ]
    high: Annotated[
        float | None, Field(description="Exclusive; null of the last bin, which has no upper end.")
    ]
    count: Annotated[int, Field(description="Seconds.", examples=[1234])]
    share: Annotated[Share, Field(description="Of all seconds.")]
    density: Annotated[
        float | None,
        Field(description="Share by width of the bin; null where that has no end.", examples=[0.31]),
    ]
    normal: Annotated[
        float | None,
        Field(description="The standard normal density in the middle of the bin.", examples=[0.38]),
    ]


class Quantile(Record):
    """One z-score beside the quantile of the standard normal for its place."""

    order: Annotated[int, Field(description="Its place by size, from 1.", examples=[43200])]
    normal: Annotated[
        float, Field(description="Filliben's median of a standard normal for that place.", examples=[-1.04])
    ]
    zscore: Annotated[float, Field(description="The z-score.", examples=[-1.62])]


class Lag(Record):
    """The autocorrelation of the spread at one lag."""

    lag_s: Annotated[int, Field(description="Seconds.", examples=[30])]
    acf: Annotated[float, Field(description="Autocorrelation.", examples=[0.72])]
    bound: Annotated[
        float, Field(description="White noise is within ± this in 95 of 100 lags.", examples=[0.0067])
    ]


class Level(Record):
    """Share of time in which the z-score was at a level or beyond, on either side."""

    level: Annotated[float, Field(description="Of |z|.", examples=[2.0])]
    seconds: Annotated[int, Field(description="Seconds at it or beyond.", examples=[13738])]
    share: Annotated[Share, Field(description="Of all seconds.")]
    normal: Annotated[Share, Field(description="Share of a standard normal.")]


class Wait(Record):
    """Number of entries that came back within a time."""

    seconds: Annotated[float, Field(description="From the entry to the exit.", examples=[84.0])]
    entries: Annotated[int, Field(description="Entries that were back within it.", examples=[120])]
    share: Annotated[Share, Field(description="Of all entries; those that are not back count as longer.")]


class Entry(Record):
    """A z-score that entered beyond the band, by the rule of the alerts, and what became of it."""

    entry_us: EpochUs
    entry_time: IsoTime
    zscore: Annotated[float, Field(description="At the entry.", examples=[-2.13])]
    reverting: Annotated[
        bool, Field(description="Whether the spread was seen to revert then.", examples=[False])
    ]
    worst: Annotated[float, Field(description="The largest |z| until the exit.", examples=[2.71])]
    exit_us: Annotated[EpochUs | None, Field(description="When |z| was back at `exit_z`; null if it is not.")]
    exit_time: IsoTime | None
    seconds: Annotated[float | None, Field(description="From the entry to the exit.", examples=[84.0])]
    outcome: Annotated[
        Outcome,
        Field(
            description="`hit`: |z| was back at `exit_z` before it was at `stop_z` and within `within_s`. `stopped`: "
            "it was at `stop_z` first. `expired`: `within_s` were over first. `unresolved`: the range ends before "
            "any of these."
        ),
    ]


class HitRate(Record):
    """Hit rate of entries."""

    entries: Annotated[int, Field(description="All of them.", examples=[212])]
    hits: Annotated[int, Field(description="Back in time.", examples=[171])]
    stopped: Annotated[int, Field(description="At the stop first.", examples=[24])]
    expired: Annotated[int, Field(description="Out of time.", examples=[16])]
    unresolved: Annotated[int, Field(description="Without an outcome: in no share.", examples=[1])]
    rate: Annotated[Share, Field(description="Hits of those that have an outcome.")]
    low: Annotated[
        Share, Field(description="Lower end of its 95 % interval by Wilson, if entries are independent.")
    ]
    high: Annotated[Share, Field(description="Upper end of it.")]


class Moments(Record):
    """Mean and deviation of the z-scores."""

    mean: Annotated[float, Field(description="0 of a standard normal.", examples=[0.02])]
    deviation: Annotated[float, Field(description="1 of a standard normal.", examples=[1.43])]


class Calibration(Record):
    """Calibration of a past z-score; a part that is null or empty has its reason in `not_enough_data`."""

    feed: Feed
    pair: PairName
    window: Window
    entry_z: EntryZ
    exit_z: ExitZ
    only_while_reverting: OnlyWhileReverting
    stop_z: Annotated[float, Field(description="The |z| at which an entry is given up.", examples=[4.0])]
    windows: Annotated[int, Field(description="How many windows an entry has to come back.", examples=[3])]
    within_s: Annotated[int, Field(description="These in seconds.", examples=[900])]
    first_us: Annotated[EpochUs | None, Field(description="The first signal.")]
    first_time: IsoTime | None
    last_us: Annotated[EpochUs | None, Field(description="The last signal.")]
    last_time: IsoTime | None
    signals: Annotated[int, Field(description="All of the range.", examples=[86400])]
    known: Annotated[int, Field(description="Those everything is of.", examples=[86102])]
    stale: Annotated[int, Field(description="Left out: a leg was silent.", examples=[298])]
    collecting: Annotated[int, Field(description="Left out: `not_enough_data`.", examples=[0])]
    without_zscore: Annotated[int, Field(description="Left out: `ok`, but no z-score.", examples=[0])]
    fits: Annotated[
        int,
        Field(
            description="Methods and windows in the range: beyond 1 it is of different z-scores.",
            examples=[1],
        ),
    ]
    moments: Annotated[Moments | None, Field(description="Of the z-scores.")]
    hit_rate: Annotated[HitRate | None, Field(description="Of the entries.")]
    not_enough_data: Annotated[
        dict[Part, str],
        Field(
            description="What could not be computed, and why.",
            examples=[{"histogram": "at least 30 seconds with a z-score are needed, there are 12"}],
        ),
    ]
    histogram: Annotated[list[Bin], Field(description="Bins of 0.25 from -6 to 6, and what is beyond.")]
    qq: Annotated[
        list[Quantile],
        Field(
            description="By size. Of more than 401 z-scores those evenly apart on the normal's axis, and both ends."
        ),
    ]
    acf: Annotated[list[Lag], Field(description="Of the spread.")]
    beyond: Annotated[list[Level], Field(description="By level, `entry_z` among them.")]
    waits: Annotated[list[Wait], Field(description="By time from entry to exit.")]
    entries: Annotated[
        list[Entry], Field(description="Oldest first: the newest 1,000. CSV and Parquet have all.")
    ]
