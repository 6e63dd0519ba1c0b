"""Break of a line, seen in the innovations of its spread: of a slow spread they say far more than its levels."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.quant.fit import ROUNDING, NotEnoughDataError
from services.quant.statistical_tests.dickey_fuller import MOST_LAGS, choose_lags, lagged_steps
from services.quant.statistical_tests.split_lines import Lines, both_sides, one_line

Values = NDArray[np.float64]

CRITICAL = 4.25
"""Of stable pairs 1 to 4 in 100 have a larger statistic, however slow they are: docs/statistics.md."""


class InnovationBreak(NamedTuple):
    """The statistic, and the number of the first bar after the likeliest date."""

    statistic: float
    at: int


def innovation_break(y: Values, x: Values) -> InnovationBreak:
    """Test the null hypothesis that one line holds all bars, against two with the break at any date.

    The statistic is the log of the mean of exp(Wald / 2) over all dates but those of the first and last 15 %. Both legs
    are taken less what the autoregression of the spread says of them, and Y less its part in a move of X, so that
    what is left of a line is independent. Where White's covariance gives a smaller Wald statistic at the best date, all
    are made smaller by as much: moves that come in bursts are no break. NotEnoughDataError with fewer than 60
    innovations, if they are rounding, or if x does not move on both sides of any date.
    Source: Andrews and Ploberger (1994), "Optimal tests when a nuisance parameter is present only under the
    alternative", Exp-W; Cochrane and Orcutt (1949); Phillips and Loretan (1991) for the move of X;
    White (1980).
    """
    of_y, of_x = _innovations(y, x)
    lines = both_sides(of_y, of_x)
    variance = float(lines.squares[lines.best]) / (len(of_y) - 4)
    # The innovations are of a Y whose largest distance from its mean is 1.
    if variance <= ROUNDING**2:
        raise NotEnoughDataError("the innovations of the spread are no more than rounding")
    # Of a date without two lines nothing is known.
    walds = np.maximum(0.0, (one_line(of_y, of_x).squares - lines.squares) / variance)
    most = float(walds.max())
    if most > 0:
        walds *= min(1.0, _white(lines, of_y, of_x) / most)
    # Exponents of 0 at most.
    halves = (walds - walds.max()) / 2
    statistic = float(walds.max()) / 2 + float(np.log(np.mean(np.exp(halves))))
    return InnovationBreak(max(0.0, statistic), int(lines.at[lines.best]) + len(y) - len(of_y))


def _white(lines: Lines, y: Values, x: Values) -> float:
    """Return the Wald statistic at the best date by White's covariance of both lines, HC1."""
    place = lines.best
    at, apart = int(lines.at[place]), lines.after[place] - lines.before[place]
    covariance = np.zeros((2, 2))
    for part, line in ((slice(at), lines.before[place]), (slice(at, None), lines.after[place])):
        design = np.column_stack([np.ones(len(x[part])), x[part]])
        left = design * (y[part] - design @ line)[:, None]
        inverse = np.linalg.pinv(design.T @ design)
        covariance += inverse @ (left.T @ left) @ inverse * len(left) / (len(left) - 2)
    return float(apart @ np.linalg.pinv(covariance) @ apart)


def _innovations(y: Values, x: Values) -> tuple[Values, Values]:
    # Of values near 1, whatever the unit.
    y, x = ((leg - leg.mean()) / (np.abs(leg - leg.mean()).max() or 1.0) for leg in (y, x))
    spread = one_line(y, x).values
    lags = min(choose_lags(spread, "n", "bic"), MOST_LAGS)
    moves = np.diff(x)[lags:]
    known, target = _before(spread, lags)
    *coefficients, at_once = np.linalg.lstsq(np.column_stack([known, moves]), target)[0]
    of_y, of_x = (now - before @ coefficients for before, now in (_before(leg, lags) for leg in (y, x)))
    return of_y - at_once * moves, of_x


def _before(series: Values, lags: int) -> tuple[Values, Values]:
    """Return the value before each one and the lagged steps, as columns, and the values themselves."""
    *lagged, _ = lagged_steps(series, lags)
    return np.column_stack([series[lags:-1], *lagged]), series[lags + 1 :]
