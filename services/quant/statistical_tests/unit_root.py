"""Unit root tests: ADF for one series, Engle-Granger for the cointegration of two."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.quant.fit import ROUNDING, NotEnoughDataError
from services.quant.options import Criterion, Trend
from services.quant.statistical_tests import dickey_fuller
from services.quant.statistical_tests.dickey_fuller import choose_lags, limit, trends
from services.quant.statistical_tests.mackinnon import Series, critical_values, p_values

LEAST = 30

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
    rest = without_trend(series, trend)
    used = _lags(rest, trend, lags)
    statistic, samples = dickey_fuller.statistic(rest, trend, used)
    return UnitRoot(
        statistic, _p_value(statistic, trend, 1), used, samples, critical_values(samples, trend, 1)
    )


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
    statistic, samples = dickey_fuller.statistic(residuals, "n", used)
    return UnitRoot(
        statistic, _p_value(statistic, trend, 2), used, samples, critical_values(len(y) - 1, trend, 2)
    )


def _p_value(statistic: float, trend: Trend, series: Series) -> float:
    return float(p_values(np.array(statistic), trend, series))


def _lags(series: Values, trend: Trend, lags: int | Criterion) -> int:
    if isinstance(lags, str):
        return choose_lags(series, trend, lags)
    if lags > (most := limit(len(series), trend)):
        raise NotEnoughDataError(
            f"{len(series)} observations allow at most {most} lags, {lags} were asked for"
        )
    return lags


def without_trend(series: Values, trend: Trend) -> Values:
    """Return `series` without its trend; NotEnoughDataError if only rounding is left."""
    if len(series) < LEAST:
        raise NotEnoughDataError(
            f"a unit root test needs at least {LEAST} observations, there are {len(series)}"
        )
    rest = series
    if trend != "n":
        columns = trends(len(series), trend)
        rest = series - series.mean()
        rest = rest - columns @ np.linalg.lstsq(columns, rest)[0]
    if np.ptp(series) == 0 or np.abs(rest).max() <= ROUNDING * np.abs(series).max():
        raise NotEnoughDataError("the series does not move but for its trend")
    return rest
