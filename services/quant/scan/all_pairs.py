"""Engle-Granger tests of all pairs of many symbols, both ways round, from one set of matrix products.

Source: Engle and Granger (1987), MacKinnon (1994); statistic, lag and p-value are those of
``statsmodels.tsa.stattools.coint``, at a thousandth of its cost.
"""

import math
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.quant.fit import ROUNDING, NotEnoughDataError
from services.quant.options import Trend
from services.quant.scan.lag_products import LagProducts, Numbers, Values
from services.quant.statistical_tests import dickey_fuller
from services.quant.statistical_tests.dickey_fuller import most_lags, terms
from services.quant.statistical_tests.mackinnon import p_values
from services.quant.statistical_tests.unit_root import without_trend

LagChoice = Literal["aic", "bic", "t-stat"]
Progress = Callable[[float], None]

# Products of a block of symbols with all others take so much, and there are three of it at once.
_BLOCK_BYTES = 48 << 20
# The regressions of so many pairs are solved at once.
_PAIRS = 2_000
# From where a last lag counts as significant, one-sided at 5 %.
_SIGNIFICANT_T = 1.6448536269514722
# A line that leaves less of y, as a share of its sum of squares: differences of products would have too few digits.
_CLOSE = 1e-5


class AllPairs(NamedTuple):
    """Regressions of each y (row) on each x (column): NaN on the diagonal and where there is a reason.

    `statistic` is Engle-Granger's with `lags` lags, `hedge_ratio` the slope with its classical standard error,
    `r_squared` the share of y's variance around its trend that the line explains. `refused` says by symbol why it
    was in no pair, `reasons` by pair (y, x) why there is no test.
    """

    statistic: Values
    lags: NDArray[np.int16]
    p_value: Values
    hedge_ratio: Values
    hedge_ratio_se: Values
    r_squared: Values
    refused: dict[int, str]
    reasons: dict[tuple[int, int], str]

    @property
    def worse_p_value(self) -> Values:
        """The greater p-value of both ways round: taking the smaller one would double the size of the test."""
        worse: Values = np.maximum(self.p_value, self.p_value.T)
        return worse


def engle_granger(
    prices: Values, trend: Trend = "c", lags: int | LagChoice = "aic", progress: Progress | None = None
) -> AllPairs:
    """Test each two of `prices` (times x symbols, or their logarithms), both ways round.

    `lags` are as many as told, or chosen as statsmodels does, of up to 12 (n/100)^(1/4). `progress` is told the share
    that is done, and may raise to cancel. ValueError unless prices are finite and of at least 30 times. In 1 GB for 500
    symbols, whatever the number of pairs.
    """
    times, symbols = prices.shape
    if not np.isfinite(prices).all():
        raise ValueError("expected a price of every symbol at every time, received gaps")
    most = most_lags(times, "n") if isinstance(lags, str) else lags
    found = _nothing(symbols)
    kept, rows, scales = [], [], []
    for number in range(symbols):
        try:
            rest = without_trend(prices[:, number], trend)
            if most > dickey_fuller.limit(times, "n"):
                raise NotEnoughDataError(f"{times} observations allow no {most} lags")
            kept.append(number)
            scales.append(np.abs(rest).max())
            rows.append(rest / scales[-1])
        except NotEnoughDataError as error:
            found.refused[number] = str(error)
    if len(kept) > 1:
        levels = np.abs(prices[:, kept]).max(axis=0)
        tests = _Tests(np.array(rows), np.array(scales), levels, np.array(kept), trend, lags, most)
        tests.fill(found, progress)
    found.p_value[:] = p_values(found.statistic, trend, 2)
    return found


def _nothing(symbols: int) -> AllPairs:
    empty = [np.full((symbols, symbols), np.nan) for _ in range(5)]
    statistic, p_value, hedge_ratio, error, explained = empty
    lags = np.zeros((symbols, symbols), np.int16)
    return AllPairs(statistic, lags, p_value, hedge_ratio, error, explained, {}, {})


