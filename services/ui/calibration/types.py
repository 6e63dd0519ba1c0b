"""Types of ``GET /v1/pairs/{pair}/calibration``, as far as the dashboard reads it."""

from msgspec import Struct


class Moments(Struct, frozen=True):
    """Of the z-scores."""

    mean: float
    deviation: float


class Bin(Struct, frozen=True):
    """A bin of the histogram; the first and the last have no end, and no density."""

    low: float | None
    high: float | None
    count: int
    density: float | None
    normal: float | None


class Quantile(Struct, frozen=True):
    """A z-score, and what a standard normal has in its place."""

    normal: float
    zscore: float


class Lag(Struct, frozen=True):
    """An autocorrelation of the spread."""

    lag_s: int
    acf: float
    bound: float


class Level(Struct, frozen=True):
    """The share of seconds beyond a level, and that of a standard normal."""

    level: float
    seconds: int
    share: float
    normal: float


class Wait(Struct, frozen=True):
    """The share of entries that were back within a time."""

    seconds: float
    entries: int
    share: float


class HitRate(Struct, frozen=True):
    """Hit rate of entries."""

    entries: int
    hits: int
    stopped: int
    expired: int
    unresolved: int
    rate: float
    low: float
    high: float


class Calibration(Struct, frozen=True):
    """Calibration of a past z-score; an empty part has its reason in ``not_enough_data``."""

    pair: str
    entry_z: float
    exit_z: float
    stop_z: float
    within_s: int
    first_us: int | None
    last_us: int | None
    signals: int
    known: int
    stale: int
    collecting: int
    without_zscore: int
    fits: int
    moments: Moments | None
    hit_rate: HitRate | None
    not_enough_data: dict[str, str]
    histogram: tuple[Bin, ...]
    qq: tuple[Quantile, ...]
    acf: tuple[Lag, ...]
    beyond: tuple[Level, ...]
    waits: tuple[Wait, ...]
