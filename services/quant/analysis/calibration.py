"""Calibration of a z-score: its past beside the standard normal distribution that its name promises."""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Literal, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.quant.analysis.entries import (
    Bands,
    Entry,
    HitRate,
    Seconds,
    Wait,
    count_waits,
    find_entries,
    rate_hits,
)
from services.quant.fit import NotEnoughDataError

Values = NDArray[np.float64]
Part = Literal["moments", "histogram", "qq", "acf", "beyond", "waits", "hit_rate"]
T = TypeVar("T")

LEAST = 30
BIN, EDGE = 0.25, 6.0
QUANTILES = 401
LAGS = 120
LEVELS = tuple(n / 2 for n in range(1, 11))
_SECOND = 1_000_000
_CONFIDENCE = 0.95
_NORMAL = NormalDist()


class ZscoreMoments(Struct, frozen=True):
    """Mean and standard deviation of the z-scores: 0 and 1 of a standard normal."""

    mean: float
    deviation: float


class HistogramBin(Struct, frozen=True):
    """Number of z-scores from `low` to below `high`; the first and the last bin are unbounded.

    `density` is their share by the width of the bin, `normal` the standard normal density in its middle.
    """

    low: float | None
    high: float | None
    count: int
    share: float
    density: float | None
    normal: float | None


class Quantile(Struct, frozen=True):
    """The z-score that is number `order` by size, from 1, and what a standard normal would have there."""

    order: int
    normal: float
    zscore: float


class Autocorrelation(Struct, frozen=True):
    """The autocorrelation of the spread `lag_s` seconds apart; within ±`bound` it may be chance."""

    lag_s: int
    acf: float
    bound: float


class ExceedanceLevel(Struct, frozen=True):
    """For how many seconds \\|z\\| was at `level` or beyond, and which share of a standard normal is."""

    level: float
    seconds: int
    share: float
    normal: float


class Calibration(Struct, frozen=True, kw_only=True):
    """Calibration of a past z-score; a part that is None or empty has its reason in `not_enough_data`."""

    moments: ZscoreMoments | None
    histogram: list[HistogramBin]
    qq: list[Quantile]
    acf: list[Autocorrelation]
    beyond: list[ExceedanceLevel]
    waits: list[Wait]
    hit_rate: HitRate | None
    entries: list[Entry]
    not_enough_data: dict[Part, str]


def calibrate(seconds: Seconds, bands: Bands) -> Calibration:
    """Return the calibration of the z-score of some seconds, with its entries."""
    reasons: dict[Part, str] = {}
    entries = find_entries(seconds, bands)
    zscore = seconds.zscore

    def part(name: Part, compute: Callable[[], T], otherwise: T) -> T:
        try:
            return compute()
        except NotEnoughDataError as error:
            reasons[name] = str(error)
            return otherwise

    return Calibration(
        moments=part("moments", lambda: _moments(zscore), None),
        histogram=part("histogram", lambda: histogram(zscore), []),
        qq=part("qq", lambda: quantiles(zscore), []),
        acf=part("acf", lambda: autocorrelations(seconds.at_us, seconds.spread), []),
        beyond=part("beyond", lambda: beyond(zscore, bands.entry), []),
        waits=part("waits", lambda: count_waits(entries), []),
        hit_rate=part("hit_rate", lambda: rate_hits(entries, _CONFIDENCE), None),
        entries=entries,
        not_enough_data=reasons,
    )


def histogram(zscore: Values) -> list[HistogramBin]:
    """Return the z-scores in bins of 0.25 between -6 and 6, and those beyond in two without an end."""
    _require(zscore, "z-score")
    count = round(2 * EDGE / BIN)
    edges = np.linspace(-EDGE, EDGE, count + 1)
    # Place 0 is below all edges, the last one at or above all.
    counts = np.bincount(np.searchsorted(edges, zscore, side="right"), minlength=count + 2).tolist()
    ends = [None, *edges.tolist(), None]
    return [
        _bin(low, high, number, len(zscore))
        for low, high, number in zip(ends, ends[1:], counts, strict=False)
    ]


