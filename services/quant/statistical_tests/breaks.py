"""Structural breaks: whether the line of two cointegrated legs changed, and when."""

from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.quant.fit import NotEnoughDataError
from services.quant.statistical_tests.innovation_break import CRITICAL, innovation_break
from services.quant.statistical_tests.long_run import autoregression
from services.quant.statistical_tests.split_lines import FLAT, Lines, check_length, one_line

# By simulation, docs/statistics.md: of stable pairs some 2 in 100 are above; more persistent and shorter ones by chance
# far more often, so the value rises with 1 / (n (1 - persistence)), the number of half-lives seen, and 1 / n.
_CRITICAL = 15.0
_BY_PERSISTENCE = 12.0
_BY_SAMPLES = 20.0
# Of a mean over so few bars next to nothing is known of the distribution.
_EDGE_CRITICAL = 4.0
_EDGES = (0.05, 0.10, 0.15)

Values = NDArray[np.float64]
BreakTest = Literal["sup_wald", "exp_wald"]
"""Of the levels of the spread, or of its innovations."""


class StructuralBreak(Struct, frozen=True):
    """Two lines instead of one: more than chance if the `statistic` of `test` is above `critical_value`.

    `at` is the number of the first bar after the break; the line is y = intercept + hedge_ratio * x + spread.
    """

    statistic: float
    critical_value: float
    at: int
    hedge_ratio_before: float
    intercept_before: float
    hedge_ratio_after: float
    intercept_after: float
    test: BreakTest = "sup_wald"

    @property
    def is_found(self) -> bool:
        """Tell whether one line is not enough."""
        return self.statistic > self.critical_value


class Edge(Struct, frozen=True):
    """The bars from `first` on, up to the end, or before `end`, judged by the line of all others.

    `statistic` is how far their mean spread is from 0 in standard errors: more than chance above `critical_value`.
    """

    statistic: float
    critical_value: float
    first: int
    end: int

    @property
    def is_found(self) -> bool:
        """Tell whether these bars follow another line."""
        return self.statistic > self.critical_value


def critical_value(n: int, persistence: float) -> float:
    """Return what the statistic of a stable pair seldom reaches."""
    return _CRITICAL * (1 + _BY_PERSISTENCE / (n * (1 - persistence)) + _BY_SAMPLES / n)


def structural_break(lines: Lines, y: Values, x: Values) -> StructuralBreak:
    """Test the null hypothesis that one line holds all bars, against two with the break at the likeliest date.

    Of two tests the one that is farther above its critical value, or nearer to it, counts: `sup_wald` finds a line that
    jumps, `exp_wald` (see `innovation_break`) one that bends, within the waves of a slow spread too.
    NotEnoughDataError if two lines leave a random walk.
    """
    levels = sup_wald(lines, y, x)
    try:
        statistic, at = innovation_break(y, x)
    except NotEnoughDataError:
        return levels
    place = int(np.searchsorted(lines.at, at).clip(0, len(lines.at) - 1))
    if statistic / CRITICAL <= levels.statistic / levels.critical_value or np.isinf(lines.squares[place]):
        return levels
    return _at(lines, place, "exp_wald", statistic, CRITICAL)


def sup_wald(lines: Lines, y: Values, x: Values) -> StructuralBreak:
    """Return the greatest Wald statistic over all dates but those of the first and last 15 %.

    It is by how much two lines reduce the sum of squares, in long-run variances of what they leave. NotEnoughDataError
    if they leave a random walk. Source: Andrews (1993) for the supremum, Hansen (1992), "Tests for parameter
    instability in regressions with I(1) processes", for cointegrated legs, Bai (1994) for the date; the critical
    value is our own.
    """
    place = lines.best
    left = lines.residuals(np.array([place]), y, x)[0]
    around = autoregression(left, parameters=4)
    gain = max(0.0, one_line(y, x).squares - float(left @ left))
    critical = critical_value(len(y), around.persistence)
    return _at(lines, place, "sup_wald", gain / around.variance, critical)


def _at(lines: Lines, place: int, test: BreakTest, statistic: float, critical: float) -> StructuralBreak:
    (intercept_before, before), (intercept_after, after) = lines.before[place], lines.after[place]
    return StructuralBreak(
        statistic=statistic,
        critical_value=critical,
        at=int(lines.at[place]),
        hedge_ratio_before=float(before),
        intercept_before=float(intercept_before),
        hedge_ratio_after=float(after),
        intercept_after=float(intercept_after),
        test=test,
    )


def edge(y: Values, x: Values) -> Edge:
    """Return the first or last 5, 10 or 15 % of the bars that are farthest from the line of all others.

    No date there can be tested, for a line of its own would follow so few bars wherever they go: this is the
    forecast of their mean. NotEnoughDataError with fewer than 60 bars, or if the others hold no line or leave a random
    walk.
    Source: Chow (1960) for the forecast, with a long-run variance; the critical value is our own.
    """
    n = len(y)
    check_length(n)
    found = []
    for share in _EDGES:
        length = int(share * n)
        for first, end in ((0, length), (n - length, n)):
            inside = np.arange(first, end)
            found.append(Edge(_off_the_line(y, x, inside), _EDGE_CRITICAL, first, end))
    return max(found, key=lambda one: one.statistic)


def _off_the_line(y: Values, x: Values, inside: NDArray[np.int64]) -> float:
    others_y, others_x = np.delete(y, inside), np.delete(x, inside)
    if np.ptp(others_x) <= FLAT * np.ptp(x):
        raise NotEnoughDataError("x does not move but near an end")
    others = one_line(others_y, others_x)
    variance = autoregression(others.values, parameters=2).variance
    far = float(x[inside].mean() - others_x.mean())
    error = float(y[inside].mean() - others_y.mean()) - others.hedge_ratio * far
    moved = others_x - others_x.mean()
    scale = float(np.abs(moved).max())
    lever = (far / scale) ** 2 / float((moved / scale) @ (moved / scale))
    return abs(error) / float(np.sqrt(variance * (1 / len(inside) + 1 / len(others_y) + lever)))
