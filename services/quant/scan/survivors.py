"""Tests of survivors: pairs that hold once the number of tries counts are tested again, each in three ways.

On the part held out, by a test that has no way round, and for a break: what was chosen among many by one test has to
stand others, for which it was not chosen.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from services.quant.fit import NotEnoughDataError
from services.quant.options import Criterion, Trend
from services.quant.scan.all_pairs import engle_granger
from services.quant.scan.lag_products import Values
from services.quant.statistical_tests.breaks import StructuralBreak, structural_break
from services.quant.statistical_tests.split_lines import both_sides

MOST = 500
"""Survivors that are tested for breaks and without a way round, those with the least p-values: 20 to 40 ms each."""
# Statsmodels numbers the deterministic terms from -1 on.
_ORDERS: dict[Trend, int] = {"n": -1, "c": 0, "ct": 1}
_FIVE_PERCENT = 1

Place = tuple[int, int]


class Trace(NamedTuple):
    """Johansen's trace statistic of no cointegration, rejected above the critical value of 5 %."""

    statistic: float
    critical_value: float

    @property
    def is_rejected(self) -> bool:
        """Tell whether the legs are cointegrated by this test."""
        return self.statistic > self.critical_value


def held_out_p_values(
    rest: Values, pairs: Sequence[Place], trend: Trend, lags: int | Criterion
) -> dict[Place, float]:
    """Return the greater p-value of both ways round of each of `pairs` (columns of `rest`); none without a test."""
    columns = sorted({column for pair in pairs for column in pair})
    if not columns:
        return {}
    places = {column: number for number, column in enumerate(columns)}
    worse = engle_granger(rest[:, columns], trend, lags).worse_p_value
    found = {(y, x): float(worse[places[y], places[x]]) for y, x in pairs}
    return {pair: p_value for pair, p_value in found.items() if not np.isnan(p_value)}


def trace(y: Values, x: Values, trend: Trend, lags: int) -> Trace | None:
    """Test the null hypothesis that no line holds the legs, whichever is regressed on which; None if that fails.

    `lags` differences are in the error correction model.
    Source: Johansen (1991), by statsmodels; critical values of MacKinnon, Haug and Michelis (1999).
    """
    legs = np.column_stack([y, x])
    legs = (legs - legs.mean(axis=0)) / legs.std(axis=0)
    try:
        found = coint_johansen(legs, _ORDERS[trend], lags)
    except (np.linalg.LinAlgError, ValueError):
        return None
    statistic = float(found.trace_stat[0])
    return (
        Trace(statistic, float(found.trace_stat_crit_vals[0, _FIVE_PERCENT]))
        if np.isfinite(statistic)
        else None
    )


def broken(y: Values, x: Values) -> StructuralBreak | None:
    """Test the null hypothesis that one line holds all bars, against two; None if there is no test of these."""
    try:
        return structural_break(both_sides(y, x), y, x)
    except NotEnoughDataError:
        return None
