"""Split lines: the regression of two legs before and after a date, for every date at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.quant.fit import ROUNDING, NotEnoughDataError

LEAST = 60
TRIM = 0.15
"""The share of the history at each end in which no date is looked at: a line through so few bars is anything."""
FLAT = 1e-9
"""Smallest share of a leg's moves in a part of the history that can fit a line."""

Values = NDArray[np.float64]
Numbers = NDArray[np.int64]


class Residuals(NamedTuple):
    """Residuals of one line for y, with their sum of squares."""

    values: Values
    squares: float
    hedge_ratio: float


class Lines(NamedTuple):
    """The least-squares lines of both sides of each date; `at` is the number of the first bar after it.

    Rows of `before` and `after` are intercept and slope. `squares` is the sum of squared residuals of both sides,
    infinite where one of them determines no line.
    """

    at: Numbers
    squares: Values
    before: Values
    after: Values

    @property
    def best(self) -> int:
        """Return the place of the date that leaves the least squares."""
        return int(np.argmin(self.squares))

    def residuals(self, chosen: Numbers, y: Values, x: Values) -> Values:
        """Return what the lines of the `chosen` dates leave of `y`, one row for each."""
        is_after = np.arange(len(y)) >= self.at[chosen, None]
        intercept, slope = (
            np.where(is_after, self.after[chosen, None, column], self.before[chosen, None, column])
            for column in (0, 1)
        )
        return np.asarray(y - (intercept + slope * x))


def one_line(y: Values, x: Values) -> Residuals:
    """Return what the least-squares line of all bars leaves of y; of a flat x its mean."""
    one_y, one_x = y - y.mean(), x - x.mean()
    scale = float(np.abs(one_x).max()) or 1.0
    unit = one_x / scale
    squares = float(unit @ unit)
    slope = float(unit @ one_y) / squares if squares else 0.0
    left = one_y - slope * unit
    return Residuals(left, float(left @ left), slope / scale)


def check_length(n: int) -> None:
    """Raise NotEnoughDataError unless there are 60 observations."""
    if n < LEAST:
        raise NotEnoughDataError(f"a test for a break needs at least {LEAST} observations, there are {n}")


def both_sides(y: Values, x: Values) -> Lines:
    """Return the lines on both sides of every date but those in the first and last 15 %.

    One pass of sums from the front and one from behind serve all dates. NotEnoughDataError with fewer than 60 bars, or
    if no date leaves a line on both sides, or one leaves nothing but rounding.
    """
    n = len(y)
    check_length(n)
    mean_y, mean_x = y.mean(), x.mean()
    # Of values near 1, whatever the unit: squares of prices of 1e-200 are 0.
    unit_y, unit_x = np.abs(y - mean_y).max() or 1.0, np.abs(x - mean_x).max() or 1.0
    one_y, one_x = (y - mean_y) / unit_y, (x - mean_x) / unit_x
    columns = np.stack([np.ones(n), one_x, one_y, one_x * one_x, one_x * one_y, one_y * one_y])
    at = np.arange(int(TRIM * n), n - int(TRIM * n) + 1)
    # From behind, too: what is left of a sum after a subtraction has lost its digits.
    sides = np.cumsum(columns, axis=1)[:, at - 1], np.cumsum(columns[:, ::-1], axis=1)[:, n - at - 1]
    smallest = FLAT * float(one_x @ one_x)
    squares, found = np.zeros(len(at)), []
    for count, sum_x, sum_y, xx, xy, yy in sides:
        sxx, sxy, syy = xx - sum_x**2 / count, xy - sum_x * sum_y / count, yy - sum_y**2 / count
        is_flat = sxx <= smallest
        slope = sxy / np.where(is_flat, 1.0, sxx)
        squares += np.where(is_flat, np.inf, np.maximum(syy - slope * sxy, 0.0)) * unit_y**2
        intercept = (sum_y - slope * sum_x) / count
        slope = slope * (unit_y / unit_x)
        found.append(np.stack([mean_y + unit_y * intercept - slope * mean_x, slope], axis=1))
    lines = Lines(at, squares, *found)
    if not np.isfinite(squares).any():
        raise NotEnoughDataError("x does not move on both sides of any date")
    if np.abs(lines.residuals(np.array([lines.best]), y, x)).max() <= ROUNDING * np.abs(y).max():
        raise NotEnoughDataError("a line on each side of a date leaves nothing but rounding of y")
    return lines
