"""Instability tests of a line: CUSUM, slopes of thirds, variance ratio, innovations."""

import math
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy import special

from services.quant.fit import ROUNDING, NotEnoughDataError
from services.quant.statistical_tests.breaks import critical_value
from services.quant.statistical_tests.diagnostics import LAGS, Statistic, arch
from services.quant.statistical_tests.hac import hac_error
from services.quant.statistical_tests.long_run import autoregression, bandwidth, newey_west
from services.quant.statistical_tests.split_lines import FLAT, check_length, one_line

# The greatest of 20,000 sums of this kind each, simulated: docs/statistics.md.
_CUSUM = {"1%": 1.43, "5%": 1.18, "10%": 1.05}
_PARTS = 3

Values = NDArray[np.float64]


class Cusum(Struct, frozen=True):
    """The greatest sum of residuals so far, in its standard deviation: too great above a critical value.

    At `at`, the number of a bar, it is reached: the spread was longest on one side before it.
    """

    statistic: float
    at: int
    lags: int
    critical_values: dict[str, float]


class Slope(Struct, frozen=True):
    """The hedge ratio of the `samples` bars from number `first` on, with its HAC standard error."""

    first: int
    samples: int
    hedge_ratio: float
    hac_se: float


class Thirds(Struct, frozen=True):
    """A line for each third of the bars: more than chance if `statistic` is above `critical_value`."""

    statistic: float
    critical_value: float
    slopes: list[Slope]

    @property
    def is_found(self) -> bool:
        """Tell whether one line is not enough."""
        return self.statistic > self.critical_value


class VarianceRatio(Struct, frozen=True):
    """The variance of the second half of the spread's innovations by that of the first."""

    ratio: float
    p_value: float


class Innovations(Struct, frozen=True):
    """Tests of the residuals of the spread's autoregression: `arch` of changing variance, up to `lags`."""

    variance_ratio: VarianceRatio
    arch: Statistic
    lags: int
    persistence: float


def cusum(y: Values, x: Values) -> Cusum:
    """Test the null hypothesis that the residuals of the line of all bars are as often above as below all along.

    The long-run variance is that of Newey and West. NotEnoughDataError with fewer than 60 bars.
    Source: Xiao and Phillips (2002), "A CUSUM test for cointegration using regression residuals"; critical values of
    residuals of least squares are our own.
    """
    check_length(len(y))
    left = one_line(y, x).values
    lags = bandwidth(left)
    variance = float(newey_west(left[:, None], lags)[0, 0])
    sums = np.abs(np.cumsum(left))
    at = int(np.argmax(sums))
    return Cusum(float(sums[at]) / math.sqrt(variance), at, lags, _CUSUM)


def thirds(y: Values, x: Values) -> Thirds:
    """Test the null hypothesis that one line holds all bars, against one for each third of them.

    The statistic is Wald's, as that of a structural break. NotEnoughDataError with fewer than 60 bars, if x does not
    move in one of the thirds, or if three lines leave a random walk.
    """
    check_length(len(y))
    whole = one_line(y, x)
    ends = [len(y) * part // _PARTS for part in range(_PARTS + 1)]
    parts = [slice(first, end) for first, end in pairwise(ends)]
    for number, part in enumerate(parts, start=1):
        if np.ptp(x[part]) <= FLAT * np.ptp(x):
            raise NotEnoughDataError(f"x does not move in part {number} of {_PARTS}")
    lines = [one_line(y[part], x[part]) for part in parts]
    left = np.concatenate([line.values for line in lines])
    around = autoregression(left, parameters=2 * _PARTS)
    slopes = [
        Slope(
            part.start,
            part.stop - part.start,
            line.hedge_ratio,
            hac_error(line.values, x[part]).standard_error,
        )
        for part, line in zip(parts, lines, strict=True)
    ]
    gain = whole.squares - float(left @ left)
    critical = critical_value(len(y), around.persistence)
    return Thirds(max(0.0, gain) / around.variance, critical, slopes)


def innovations(spread: Values) -> Innovations:
    """Return whether the innovations of a spread change in variance; NotEnoughDataError with fewer than 60 of them.

    Source: Engle (1982), by statsmodels. The ratio is that of log variances by their standard error, which knows of the
    kurtosis and of clusters (Newey and West).
    """
    check_length(len(spread))
    half = len(spread) // 2
    if min(np.ptp(spread[:half]), np.ptp(spread[half:])) <= ROUNDING * np.ptp(spread):
        raise NotEnoughDataError("the spread does not move in one of the halves")
    around = autoregression(spread / np.abs(spread).max(), parameters=2)
    squares = around.innovations**2
    half = len(squares) // 2
    first, second = squares[:half], squares[half:]
    scores = np.concatenate([first / first.mean(), second / second.mean()]) - 1
    lags = bandwidth(scores)
    error = math.sqrt(float(newey_west(scores[:, None], lags)[0, 0])) / len(scores)
    # Each half is half as long, and there are two: 1/2 + 1/2 to 2 + 2.
    distance = abs(math.log(second.mean() / first.mean())) / (2 * error) if error else math.inf
    return Innovations(
        variance_ratio=VarianceRatio(float(second.mean() / first.mean()), 2 * float(special.ndtr(-distance))),
        arch=arch(around.innovations),
        lags=LAGS,
        persistence=around.persistence,
    )
