"""Is a series a random walk (ADF), and do two of them belong together (Engle-Granger)?"""

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from statsmodels.tsa.adfvalues import mackinnoncrit, mackinnonp

from services.quant.fit import ROUNDING, NotEnoughDataError
from services.quant.options import Criterion, Trend

LEAST = 30
# Lags that more observations would allow for cost more than they tell.
_SCHWERT = 10_000
_ROWS = 1 << 15
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

    Lags are as many as told or, of up to 12 (n/100)^(1/4) (Schwert; 38 from 10,000 observations on), those with the
    least AIC or BIC. The trend is taken out first, which leaves the test what it is and makes it independent of the
    unit.
    Source: Said and Dickey (1984), MacKinnon (1994, 2010); equal to ``statsmodels.tsa.stattools.adfuller``.
    """
    rest = _moving(series, trend)
    used = _lags(rest, trend, lags)
    statistic, samples = _statistic(rest, trend, used)
    critical = _critical(1, trend, samples)
    return UnitRoot(statistic, float(mackinnonp(statistic, regression=trend, N=1)), used, samples, critical)


def engle_granger(y: Values, x: Values, trend: Trend = "c", lags: int | Criterion = "aic") -> UnitRoot:
    """Test the null hypothesis that no line through `x` holds `y`; NotEnoughDataError as `adf`, or if collinear.

    The residuals of a fitted line look stationary by themselves, so the critical values are not those of
    Dickey and Fuller. The other way round is another test.
    Source: Engle and Granger (1987), MacKinnon (1994, 2010); equal to ``statsmodels.tsa.stattools.coint``, which
    refuses legs that hold together by more than a millionth.
    """
    of_y, of_x = _moving(y, trend), _moving(x, trend)
    scale = np.abs(of_x).max()
    unit = of_x / scale
    factor = (of_y @ unit) / (unit @ unit)
    residuals = of_y - factor * unit
    if np.abs(residuals).max() <= ROUNDING * max(np.abs(y).max(), np.abs(factor * (x / scale)).max()):
        raise NotEnoughDataError("the legs are the same but for a constant and a factor")
    used = _lags(residuals, "n", lags)
    statistic, samples = _statistic(residuals, "n", used)
    critical = None if trend == "n" else _critical(2, trend, len(y) - 1)
    return UnitRoot(statistic, float(mackinnonp(statistic, regression=trend, N=2)), used, samples, critical)


def choose_lags(series: Values, trend: Trend, criterion: Criterion) -> int:
    """Return the number of lags with the least AIC or BIC, all compared on the same observations.

    One triangle holds the residuals of all the regressions, each of which has one column more than the one before.
    Source: Hamilton, Time Series Analysis, 17.7; the same lags as the ``autolag`` of statsmodels.
    """
    most = _most_lags(len(series), trend)
    n = len(series) - 1 - most
    triangle = _triangle([*_trends(n, trend).T, series[most:-1], *_steps(series, most)])
    # What the columns from k on take of the last one, from behind: sums of squares, never a difference.
    rest = np.cumsum(triangle[::-1, -1] ** 2)[::-1]
    fixed = _terms(trend) + 1
    parameters = np.arange(fixed, fixed + most + 1)
    cost = 2.0 if criterion == "aic" else math.log(n)
    with np.errstate(divide="ignore"):
        information = n * np.log(rest[fixed : fixed + most + 1]) + cost * parameters
    return int(np.argmin(information))


def _statistic(series: Values, trend: Trend, lags: int) -> tuple[float, int]:
    """Return Student's t of the level that the steps of `series` are regressed on, and of how many samples it is.

    The level is the last of the regressors, so its part of the triangle is all that it takes.
    """
    n = len(series) - 1 - lags
    *lagged, step = _steps(series, lags)
    triangle = _triangle([*_trends(n, trend).T, *lagged, series[lags:-1], step])
    spread = np.abs(np.diagonal(triangle)[:-1])
    if spread.min() <= n * np.finfo(float).eps * spread.max():
        raise NotEnoughDataError("the series moves too seldom for the regression of the test")
    (level, taken), left = triangle[-2, -2:], abs(triangle[-1, -1])
    if not left:
        raise NotEnoughDataError("the series is its trend and nothing else")
    return float(math.copysign(1, level) * taken / left * math.sqrt(n - len(triangle) + 1)), n


def _steps(series: Values, lags: int) -> list[Values]:
    """Return the steps that are so many and fewer before those that have all of them before, and those themselves."""
    steps = np.diff(series)
    return [steps[lags - lag : len(steps) - lag] for lag in (*range(1, lags + 1), 0)]


def _triangle(columns: Sequence[Values]) -> Values:
    """Return R of the QR decomposition of `columns`, each by its largest value, in the memory of some of the rows."""
    scales = np.array([np.abs(column).max() for column in columns]).clip(min=np.finfo(float).tiny)
    triangle = np.empty((0, len(columns)))
    for first in range(0, len(columns[0]), _ROWS):
        some = np.column_stack([column[first : first + _ROWS] for column in columns]) / scales
        triangle = np.asarray(np.linalg.qr(np.vstack([triangle, some]), mode="r"))
    return triangle


def _critical(series: int, trend: Trend, samples: int) -> dict[str, float]:
    levels = mackinnoncrit(N=series, regression=trend, nobs=samples)
    return dict(zip(_LEVELS, map(float, levels), strict=True))


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
    return min(_limit(n, trend), math.ceil(12 * math.pow(min(n, _SCHWERT) / 100, 0.25)))


def _terms(trend: Trend) -> int:
    return 0 if trend == "n" else len(trend)


def _trends(n: int, trend: Trend) -> Values:
    return np.vander(np.linspace(-1, 1, n), _terms(trend), increasing=True)


def _moving(series: Values, trend: Trend) -> Values:
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
