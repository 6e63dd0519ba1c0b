"""Everything there is to say of two legs over one history."""

from collections.abc import Callable, Sequence
from typing import TypeVar, get_args

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.quant.diagnostics import Diagnostics, diagnose
from services.quant.estimators import MOVING, Method
from services.quant.fit import ROUNDING, Fit, NotEnoughDataError
from services.quant.half_life import HalfLife, half_life
from services.quant.hurst import Hurst, hurst
from services.quant.options import Options, Part
from services.quant.regression import Regression, describe, fit_line
from services.quant.rolling import Rolling, rolling
from services.quant.unit_root import UnitRoot, adf, engle_granger
from services.quant.verdict import Evidence, Verdict, judge

Values = NDArray[np.float64]
T = TypeVar("T")


class Analysis(Struct, frozen=True, kw_only=True):
    """What was found; a part that is None has its reason in `not_enough_data`.

    `sample_spread` is what the line of the whole sample leaves of y: in-sample, its parameters have seen all of it. Of
    a method whose line moves (`kalman`, `rls`, `ewma`) it is the error of the forecast, nan before the first.
    `sample_zscore` is that by the regression's scale. The columns of `rolling` see only what was before.
    """

    samples: int
    regression: Regression | None
    diagnostics: Diagnostics | None
    adf_y: UnitRoot | None
    adf_x: UnitRoot | None
    adf_spread: UnitRoot | None
    engle_granger_y_on_x: UnitRoot | None
    engle_granger_x_on_y: UnitRoot | None
    half_life: HalfLife | None
    hurst: Hurst | None
    verdict: Verdict
    not_enough_data: dict[Part, str]
    sample_spread: Values | None
    sample_zscore: Values | None
    rolling: Rolling | None


def analyse(
    y_price: Values, x_price: Values, options: Options, bars: Sequence[int] | None = None
) -> Analysis:
    """Return the analysis of two legs' prices above 0, one for each bar that both have, oldest first.

    `bars` are the numbers of the bars in time, without them neighbours. All but `rolling` takes bars as equally far
    apart. Every statistic is one of transformed prices.
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

    evidence = Evidence(
        samples=len(y),
        y_on_x=part("engle_granger_y_on_x", lambda: engle_granger(y, x, trend, lags)),
        x_on_y=part("engle_granger_x_on_y", lambda: engle_granger(x, y, trend, lags)),
        adf_y=part("adf_y", lambda: adf(y, trend, lags)),
        adf_x=part("adf_x", lambda: adf(x, trend, lags)),
        adf_spread=of_spread("adf_spread", lambda values: adf(values, trend, lags)),
        half_life=of_spread("half_life", lambda values: half_life(values.tolist())),
        hurst=of_spread("hurst", hurst),
        diagnostics=of_spread("diagnostics", diagnose),
    )
    return Analysis(
        samples=len(y),
        regression=None if fit is None else describe(method, fit, y, x, residuals, options.level),
        diagnostics=evidence.diagnostics,
        adf_y=evidence.adf_y,
        adf_x=evidence.adf_x,
        adf_spread=evidence.adf_spread,
        engle_granger_y_on_x=evidence.y_on_x,
        engle_granger_x_on_y=evidence.x_on_y,
        half_life=evidence.half_life,
        hurst=evidence.hurst,
        verdict=judge(evidence, missing.get("engle_granger_y_on_x") or missing.get("engle_granger_x_on_y")),
        not_enough_data=missing,
        sample_spread=spread,
        sample_zscore=part(
            "sample_zscore", lambda: _zscores(need("sample_spread", spread), need("regression", fit))
        ),
        rolling=rolled,
    )


def refuse(samples: int, reason: str) -> Analysis:
    """Return an analysis without a number: `reason` stands against every part."""
    parts = dict.fromkeys(get_args(Part))
    return Analysis(
        **parts,
        samples=samples,
        verdict=Verdict("not_enough_data", f"No verdict: {reason}.", []),
        not_enough_data=dict.fromkeys(parts, reason),
    )


def _line(options: Options, y: list[float], x: list[float]) -> Fit:
    enough = min(options.window, options.min_samples)
    if options.method in MOVING and len(y) <= enough:
        raise NotEnoughDataError(f"more than {enough} observations are needed, there are {len(y)}")
    return fit_line(options.method, y, x, options.window, options.transform)


def _residuals(method: Method, fit: Fit | None, rolled: Rolling | None, y: Values, x: Values) -> Values:
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
