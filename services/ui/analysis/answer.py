"""What the API answers to ``GET /v1/pairs/{pair}/analysis``, as far as the dashboard reads it."""

from typing import Literal

from msgspec import Struct

Conclusion = Literal["cointegrated", "one_way", "not_cointegrated", "legs_stationary", "not_enough_data"]


class Verdict(Struct, frozen=True):
    """What the tests come to."""

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
    """What is left in the spread."""

    durbin_watson: float
    ljung_box: Statistic
    arch: Statistic
    lags: int
    jarque_bera: Statistic
    skew: float
    kurtosis: float


class HalfLife(Struct, frozen=True):
    """In bars and in seconds, None with the reason."""

    samples: float | None
    seconds: float | None
    reason: str | None = None


class Hurst(Struct, frozen=True):
    """The exponent of the spread."""

    exponent: float
    standard_error: float
    longest: int


class Point(Struct, frozen=True):
    """The rolling numbers of one bar, by what was before it."""

    start_us: int
    hedge_ratio: float | None
    intercept: float | None
    spread: float | None
    zscore: float | None
    correlation: float | None


class Analysis(Struct, frozen=True):
    """What there is to say of two legs; what is None has its reason in ``not_enough_data``."""

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
