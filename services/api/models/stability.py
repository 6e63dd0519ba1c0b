"""Models of the stability of a pair's line: structural breaks, slopes of thirds, CUSUM, variance ratio."""

from typing import Annotated

from pydantic import Field

from services.api.models.base import EpochUs, IsoTime, Record
from services.api.models.evidence import PValue, Statistic
from services.quant.statistical_tests.breaks import BreakTest

Critical = Annotated[
    float,
    Field(
        description="More than this is more than chance: some 2 in 100 stable pairs reach it. By simulation, higher "
        "for short ranges and slow spreads.",
        examples=[16.4],
    ),
]
Found = Annotated[bool, Field(description="statistic > critical_value.", examples=[False])]
LongRun = "in long-run variances of what is left"
FirstAfter = Annotated[EpochUs, Field(description="Start of the first bar after the break.")]


class GregoryHansen(Record):
    """A test of no cointegration that allows the line one break: it rejects below its critical values."""

    statistic: Annotated[
        float,
        Field(
            description="ADF*, the least of all dates but those of the first and last 15 %, regime shift.",
            examples=[-6.1],
        ),
    ]
    lags: Annotated[int, Field(description="Lagged differences in the regressions.", examples=[2])]
    samples: Annotated[int, Field(description="Observations in each regression.", examples=[497])]
    critical_values: Annotated[
        dict[str, float],
        Field(
            description="By level, Gregory and Hansen (1996), table 1, C/S, one regressor.",
            examples=[{"1%": -5.47, "5%": -4.95, "10%": -4.68}],
        ),
    ]
    at_us: FirstAfter
    at_time: IsoTime


class StructuralBreak(Record):
    """The likeliest date of a break of the line, and whether there is one: where two lines leave the least squares."""

    test: Annotated[
        BreakTest,
        Field(
            description="The one of two tests that is farther above its critical value, or nearer to it. sup_wald is "
            "of the levels of the spread, and finds a line that jumps; exp_wald of its innovations, and finds one that "
            "bends, in slow spreads too.",
            examples=["sup_wald"],
        ),
    ]
    statistic: Annotated[
        float,
        Field(
            description=f"By how much two lines leave less: of sup_wald {LongRun} at the best date, of exp_wald the "
            "log of the mean of exp(Wald / 2) over all dates.",
            examples=[52.1],
        ),
    ]
    critical_value: Critical
    found: Found
    at_us: FirstAfter
    at_time: IsoTime
    hedge_ratio_before: Annotated[float, Field(description="By least squares.", examples=[1.0])]
    intercept_before: Annotated[float, Field(description="Likewise.", examples=[12.25])]
    hedge_ratio_after: Annotated[float, Field(description="Likewise.", examples=[1.2])]
    intercept_after: Annotated[float, Field(description="Likewise.", examples=[-3.5])]


class Edge(Record):
    """The first or last bars that are farthest from the line of all others: 5, 10 or 15 % of the range."""

    statistic: Annotated[
        float,
        Field(
            description="Their mean distance in its standard errors, by the long-run variance.",
            examples=[1.2],
        ),
    ]
    critical_value: Critical
    found: Found
    bars: Annotated[int, Field(description="How many they are.", examples=[25])]
    first_us: Annotated[EpochUs, Field(description="Start of the first of them.")]
    first_time: IsoTime
    last_us: Annotated[EpochUs, Field(description="Start of the last of them.")]
    last_time: IsoTime


class Slope(Record):
    """The hedge ratio of a third of the range."""

    first_us: Annotated[EpochUs, Field(description="Start of its first bar.")]
    first_time: IsoTime
    bars: Annotated[int, Field(description="How many bars it has.", examples=[167])]
    hedge_ratio: Annotated[float, Field(description="By least squares.", examples=[0.0512])]
    hac_se: Annotated[float, Field(description="Its standard error, Newey-West.", examples=[0.0011])]


class Thirds(Record):
    """A line for each third of the range, against one for all of it."""

    statistic: Annotated[
        float, Field(description=f"Wald: by how much three lines leave less, {LongRun}.", examples=[6.5])
    ]
    critical_value: Critical
    found: Found
    slopes: list[Slope]


class Cusum(Record):
    """The sum of residuals so far, where it was greatest: is the spread as often above as below 0 all along?"""

    statistic: Annotated[
        float, Field(description="In standard deviations of the sum of all, Newey-West.", examples=[0.8])
    ]
    critical_values: Annotated[
        dict[str, float],
        Field(description="By level, by simulation.", examples=[{"1%": 1.43, "5%": 1.18, "10%": 1.05}]),
    ]
    lags: Annotated[int, Field(description="Bars that the variance looks back.", examples=[12])]
    at_us: Annotated[EpochUs, Field(description="Start of the bar where it was greatest.")]
    at_time: IsoTime


class VarianceRatio(Record):
    """Variance of the second half of the range over that of the first."""

    ratio: Annotated[float, Field(description="1 if nothing has changed.", examples=[1.1])]
    p_value: PValue


class Innovations(Record):
    """Innovations: what an autoregression of the spread did not predict."""

    variance_ratio: VarianceRatio
    arch: Annotated[Statistic, Field(description="Engle's test of changing variance, up to `lags`.")]
    lags: Annotated[int, Field(description="How many bars arch looks back.", examples=[10])]
    persistence: Annotated[
        float,
        Field(
            description="The sum of the autoregression's coefficients, corrected for bias: 1 is a random walk.",
            examples=[0.91],
        ),
    ]
