"""Is a series a random walk (ADF), and do two of them belong together (Engle-Granger)?"""

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from statsmodels.tsa.adfvalues import mackinnoncrit, mackinnonp
from statsmodels.tsa.stattools import adfuller

from services.quant.determined import determined
from services.quant.fit import ROUNDING, NotEnoughDataError
from services.quant.options import Criterion, Trend

LEAST = 30
_LEVELS = ("1%", "5%", "10%")

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

    Lags are as many as told or, of up to 12 (n/100)^(1/4) (Schwert), those with the least AIC or BIC. The trend is
    taken out first, which leaves the test what it is and makes it independent of the unit.
    Source: Said and Dickey (1984), MacKinnon (1994, 2010); equal to ``statsmodels.tsa.stattools.adfuller``.
    """
    rest = without_trend(series, trend)
    used = _lags(rest, trend, lags)
    statistic, p_value, samples, critical = _adfuller(rest, trend, used)
    return UnitRoot(statistic, p_value, used, samples, critical)


def engle_granger(y: Values, x: Values, trend: Trend = "c", lags: int | Criterion = "aic") -> UnitRoot:
    """Test the null hypothesis that no line through `x` holds `y`; NotEnoughDataError as `adf`, or if collinear.

    The residuals of a fitted line look stationary by themselves, so the critical values are not those of
    Dickey and Fuller. The other way round is another test.
    Source: Engle and Granger (1987), MacKinnon (1994, 2010); equal to ``statsmodels.tsa.stattools.coint``, which
    refuses legs that hold together by more than a millionth.
    """
    of_y, of_x = without_trend(y, trend), without_trend(x, trend)
    scale = np.abs(of_x).max()
    unit = of_x / scale
    factor = (of_y @ unit) / (unit @ unit)
    residuals = of_y - factor * unit
    if np.abs(residuals).max() <= ROUNDING * max(np.abs(y).max(), np.abs(factor * (x / scale)).max()):
        raise NotEnoughDataError("the legs are the same but for a constant and a factor")
    used = _lags(residuals, "n", lags)
    statistic, _, samples, _ = _adfuller(residuals, "n", used)
    critical = None
    if trend != "n":
        levels = mackinnoncrit(N=2, regression=trend, nobs=len(y) - 1)
        critical = dict(zip(_LEVELS, map(float, levels), strict=True))
    return UnitRoot(statistic, float(mackinnonp(statistic, regression=trend, N=2)), used, samples, critical)


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


def _adfuller(series: Values, trend: Trend, lags: int) -> tuple[float, float, int, dict[str, float]]:
    # As large as the time that statsmodels has beside it.
    series = series * (len(series) / np.abs(series).max())
    with determined():
        statistic, p_value, _, samples, critical = adfuller(
            series, maxlag=lags, regression=trend, autolag=None, result_object=False
        )
    if not math.isfinite(statistic):
        raise NotEnoughDataError("the series is its trend and nothing else")
    return float(statistic), float(p_value), int(samples), {k: float(v) for k, v in critical.items()}


def _lags(series: Values, trend: Trend, lags: int | Criterion) -> int:
    if isinstance(lags, str):
        return choose_lags(series, trend, lags)
    if lags > (limit := _limit(len(series), trend)):
        raise NotEnoughDataError(
            f"{len(series)} observations allow at most {limit} lags, {lags} were asked for"
        )
    return lags


def _limit(n: int, trend: Trend) -> int:
    """Return the most lags that leave the regression a degree of freedom."""
    return n // 2 - max(1, _terms(trend)) - 1


def _most_lags(n: int, trend: Trend) -> int:
    return min(_limit(n, trend), math.ceil(12 * math.pow(n / 100, 0.25)))


def _terms(trend: Trend) -> int:
    return 0 if trend == "n" else len(trend)


def _trends(n: int, trend: Trend) -> Values:
    return np.vander(np.linspace(-1, 1, n), _terms(trend), increasing=True)


def without_trend(series: Values, trend: Trend) -> Values:
    """Return what is left of `series` without its trend; NotEnoughDataError if that is rounding."""
    if len(series) < LEAST:
        raise NotEnoughDataError(
            f"a unit root test needs at least {LEAST} observations, there are {len(series)}"
        )
    rest = series
    if trend != "n":
        columns = _trends(len(series), trend)
        rest = series - series.mean()
        rest = rest - columns @ np.linalg.lstsq(columns, rest)[0]
    if np.ptp(series) == 0 or np.abs(rest).max() <= ROUNDING * np.abs(series).max():
        raise NotEnoughDataError("the series does not move but for its trend")
    return rest
