"""The rolling numbers of a pair over its history, by the code that makes them live."""

from collections.abc import Sequence
from typing import NamedTuple

from services.quant import estimators
from services.quant.correlation import correlation
from services.quant.estimators import ON_BAR_CLOSE, Method
from services.quant.fit import Fit, NotEnoughDataError
from services.quant.moments import RollingMoments

# Estimators that read their whole window are asked so often, and for so many observations in all.
_FITS = 100
_READ = 30_000

Series = list[float | None]
_NOTHING = (None, None, None, None, None)


class Rolling(NamedTuple):
    """One value for each observation, None where there is none yet, and how many observations a line serves."""

    hedge_ratio: Series
    intercept: Series
    spread: Series
    zscore: Series
    correlation: Series
    refit_every: int


def refit_every(method: Method, window: int, n: int) -> int:
    """Return for how many observations one line is used: 1, but for methods whose fit reads the whole window."""
    if method not in ON_BAR_CLOSE:
        return 1
    fits = max(1, min(_FITS, _READ // window))
    return -(-n // fits)


def rolling(method: Method, window: int, min_samples: int, y: Sequence[float], x: Sequence[float]) -> Rolling:
    """Judge each observation by the `window` before it, once `min_samples` are there: nothing looks ahead.

    Spread, z-score and correlation are those of a live signal, the correlation that of the window's prices. Where
    `refit_every` is above 1 the line may be so many observations older.
    """
    every = refit_every(method, window, len(y))
    estimator, moments = estimators.create(method, window), RollingMoments(window)
    own = estimator.moments or moments
    result = Rolling([], [], [], [], [], every)
    enough = min(window, min_samples)
    fit: Fit | None = None
    for number, (one_y, one_x) in enumerate(zip(y, x, strict=True)):
        if number >= enough and (fit is None or number % every == 0):
            fit = _fit(estimator)
        for column, value in zip(result[:5], _judge(fit, own, one_y, one_x), strict=True):
            column.append(value)
        estimator.update(one_y, one_x)
        if own is moments:
            moments.update(one_x, one_y)
    return result


def _fit(estimator: estimators.Estimator) -> Fit | None:
    try:
        return estimator.get()
    except NotEnoughDataError:
        return None


def _judge(fit: Fit | None, moments: RollingMoments, y: float, x: float) -> tuple[float | None, ...]:
    if fit is None:
        return _NOTHING
    try:
        correlated, zscore = correlation(moments.get()), fit.zscore(y, x)
    except NotEnoughDataError:
        return _NOTHING
    return fit.hedge_ratio, fit.intercept, fit.spread(y, x), zscore, correlated
