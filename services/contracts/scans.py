"""Scans of all pairs as they are asked for: whose closes, which test, and what that takes."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from services.contracts.fields import Microseconds, Symbol
from services.contracts.intervals import Interval
from services.contracts.pair_messages import Transform

SCAN = "scan"
"""Kind of the job."""
Criterion = Literal["aic", "bic"]
ScanTrend = Literal["n", "c", "ct"]
Correction = Literal["dependent", "measured"]
Stage = Literal["refused", "tried", "significant", "corrected", "confirmed"]
"""Last stage that a pair reached; each stage but the first needs the stage before it."""

MOST_SYMBOLS = 1_415
"""A million pairs: two minutes and 1 GB."""
MOST_CLOSES = 10_000_000
"""Closes of all symbols together: 80 MB, of which a scan holds several copies."""
MOST_LAGS = 100
NEWEST_BARS = 4_320
"""Bars of a scan that names no start: three days of minutes."""


class ScanRequest(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Closes to scan, and how; `symbols` are all that have bars if none is named.

    Without `start_us` it is the newest `bars` before `end_us`, or before now; without `interval` the dataset's own, or
    the usual one. The last `held_out` share takes no part in the choice. `radar` names the one that asks.
    """

    symbols: tuple[Symbol, ...] = ()
    dataset: str | None = None
    interval: Interval | None = None
    start_us: Microseconds | None = None
    end_us: Microseconds | None = None
    bars: Annotated[int, Meta(ge=60, le=100_000)] = NEWEST_BARS
    transform: Transform = "log"
    trend: ScanTrend = "c"
    lags: Annotated[int, Meta(ge=0, le=MOST_LAGS)] | Criterion = "aic"
    correction: Correction = "dependent"
    held_out: Annotated[float, Meta(gt=0, lt=1)] = 0.3
    radar: str | None = None


def pairs_of(symbols: int) -> int:
    """Return how many pairs so many symbols make.

    >>> pairs_of(500)
    124750
    """
    return symbols * (symbols - 1) // 2


def estimate_s(symbols: int, bars: int) -> float:
    """Return about how many seconds a scan takes on one core beside others: `python -m benchmarks.scan` measures it."""
    return 4.0 + 0.01 * symbols + pairs_of(symbols) * (30 + 0.03 * bars) / 1e6


def too_many(symbols: int, bars: int) -> str | None:
    """Return what would be right if a scan of so many closes is more than a worker can hold, None if it is not."""
    if symbols > MOST_SYMBOLS:
        return f"at most {MOST_SYMBOLS:,} symbols, which are {pairs_of(MOST_SYMBOLS):,} pairs, received {symbols:,}"
    if symbols * bars > MOST_CLOSES:
        return (
            f"at most {MOST_CLOSES:,} closes of all symbols together, received {symbols:,} symbols of {bars:,} bars: "
            "a shorter range, a wider interval or fewer symbols"
        )
    return None


class ScanSummary(Struct, frozen=True, kw_only=True):
    """Summary of a scan: the range, the symbols, and the funnel.

    `symbols` are in clustered order: those whose returns go together stand together. `carried` closes are those of the
    bar before. `refused` pairs and symbols could not be tested, for the reasons that stand in the rows.
    """

    symbols: list[str]
    left_out: dict[str, str]
    width_us: int
    first_us: int
    last_us: int
    bars: int
    held_out_bars: int
    asked_bars: int | None
    carried: int
    tried: int
    significant: int
    corrected: int
    confirmed: int
    refused: int
    seconds: float
