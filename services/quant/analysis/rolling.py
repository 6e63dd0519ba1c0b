"""Rolling statistics of a pair over its history, by the code that computes the live ones."""

from collections.abc import Sequence
from typing import NamedTuple

from services.quant.correlation.rolling import correlation
from services.quant.estimators import registry
from services.quant.estimators.registry import ON_BAR_CLOSE, Method
from services.quant.fit import Fit, NotEnoughDataError
from services.quant.moments import RollingMoments
from services.quant.transform import Transform

# The line of an estimator that reads its whole window is at most such a part of the window old.
_AGE = 10

Series = list[float | None]
_NOTHING = (None, None, None, None, None)


class RollingStatistics(NamedTuple):
    """One value for each observation, None where there is none yet."""

    hedge_ratio: Series
    intercept: Series
    spread: Series
    zscore: Series
    correlation: Series


def refit_every(method: Method, window: int) -> int:
    """Return for how many bars one line is used: 1, but for methods whose fit reads the whole window.

    >>> refit_every("ols", 300), refit_every("huber", 300)
    (1, 30)
    """
    return max(1, window // _AGE) if method in ON_BAR_CLOSE else 1


def rolling(
    method: Method,
    window: int,
    min_samples: int,
    y: Sequence[float],
    x: Sequence[float],
    bars: Sequence[int],
    transform: Transform = "price",
) -> RollingStatistics:
    """Judge each observation by the `window` before it, once `min_samples` are there: nothing looks ahead.

    Spread, z-score and correlation are those of a live signal, the correlation that of the window's prices, which are
    as `transform` left them. Where `refit_every` is above 1, the line is fitted anew at multiples of it in `bars`,
    the numbers of the bars in time: a value does not depend on where the history begins or ends. NotEnoughDataError if
    there is no value at all.
    """
    every = refit_every(method, window)
    estimator, moments = registry.create(method, window, transform), RollingMoments(window)
    own = estimator.moments or moments
    result = RollingStatistics([], [], [], [], [])
    enough = min(window, min_samples)
    reason = f"more than {enough} observations are needed, there are {len(y)}"
    fit: Fit | None = None
    fitted_at = -1
    for number, (bar, one_y, one_x) in enumerate(zip(bars, y, x, strict=True)):
        values: tuple[float | None, ...] = _NOTHING
        if number >= enough:
            try:
                if fit is None or bar // every != fitted_at:
                    fit, fitted_at = None, bar // every
                    fit = estimator.get()
                values = _judge(fit, own, one_y, one_x)
            except NotEnoughDataError as error:
                reason = str(error)
        for column, value in zip(result, values, strict=True):
            column.append(value)
        estimator.update(one_y, one_x)
        if own is moments:
            moments.update(one_x, one_y)
    if all(value is None for value in result.spread):
        raise NotEnoughDataError(reason)
    return result


def _judge(fit: Fit, moments: RollingMoments, y: float, x: float) -> tuple[float, ...]:
    correlated, zscore = correlation(moments.get()), fit.zscore(y, x)
    return fit.hedge_ratio, fit.intercept, fit.spread(y, x), zscore, correlated
