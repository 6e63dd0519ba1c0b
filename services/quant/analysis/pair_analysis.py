"""Pair analysis: all statistics of two legs over one history."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar, get_args

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.quant.analysis.evidence import Evidence, LineEvidence, is_rejected
from services.quant.analysis.regression import Regression, describe, fit_line
from services.quant.analysis.rolling import RollingStatistics, rolling
from services.quant.analysis.verdict import Moment, Verdict, bar_number, judge
from services.quant.correlation.matrix import correlate
from services.quant.estimators.registry import MOVING, Method
from services.quant.fit import ROUNDING, Fit, NotEnoughDataError
from services.quant.options import AnalysisOptions, Part, Trend
from services.quant.statistical_tests.breaks import Edge, StructuralBreak, edge, structural_break
from services.quant.statistical_tests.diagnostics import Diagnostics, diagnose
from services.quant.statistical_tests.gregory_hansen import GregoryHansen, gregory_hansen
from services.quant.statistical_tests.hac import hac_error
from services.quant.statistical_tests.half_life import (
    HalfLife,
    HalfLifeInterval,
    half_life,
    half_life_interval,
)
from services.quant.statistical_tests.hurst import Hurst, hurst
from services.quant.statistical_tests.instability import (
    Cusum,
    Innovations,
    Thirds,
    cusum,
    innovations,
    thirds,
)
from services.quant.statistical_tests.split_lines import both_sides, one_line
from services.quant.statistical_tests.unit_root import UnitRoot, adf, engle_granger, without_trend

Values = NDArray[np.float64]
T = TypeVar("T")
_NORMAL_95 = 1.959963984540054


class Analysis(Struct, frozen=True, kw_only=True):
    """Result of an analysis; a part that is None has its reason in `not_enough_data`.

    `sample_spread` is what the line of the whole sample leaves of y: in-sample, its parameters have seen all of it. Of
    a method whose line moves (`kalman`, `rls`, `ewma`) it is the error of the forecast, nan before the first.
    `sample_zscore` is that by the regression's scale. The columns of `rolling` see only what was before. Where there is
    a half-life there is `half_life_interval`.
    """

    samples: int
    regression: Regression | None
    diagnostics: Diagnostics | None
    adf_y: UnitRoot | None
    adf_x: UnitRoot | None
    adf_spread: UnitRoot | None
    engle_granger_y_on_x: UnitRoot | None
    engle_granger_x_on_y: UnitRoot | None
    gregory_hansen_y_on_x: GregoryHansen | None
    gregory_hansen_x_on_y: GregoryHansen | None
    structural_break: StructuralBreak | None
    edge: Edge | None
    thirds: Thirds | None
    cusum: Cusum | None
    innovations: Innovations | None
    half_life: HalfLife | None
    half_life_interval: HalfLifeInterval | None = None
    hurst: Hurst | None
    returns_correlation: float | None
    price_correlation: float | None
    verdict: Verdict
    not_enough_data: dict[Part, str]
    sample_spread: Values | None
    sample_zscore: Values | None
    rolling: RollingStatistics | None


def analyse(
    y_price: Values,
    x_price: Values,
    options: AnalysisOptions,
    bars: Sequence[int] | None = None,
    *,
    same_asset: str | None = None,
    moment: Moment = bar_number,
) -> Analysis:
    """Return the analysis of two legs' prices above 0, one for each bar that both have, oldest first.

    `bars` are the numbers of the bars in time, without them neighbours. All but `rolling` takes bars as equally far
    apart. Every statistic is one of transformed prices. `same_asset` names what both legs are, if it is the same;
    `moment` is what the verdict calls a bar.
    """
    y, x = (np.log(leg) if options.transform == "log" else leg for leg in (y_price, x_price))
    missing: dict[Part, str] = {}

    def part(name: Part, compute: Callable[[], T]) -> T | None:
        try:
            return compute()
        except NotEnoughDataError as error:
            missing[name] = str(error)
            return None

    def need(name: Part, value: T | None) -> T:
        if value is None:
            raise NotEnoughDataError(missing[name])
        return value

    observations = y.tolist(), x.tolist()
    window, method, trend, lags = options.window, options.method, options.trend, options.lags
    numbers = range(len(y)) if bars is None else bars
    rolled = part(
        "rolling",
        lambda: rolling(method, window, options.min_samples, *observations, numbers, options.transform),
    )
    fit = part("regression", lambda: _line(options, *observations))
    residuals = _residuals(method, fit, rolled, y, x)

    def sample_spread() -> Values:
        if method in MOVING:
            need("rolling", rolled)
        return _more_than_rounding(residuals, need("regression", fit), y, x)

    spread = part("sample_spread", sample_spread)

    def of_spread(name: Part, compute: Callable[[Values], T]) -> T | None:
        return part(name, lambda: compute(_known(need("sample_spread", spread))))

    y_on_x = part("engle_granger_y_on_x", lambda: engle_granger(y, x, trend, lags))
    x_on_y = part("engle_granger_x_on_y", lambda: engle_granger(x, y, trend, lags))

    def of_lines(name: Part, compute: Callable[[Values, Values], T]) -> T | None:
        """Compute the parts that need a line with an intercept and legs that Engle-Granger accepts."""

        def computed() -> T:
            need("engle_granger_y_on_x", y_on_x)
            need("engle_granger_x_on_y", x_on_y)
            return compute(*(_level(leg, trend) for leg in (y, x)))

        return part(name, computed)

    def with_a_break(one: Values, other: Values) -> GregoryHansen:
        if trend in ("ct", "ctt"):
            raise NotEnoughDataError("Gregory and Hansen's table is of a constant, without a trend")
        return gregory_hansen(both_sides(one, other), one, other, lags)

    at_an_edge = of_lines("edge", edge)
    life = of_spread("half_life", lambda values: half_life(values.tolist()))
    steps = np.diff(numbers)
    evidence = Evidence(
        samples=len(y),
        method=method,
        same_asset=same_asset,
        gaps=int(np.count_nonzero(steps > 1)),
        longest_gap=int(steps.max(initial=1)) - 1,
        line=None if y_on_x is None or x_on_y is None else _hac_line(_level(y, trend), _level(x, trend)),
        returns_correlation=part("returns_correlation", lambda: _correlation(y_price, x_price, "returns")),
        price_correlation=part("price_correlation", lambda: _correlation(y_price, x_price, "prices")),
        y_on_x=y_on_x,
        x_on_y=x_on_y,
        adf_y=part("adf_y", lambda: adf(y, trend, lags)),
        adf_x=part("adf_x", lambda: adf(x, trend, lags)),
        adf_spread=of_spread("adf_spread", lambda values: adf(values, trend, lags)),
        gregory_hansen_y_on_x=of_lines("gregory_hansen_y_on_x", with_a_break),
        gregory_hansen_x_on_y=of_lines("gregory_hansen_x_on_y", lambda of_y, of_x: with_a_break(of_x, of_y)),
        structural_break=of_lines(
            "structural_break", lambda of_y, of_x: structural_break(both_sides(of_y, of_x), of_y, of_x)
        ),
        edge=at_an_edge,
        rest_holds=at_an_edge is not None
        and at_an_edge.is_found
        and _holds_without(at_an_edge, y, x, options),
        thirds=of_lines("thirds", thirds),
        cusum=of_lines("cusum", cusum),
        innovations=of_spread("innovations", innovations),
        half_life=life,
        half_life_interval=life and half_life_interval(life, fitted=method not in MOVING),
        hurst=of_spread("hurst", hurst),
        diagnostics=of_spread("diagnostics", diagnose),
    )
    reason = missing.get("engle_granger_y_on_x") or missing.get("engle_granger_x_on_y")
    return Analysis(
        samples=len(y),
        regression=None if fit is None else describe(method, fit, y, x, residuals, options.level),
        diagnostics=evidence.diagnostics,
        adf_y=evidence.adf_y,
        adf_x=evidence.adf_x,
        adf_spread=evidence.adf_spread,
        engle_granger_y_on_x=y_on_x,
        engle_granger_x_on_y=x_on_y,
        gregory_hansen_y_on_x=evidence.gregory_hansen_y_on_x,
        gregory_hansen_x_on_y=evidence.gregory_hansen_x_on_y,
        structural_break=evidence.structural_break,
        edge=at_an_edge,
        thirds=evidence.thirds,
        cusum=evidence.cusum,
        innovations=evidence.innovations,
        half_life=life,
        half_life_interval=evidence.half_life_interval,
        hurst=evidence.hurst,
        returns_correlation=evidence.returns_correlation,
        price_correlation=evidence.price_correlation,
        verdict=judge(evidence, reason, moment),
        not_enough_data=missing,
        sample_spread=spread,
        sample_zscore=part(
            "sample_zscore", lambda: _zscores(need("sample_spread", spread), need("regression", fit))
        ),
        rolling=rolled,
    )


def refuse(samples: int, reason: str) -> Analysis:
    """Return an analysis without a number: `reason` stands for every part."""
    parts = dict.fromkeys(get_args(Part))
    return Analysis(
        **parts,
        samples=samples,
        verdict=Verdict("not_enough_data", f"No verdict: {reason}.", []),
        not_enough_data=dict.fromkeys(parts, reason),
    )


def _line(options: AnalysisOptions, y: list[float], x: list[float]) -> Fit:
    enough = min(options.window, options.min_samples)
    if options.method in MOVING and len(y) <= enough:
        raise NotEnoughDataError(f"more than {enough} observations are needed, there are {len(y)}")
    if len(y) > 2 and max(y) - min(y) <= ROUNDING * max(map(abs, y)):
        raise NotEnoughDataError("y does not move")
    return fit_line(options.method, y, x, options.window, options.transform)


def _residuals(
    method: Method, fit: Fit | None, rolled: RollingStatistics | None, y: Values, x: Values
) -> Values:
    if method in MOVING and rolled is not None:
        return np.array(rolled.spread, np.float64)
    if method in MOVING or fit is None:
        return np.full(len(y), np.nan)
    return y - (fit.intercept + fit.hedge_ratio * x)


def _more_than_rounding(spread: Values, fit: Fit, y: Values, x: Values) -> Values:
    if np.nanmax(np.abs(spread)) <= ROUNDING * max(np.abs(y).max(), np.abs(fit.hedge_ratio * x).max()):
        raise NotEnoughDataError("the spread is no more than the rounding of the legs")
    return spread


def _known(values: Values) -> Values:
    return values[~np.isnan(values)]


def _zscores(spread: Values, fit: Fit) -> Values:
    if not fit.scale:
        raise NotEnoughDataError("the scale of the spread is 0")
    return spread / fit.scale


def _level(leg: Values, trend: Trend) -> Values:
    """Return a leg without the trend that the tests allow for, but with its constant."""
    return without_trend(leg, trend) if trend in ("ct", "ctt") else leg


def _hac_line(y: Values, x: Values) -> LineEvidence:
    line = one_line(y, x)
    reach = _NORMAL_95 * hac_error(line.values, x).standard_error
    return LineEvidence(line.hedge_ratio, line.hedge_ratio - reach, line.hedge_ratio + reach)


def _holds_without(part: Edge, y: Values, x: Values, options: AnalysisOptions) -> bool:
    inside = slice(part.first, part.end)
    legs = np.delete(y, inside), np.delete(x, inside)
    try:
        return all(
            is_rejected(engle_granger(*way, options.trend, options.lags)) for way in (legs, legs[::-1])
        )
    except NotEnoughDataError:
        return False


def _correlation(y: Values, x: Values, of: Literal["returns", "prices"]) -> float:
    if of == "returns" and min(y.min(initial=1.0), x.min(initial=1.0)) <= 0:
        raise NotEnoughDataError("a return needs prices above 0")
    found = correlate(y, x, "pearson", of)
    if found.value is None:
        raise NotEnoughDataError(found.reason or "there is none")
    return found.value
