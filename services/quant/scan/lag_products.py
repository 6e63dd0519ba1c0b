"""Sums of products of levels and lagged steps, of every two symbols: all that the tests of their pairs need."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Numbers = NDArray[np.intp]


class LagProducts:
    """Cross products of `series` (symbols x times) with up to `lags` lags.

    The columns of a symbol are its level, its steps of 1 to `lags` samples before, and its step: ``width`` of them, on
    the samples that all lags leave. What a line leaves of y is ``u = y - b x``, so the products that the regression of
    the steps of u needs are ``G_yy - b (G_yx + G_xy) + b^2 G_xx``, for any b.
    """

    def __init__(self, series: Values, lags: int) -> None:
        self.series = np.ascontiguousarray(series)
        self.lags = lags
        self.width = lags + 2
        self._steps = np.diff(self.series, axis=1)
        self._end = series.shape[1] - 1
        self._levels = self.series[:, lags : self._end]
        self._lagged = [self._steps[:, lags - lag : self._end - lag] for lag in range(lags + 1)]
        self.own = np.array([self._of_one(number) for number in range(len(series))])
        """Products of each symbol with itself (symbols x width x width)."""

    @property
    def samples(self) -> int:
        """Return the number of samples that all lags leave."""
        return int(self._end - self.lags)

    def between(self, first: Numbers, second: Numbers) -> Values:
        """Return G_ab + G_ba of each of `first` and each of `second` (first x second x width x width)."""
        width, lags = self.width, self.lags
        found = np.empty((width, width, len(first), len(second)))
        found[0, 0] = self._levels[first] @ self._levels[second].T
        for lag in range(lags + 1):
            found[0, self._place(lag)] = self._levels[first] @ self._lagged[lag][second].T
            found[self._place(lag), 0] = self._lagged[lag][first] @ self._levels[second].T
        for apart in range(lags + 1):
            for one, other in ((0, apart), (apart, 0)) if apart else ((0, 0),):
                self._diagonal(found, first, second, one, other)
        both = found + found.transpose(1, 0, 2, 3)
        return np.ascontiguousarray(both.transpose(2, 3, 0, 1))

    def _diagonal(self, found: Values, first: Numbers, second: Numbers, one: int, other: int) -> None:
        """Fill in the products of two lags that are as far apart: each is the one before but for its two ends."""
        product = self._lagged[one][first] @ self._lagged[other][second].T
        found[self._place(one), self._place(other)] = product
        while max(one, other) < self.lags:
            in_a, in_b = self.lags - 1 - one, self.lags - 1 - other
            out_a, out_b = self._end - 1 - one, self._end - 1 - other
            product = (
                product
                + np.multiply.outer(self._steps[first, in_a], self._steps[second, in_b])
                - np.multiply.outer(self._steps[first, out_a], self._steps[second, out_b])
            )
            one, other = one + 1, other + 1
            found[self._place(one), self._place(other)] = product

    def _of_one(self, number: int) -> Values:
        columns = np.vstack(
            [
                self._levels[number],
                *(self._lagged[lag][number] for lag in range(1, self.lags + 1)),
                self._lagged[0][number],
            ]
        )
        return np.asarray(columns @ columns.T)

    def early(self, residuals: Values, lag: int) -> Values:
        """Return the samples that `lag` lags leave and all do not (pairs x samples x columns), of `residuals`.

        `residuals` are the first ``lags + 1`` of each pair; the columns are those of `order`.
        """
        steps = np.diff(residuals, axis=1)
        columns = [steps[:, lag - back : self.lags - back] for back in range(1, lag + 1)]
        return np.stack([*columns, residuals[:, lag : self.lags], steps[:, lag : self.lags]], axis=2)

    def order(self, lag: int) -> Sequence[int]:
        """Return the columns of a regression with `lag` lags: those first, then the level, then the step."""
        return [*range(1, lag + 1), 0, self.lags + 1]

    def _place(self, lag: int) -> int:
        return lag or self.lags + 1
