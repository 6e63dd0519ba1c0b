"""Evidence that a verdict rests on."""

import math

from msgspec import Struct

from services.quant.estimators.registry import Method
from services.quant.options import SIGNIFICANCE
from services.quant.statistical_tests.breaks import Edge, StructuralBreak
from services.quant.statistical_tests.diagnostics import Diagnostics
from services.quant.statistical_tests.gregory_hansen import GregoryHansen
from services.quant.statistical_tests.half_life import HalfLife, HalfLifeInterval
from services.quant.statistical_tests.hurst import Hurst
from services.quant.statistical_tests.instability import Cusum, Innovations, Thirds
from services.quant.statistical_tests.unit_root import UnitRoot

LEVEL = "5%"
# Returns that are as little correlated as this many standard errors have no clear sign.
_SIGN = 3.0


class LineEvidence(Struct, frozen=True):
    """The hedge ratio of all bars by least squares, with an interval of 95 % that knows of autocorrelation (HAC)."""

    hedge_ratio: float
    low: float
    high: float


class Evidence(Struct, frozen=True, kw_only=True):
    """Evidence on two legs; None is what could not be computed, `samples` the number of bars.

    `same_asset` is the name of what both legs are, if it is the same. `rest_holds` tells whether Engle-Granger rejects
    both ways round without the bars of `edge`. Of `gaps` bars the next is missing, the longest gap is `longest_gap`
    bars long.
    """

    samples: int
    y_on_x: UnitRoot | None
    x_on_y: UnitRoot | None
    method: Method = "ols"
    same_asset: str | None = None
    gaps: int = 0
    longest_gap: int = 0
    line: LineEvidence | None = None
    returns_correlation: float | None = None
    price_correlation: float | None = None
    adf_y: UnitRoot | None = None
    adf_x: UnitRoot | None = None
    adf_spread: UnitRoot | None = None
    gregory_hansen_y_on_x: GregoryHansen | None = None
    gregory_hansen_x_on_y: GregoryHansen | None = None
    structural_break: StructuralBreak | None = None
    edge: Edge | None = None
    rest_holds: bool = False
    thirds: Thirds | None = None
    cusum: Cusum | None = None
    innovations: Innovations | None = None
    half_life: HalfLife | None = None
    half_life_interval: HalfLifeInterval | None = None
    hurst: Hurst | None = None
    diagnostics: Diagnostics | None = None


def is_rejected(test: UnitRoot | GregoryHansen | None) -> bool:
    """Tell whether `test` rejects its null hypothesis at 5 %; a missing test rejects nothing."""
    if test is None:
        return False
    if test.critical_values is None:
        return test.p_value < SIGNIFICANCE
    return test.statistic < test.critical_values[LEVEL]


def is_against_returns(evidence: Evidence) -> bool:
    """Tell whether the hedge ratio has, beyond chance, the sign that the correlation of returns has not."""
    line, correlation = evidence.line, evidence.returns_correlation
    if line is None or correlation is None or line.low <= 0 <= line.high:
        return False
    return line.hedge_ratio * correlation < 0 and abs(correlation) * math.sqrt(evidence.samples) > _SIGN
