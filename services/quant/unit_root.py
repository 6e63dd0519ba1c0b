"""Is a series a random walk (ADF), and do two of them belong together (Engle-Granger)?"""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from statsmodels.tools.sm_exceptions import SingularMatrixWarning
from statsmodels.tsa.stattools import adfuller, coint

from services.quant.fit import ROUNDING, NotEnoughDataError
from services.quant.options import Criterion, Trend

LEAST = 30
_LEVELS = ("1%", "5%", "10%")
# As statsmodels: beyond it a regression of one leg on the other leaves no residuals to test.
_COLLINEAR = 1 - 100 * math.sqrt(np.finfo(np.float64).eps)

Values = NDArray[np.float64]


class UnitRoot(Struct, frozen=True):
    """A test of the null hypothesis that there is a unit root: below a critical value it is rejected.

    `lags` differences were in the regression of `samples` observations. `critical_values` are None where there are
    none (Engle-Granger without a constant).
    """

    statistic: float
    p_value: float
    lags: int
    samples: int
    critical_values: dict[str, float] | None


def adf(series: Values, trend: Trend = "c", lags: int | Criterion = "aic") -> UnitRoot:
    """Test whether `series` is a random walk; NotEnoughDataError if it is too short, constant or all trend.

    Lags are as many as told or, of up to 12 (n/100)^(1/4) (Schwert), those with the least AIC or BIC.
    Source: Said and Dickey (1984), MacKinnon (1994, 2010); equal to ``statsmodels.tsa.stattools.adfuller``.
    """
    _check(series, trend)
    used = _lags(series, trend, lags)
    with _determined():
        statistic, p_value, _, samples, critical = adfuller(
            series, maxlag=used, regression=trend, autolag=None, result_object=False
        )
    if not math.isfinite(statistic):
        raise NotEnoughDataError("the series is its trend and nothing else")
    return UnitRoot(
        float(statistic), float(p_value), used, int(samples), {k: float(v) for k, v in critical.items()}
    )


def engle_granger(y: Values, x: Values, trend: Trend = "c", lags: int | Criterion = "aic") -> UnitRoot:
    """Test the null hypothesis that no line through `x` holds `y`; NotEnoughDataError as `adf`, or if collinear.

    The residuals of a fitted line look stationary by themselves, so the critical values are not those of
    Dickey and Fuller. The other way round is another test.
    Source: Engle and Granger (1987), MacKinnon (1994, 2010); equal to ``statsmodels.tsa.stattools.coint``.
    """
    for leg in (y, x):
        _check(leg, trend)
    residuals = _without(y, np.column_stack([x, _trends(len(x), trend)]))
    around = y if trend == "n" else y - y.mean()
    if 1 - residuals @ residuals / (around @ around) >= _COLLINEAR:
        raise NotEnoughDataError("the legs are the same but for a constant and a factor")
    used = _lags(residuals, "n", lags)
    with _determined():
        found = coint(y, x, trend=trend, maxlag=used, autolag=None, return_results=True)
    critical = None if trend == "n" else dict(zip(_LEVELS, map(float, found.critical_values), strict=True))
    return UnitRoot(float(found.coint_t), float(found.pvalue), used, len(y) - 1 - used, critical)


def choose_lags(series: Values, trend: Trend, criterion: Criterion) -> int:
    """Return the number of lags with the least AIC or BIC, all compared on the same observations.

    One triangle holds the residuals of all the regressions, each of which has one column more than the one before.
    Source: Hamilton, Time Series Analysis, 17.7; the same lags as the ``autolag`` of statsmodels.
    """
    steps = np.diff(series)
    most = _most_lags(len(series), trend)
    n = len(steps) - most
    lagged = [steps[most - lag : len(steps) - lag] for lag in range(1, most + 1)]
    columns = np.column_stack([_trends(n, trend), series[most:-1], *lagged, steps[most:]])
    scales = np.abs(columns).max(axis=0).clip(min=np.finfo(float).tiny)
    triangle = np.asarray(np.linalg.qr(columns / scales, mode="r"))
    # What the columns from k on take of the last one, from behind: sums of squares, never a difference.
    rest = np.cumsum(triangle[::-1, -1] ** 2)[::-1]
    fixed = columns.shape[1] - 1 - most
    parameters = np.arange(fixed, fixed + most + 1)
    cost = 2.0 if criterion == "aic" else math.log(n)
    with np.errstate(divide="ignore"):
        information = n * np.log(rest[fixed : fixed + most + 1]) + cost * parameters
    return int(np.argmin(information))


@contextmanager
def _determined() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", SingularMatrixWarning)
        try:
            yield
        except SingularMatrixWarning:
            raise NotEnoughDataError("the series moves too seldom for the regression of the test") from None


def _lags(series: Values, trend: Trend, lags: int | Criterion) -> int:
    if isinstance(lags, str):
        return choose_lags(series, trend, lags)
    if lags > (limit := len(series) // 2 - _terms(trend) - 1):
        raise NotEnoughDataError(
            f"{len(series)} observations allow at most {limit} lags, {lags} were asked for"
        )
    return lags


def _most_lags(n: int, trend: Trend) -> int:
    return min(n // 2 - _terms(trend) - 1, math.ceil(12 * math.pow(n / 100, 0.25)))


def _terms(trend: Trend) -> int:
    return 0 if trend == "n" else len(trend)


def _trends(n: int, trend: Trend) -> Values:
    return np.vander(np.arange(1.0, n + 1), _terms(trend), increasing=True)


def _without(y: Values, columns: Values) -> Values:
    residuals: Values = y - columns @ np.linalg.lstsq(columns, y)[0]
    return residuals


def _check(series: Values, trend: Trend) -> None:
    if len(series) < LEAST:
        raise NotEnoughDataError(
            f"a unit root test needs at least {LEAST} observations, there are {len(series)}"
        )
    rest = _without(series, _trends(len(series), trend)) if trend != "n" else series
    if np.ptp(series) == 0 or np.abs(rest).max() <= ROUNDING * np.abs(series).max():
        raise NotEnoughDataError("the series does not move but for its trend")
