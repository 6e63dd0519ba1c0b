"""Gregory-Hansen test: cointegration of two legs whose line may change once."""

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.quant.options import Criterion
from services.quant.statistical_tests.dickey_fuller import MOST_LAGS, choose_lags
from services.quant.statistical_tests.split_lines import Lines

CRITICAL_VALUES = {"1%": -5.47, "5%": -4.95, "10%": -4.68}
# Residuals computed at most; of a longer history only dates a hundredth of it apart are compared.
_CELLS = 700_000
# Dates computed at once: a block that fits into the cache takes half the time.
_BLOCK = 32_768
_DATES = 71

Values = NDArray[np.float64]


class GregoryHansen(Struct, frozen=True):
    """A test of no cointegration that allows for a break: below a critical value it is rejected.

    At `at`, the number of the first bar after the break, what the lines leave looks most stationary. `lags`
    differences were in the regression of `samples` observations for each date.
    """

    statistic: float
    at: int
    lags: int
    samples: int
    critical_values: dict[str, float]


def gregory_hansen(lines: Lines, y: Values, x: Values, lags: int | Criterion = "aic") -> GregoryHansen:
    """Test the null hypothesis that no line through `x` holds `y`, not even one that changes at one date.

    `lines` are those of ``both_sides(y, x)``. The model is the regime shift, C/S: intercept and slope may both change.
    Lags are those of the date that leaves the least squares, up to 24 and a quarter of the bars, for all dates.
    Source: Gregory and Hansen (1996), "Residual-based tests for cointegration in models with regime shifts", ADF* and
    table 1, one regressor.
    """
    best = lines.best
    known = np.flatnonzero(np.isfinite(lines.squares))
    step = max(1, len(known) // max(_DATES, _CELLS // len(y)))
    chosen = np.union1d(known[::step], [best])
    of_best = lines.residuals(np.array([best]), y, x)[0]
    scale = np.abs(of_best).max()
    of_best = of_best / scale
    wanted = lags if isinstance(lags, int) else min(choose_lags(of_best, "n", lags), MOST_LAGS)
    used = min(wanted, len(y) // 4)
    blocks = np.array_split(chosen, -(-len(chosen) * len(y) // _BLOCK))
    statistics = np.concatenate([_adf(lines.residuals(block, y, x) / scale, used) for block in blocks])
    least = int(np.nanargmin(statistics))
    return GregoryHansen(
        float(statistics[least]), int(lines.at[chosen[least]]), used, len(y) - 1 - used, CRITICAL_VALUES
    )


def _adf(series: Values, lags: int) -> Values:
    """Return the t-ratio of the lagged level, without a constant, of each row.

    A product of two differences depends on the distance of their lags but for the ends, so the normal equations
    of all rows take 3 (lags + 1) sums over the rows, and no regression.
    """
    steps = np.diff(series, axis=1)
    first, last = lags, steps.shape[1]
    level, lagged = series[:, first:-1], [steps[:, first - lag : last - lag] for lag in range(lags + 1)]
    products = np.empty((len(series), lags + 2, lags + 2))
    # In the order target, its lags, level.
    for lag, one in enumerate(lagged):
        products[:, 0, lag] = products[:, lag, 0] = _dot(lagged[0], one)
        products[:, lag, -1] = products[:, -1, lag] = _dot(level, one)
    products[:, -1, -1] = _dot(level, level)
    for row in range(lags):
        for column in range(row, lags):
            # Both one bar earlier: one product comes in at the beginning, one goes at the end.
            come = steps[:, first - row - 1] * steps[:, first - column - 1]
            gone = steps[:, last - row - 1] * steps[:, last - column - 1]
            moved = products[:, row, column] + come - gone
            products[:, row + 1, column + 1] = products[:, column + 1, row + 1] = moved
    inverse = np.linalg.inv(products[:, 1:, 1:])
    solved = np.einsum("ijk,ik->ij", inverse, products[:, 1:, 0])
    squares = products[:, 0, 0] - _dot(solved, products[:, 1:, 0])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(solved[:, -1] / np.sqrt(squares / (last - first - lags - 1) * inverse[:, -1, -1]))


def _dot(one: Values, other: Values) -> Any:
    return np.einsum("ij,ij->i", one, other)