class _Tests:
    def __init__(
        self,
        series: Values,
        scales: Values,
        levels: Values,
        numbers: Numbers,
        trend: Trend,
        lags: int | LagChoice,
        most: int,
    ) -> None:
        self._products = LagProducts(series, most)
        self._sums = series @ series.T
        self._scales, self._numbers = scales, numbers
        # How far the prices of each series may be from what they stand for, in its own scale.
        self._rounding = ROUNDING * levels / scales
        self._lags, self._most = lags, most
        self._times = series.shape[1]
        self._free = self._times - terms(trend) - 1

    def fill(self, found: AllPairs, progress: Progress | None) -> None:
        done, pairs = 0, len(self._numbers) * (len(self._numbers) - 1) // 2
        for first, second, both in self._blocks():
            for at in range(0, len(first), _PAIRS):
                some = slice(at, at + _PAIRS)
                for y, x in ((first[some], second[some]), (second[some], first[some])):
                    self._test(y, x, both[some], found)
            done += len(first)
            if progress is not None:
                progress(done / pairs)

    def _blocks(self) -> Iterator[tuple[Numbers, Numbers, Values]]:
        count = len(self._numbers)
        size = max(1, _BLOCK_BYTES // (8 * self._products.width**2 * count))
        for begin in range(0, count, size):
            block, others = np.arange(begin, min(count, begin + size)), np.arange(begin, count)
            both = self._products.between(block, others)
            first, second = np.meshgrid(block, others, indexing="ij")
            is_pair = second > first
            yield first[is_pair], second[is_pair], both[is_pair]

    def _test(self, y: Numbers, x: Numbers, both: Values, found: AllPairs) -> None:
        own, sums = self._products.own, self._sums
        slope = sums[y, x] / sums[x, x]
        left = np.maximum(sums[y, y] - slope * sums[y, x], 0.0)
        at = self._numbers[y], self._numbers[x]
        found.hedge_ratio[at] = slope * self._scales[y] / self._scales[x]
        self._judge_line(found, y, x, left)
        is_close = left <= _CLOSE * sums[y, y]
        self._one_by_one(y[is_close], x[is_close], slope[is_close], found)
        y, x, slope, both = y[~is_close], x[~is_close], slope[~is_close], both[~is_close]
        if not len(y):
            return
        b = slope[:, None, None]
        normal = own[y] - b * both + b * b * own[x]
        at = self._numbers[y], self._numbers[x]
        try:
            found.statistic[at], found.lags[at] = self._statistics(y, x, slope, normal)
        except np.linalg.LinAlgError:
            self._one_by_one(y, x, slope, found)

    def _judge_line(self, found: AllPairs, y: Numbers | int, x: Numbers | int, left: Values | float) -> None:
        """Note how sure the line of pairs is, of which it leaves sums of squares `left`."""
        at = self._numbers[y], self._numbers[x]
        unit = self._scales[y] / self._scales[x]
        found.hedge_ratio_se[at] = np.sqrt(left / self._free / self._sums[x, x]) * unit
        found.r_squared[at] = 1 - left / self._sums[y, y]

    def _statistics(self, y: Numbers, x: Numbers, slope: Values, normal: Values) -> tuple[Values, Numbers]:
        """Return each pair's statistic with its lags; LinAlgError if one pair's regression is not determined."""
        chosen = self._chosen(normal)
        statistic = np.empty(len(y))
        series, most = self._products.series, self._most
        for lag in np.unique(chosen).tolist():
            which = np.flatnonzero(chosen == lag)
            order = self._products.order(lag)
            equations = normal[np.ix_(which, np.array(order), np.array(order))]
            if lag < most:
                residuals = series[y[which], : most + 1] - slope[which, None] * series[x[which], : most + 1]
                early = self._products.early(residuals, lag)
                equations = equations + early.transpose(0, 2, 1) @ early
            triangle = np.linalg.cholesky(equations)
            free = self._times - 1 - lag - (lag + 1)
            statistic[which] = triangle[:, -1, -2] / triangle[:, -1, -1] * math.sqrt(free)
        return statistic, chosen

    def _chosen(self, normal: Values) -> Numbers:
        """Return the number of lags of each pair."""
        if isinstance(self._lags, int):
            return np.full(len(normal), self._lags)
        triangle = np.linalg.cholesky(normal)
        taken = triangle[:, -1, :]
        # What 1, 2, ... regressors leave of the steps: the level, then one lag after the other.
        left = np.cumsum(taken[:, ::-1] ** 2, axis=1)[:, ::-1][:, 1:]
        n, orders = self._products.samples, np.arange(1, self._most + 2)
        if self._lags == "t-stat":
            t = np.abs(taken[:, :-1]) / np.sqrt(left / (n - orders))
            is_long = t[:, 1:] >= _SIGNIFICANT_T
            return np.where(is_long.any(axis=1), self._most - np.argmax(is_long[:, ::-1], axis=1), 0)
        cost = 2.0 if self._lags == "aic" else math.log(n)
        return np.asarray(np.argmin(n * np.log(left / n) + cost * orders, axis=1))

    def _one_by_one(self, y: Numbers, x: Numbers, slope: Values, found: AllPairs) -> None:
        """Test pairs at the edge of what products can tell, each from its residuals."""
        series = self._products.series
        for one, other, b in zip(y.tolist(), x.tolist(), slope.tolist(), strict=True):
            at = int(self._numbers[one]), int(self._numbers[other])
            residuals = series[one] - b * series[other]
            self._judge_line(found, one, other, float(residuals @ residuals))
            try:
                if np.abs(residuals).max() <= max(self._rounding[one], abs(b) * self._rounding[other]):
                    raise NotEnoughDataError("the legs are the same but for a constant and a factor")
                lag = self._lags_of(residuals)
                found.statistic[at], _ = dickey_fuller.statistic(residuals, "n", lag)
                found.lags[at] = lag
            except NotEnoughDataError as error:
                found.reasons[at] = str(error)

    def _lags_of(self, residuals: Values) -> int:
        if isinstance(self._lags, int):
            return self._lags
        if self._lags != "t-stat":
            return dickey_fuller.choose_lags(residuals, "n", self._lags)
        try:
            return int(self._chosen(LagProducts(residuals[None], self._most).own)[0])
        except np.linalg.LinAlgError:
            raise NotEnoughDataError("the residuals move too seldom for a choice of lags") from None