def _bin(low: float | None, high: float | None, count: int, of: int) -> HistogramBin:
    if low is None or high is None:
        return HistogramBin(low, high, count, count / of, None, None)
    return HistogramBin(
        low, high, count, count / of, count / of / (high - low), _NORMAL.pdf((low + high) / 2)
    )


def quantiles(zscore: Values) -> list[Quantile]:
    """Return the z-scores by size beside the standard normal's; of more than 401 those evenly apart on its axis.

    Both ends are among them, so that the tails stay. Source: Filliben (1975), The probability plot correlation
    coefficient test for normality: medians of order statistics.
    """
    _require(zscore, "z-score")
    n = len(zscore)
    ordered = np.sort(zscore)
    end = 0.5 ** (1 / n)
    chances = (np.arange(1, n + 1) - 0.3175) / (n + 0.365)
    chances[[0, -1]] = 1 - end, end
    places = np.arange(n)
    if n > QUANTILES:
        furthest = _NORMAL.inv_cdf(end)
        wanted = [_NORMAL.cdf(at) for at in np.linspace(-furthest, furthest, QUANTILES).tolist()]
        places = np.unique([0, *np.searchsorted(chances, wanted[1:-1]), n - 1])
    return [
        Quantile(place + 1, _NORMAL.inv_cdf(chance), value)
        for place, chance, value in zip(
            places.tolist(), chances[places].tolist(), ordered[places].tolist(), strict=True
        )
    ]


def autocorrelations(at_us: NDArray[np.int64], spread: Values) -> list[Autocorrelation]:
    """Return the autocorrelations of a spread at lags of 0 to 120 s, of a quarter of its seconds if these are fewer.

    A second that is missing is no pair with any other, so a lag is one of time. The bound is that of white noise.
    Source: Box and Jenkins, Time Series Analysis, 2.1; for missing values Parzen (1963), On spectral analysis with
    missing observations: a lag's products over all squares.
    """
    _require(spread, "spread")
    n = len(spread)
    lags = min(LAGS, n // 4)
    # Squares of what is large or small can be out of range.
    centred = spread / np.abs(spread).max()
    centred = centred - centred.mean()
    # Beyond the last lag all distances are alike: a range with long gaps takes no more room.
    steps = np.minimum(np.diff(at_us) // _SECOND, lags + 1)
    places = np.concatenate(([0], np.cumsum(steps)))
    line = np.zeros(places[-1] + 1)
    line[places] = centred
    whole = float(line @ line)
    bound = _NORMAL.inv_cdf((1 + _CONFIDENCE) / 2) / math.sqrt(n)
    return [
        Autocorrelation(lag, float(line[lag:] @ line[: len(line) - lag]) / whole, bound)
        for lag in range(lags + 1)
    ]


def beyond(zscore: Values, entry: float) -> list[ExceedanceLevel]:
    """Return how often \\|z\\| was at each of some levels, the `entry` among them, or beyond."""
    _require(zscore, "z-score")
    size = np.sort(np.abs(zscore))
    n = len(size)
    levels = sorted({*LEVELS, entry})
    counts = (n - np.searchsorted(size, levels, side="left")).tolist()
    return [
        ExceedanceLevel(level, count, count / n, math.erfc(level / math.sqrt(2)))
        for level, count in zip(levels, counts, strict=True)
    ]


def _moments(zscore: Values) -> ZscoreMoments:
    _require(zscore, "z-score")
    return ZscoreMoments(float(zscore.mean()), float(zscore.std(ddof=1)))


def _require(values: Values, what: str) -> None:
    if len(values) < LEAST:
        raise NotEnoughDataError(
            f"at least {LEAST} seconds with a {what} are needed, there are {len(values)}"
        )
    if not np.ptp(values):
        raise NotEnoughDataError(
            f"the {what} stands still: it is {values[0]:g} in all of {len(values)} seconds"
        )
