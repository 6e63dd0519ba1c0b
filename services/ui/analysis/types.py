"""Types of ``GET /v1/pairs/{pair}/analysis``, as far as the dashboard reads it."""

from typing import Literal

from msgspec import Struct

Conclusion = Literal["cointegrated", "broken", "unstable", "one_way", "not_cointegrated", "not_enough_data"]


class Verdict(Struct, frozen=True):
    """Verdict of the tests."""

    conclusion: Conclusion
    text: str
    notes: tuple[str, ...] = ()


class Regression(Struct, frozen=True):
    """The line through all bars; the interval is None for methods that have none."""

    hedge_ratio: float
    intercept: float
    level: float
    samples: int
    r_squared_samples: int
    hedge_ratio_se: float | None = None
    low: float | None = None
    high: float | None = None
    r_squared: float | None = None
    hac_low: float | None = None
    hac_high: float | None = None
    hac_lags: int | None = None


class UnitRoot(Struct, frozen=True):
    """A test that rejects below its critical values, which are by level."""

    statistic: float
    p_value: float
    lags: int
    samples: int
    critical_values: dict[str, float] | None = None


class Statistic(Struct, frozen=True):
    """A test of the residuals."""

    statistic: float
    p_value: float


class Diagnostics(Struct, frozen=True):
    """Diagnostics of the spread."""

    durbin_watson: float
    ljung_box: Statistic
    arch: Statistic
    lags: int
    jarque_bera: Statistic
    skew: float
    kurtosis: float


class HalfLife(Struct, frozen=True):
    """In bars and in seconds, None with the reason; ends of its interval that are None are a random walk's."""

    samples: float | None
    seconds: float | None
    reason: str | None = None
    corrected: float | None = None
    low: float | None = None
    high: float | None = None


class Hurst(Struct, frozen=True):
    """The exponent of the spread."""

    exponent: float
    standard_error: float
    longest: int


class GregoryHansen(Struct, frozen=True):
    """A test that allows for a break before the bar that begins at `at_us`; it rejects below its critical values."""

    statistic: float
    lags: int
    samples: int
    critical_values: dict[str, float]
    at_us: int


class StructuralBreak(Struct, frozen=True):
    """The likeliest break of the line, before the bar that begins at `at_us`."""

    statistic: float
    critical_value: float
    found: bool
    at_us: int
    hedge_ratio_before: float
    hedge_ratio_after: float


class Edge(Struct, frozen=True):
    """The first or last bars, judged by the line of the others."""

    statistic: float
    critical_value: float
    first_us: int
    last_us: int


class Slope(Struct, frozen=True):
    """The hedge ratio of a part of the bars."""

    hedge_ratio: float
    hac_se: float
    bars: int


class Thirds(Struct, frozen=True):
    """A line for each third of the bars."""

    statistic: float
    critical_value: float
    slopes: tuple[Slope, ...]


class Cusum(Struct, frozen=True):
    """The greatest sum of residuals so far."""

    statistic: float
    lags: int
    critical_values: dict[str, float]
    at_us: int


class VarianceRatio(Struct, frozen=True):
    """Of the second half by the first."""

    ratio: float
    p_value: float


class Innovations(Struct, frozen=True):
    """Innovations: what an autoregression of the spread did not predict."""

    variance_ratio: VarianceRatio
    arch: Statistic
    lags: int


class Point(Struct, frozen=True):
    """The rolling numbers of one bar, by what was before it."""

    start_us: int
    hedge_ratio: float | None
    intercept: float | None
    spread: float | None
    zscore: float | None
    correlation: float | None


class Analysis(Struct, frozen=True):
    """Analysis of two legs; a part that is None has its reason in ``not_enough_data``."""

    pair: str
    y: str
    x: str
    bar_s: float
    method: str
    transform: str
    window: int
    bars: int
    bars_y: int
    bars_x: int
    breaks: int
    first_us: int | None
    last_us: int | None
    verdict: Verdict
    not_enough_data: dict[str, str]
    regression: Regression | None
    diagnostics: Diagnostics | None
    adf_y: UnitRoot | None
    adf_x: UnitRoot | None
    adf_spread: UnitRoot | None
    engle_granger_y_on_x: UnitRoot | None
    engle_granger_x_on_y: UnitRoot | None
    gregory_hansen_y_on_x: GregoryHansen | None
    gregory_hansen_x_on_y: GregoryHansen | None
    structural_break: StructuralBreak | None
    edge: Edge | None
    thirds: Thirds | None
    cusum: Cusum | None
    innovations: Innovations | None
    returns_correlation: float | None
    price_correlation: float | None
    half_life: HalfLife | None
    hurst: Hurst | None
    data: tuple[Point, ...] = ()
    data_every: int = 1
    dataset: str | None = None
    carried: str = "drop"
    carried_y: int | None = None
    carried_share_y: float | None = None
    carried_x: int | None = None
    carried_share_x: float | None = None
    cut: str | None = None
