"""Hedge ratio by ordinary least squares, with an intercept."""

import math

from services.quant.estimators.windowed import Windowed, precise
from services.quant.fit import Fit as Fit
from services.quant.fit import NotEnoughDataError as NotEnoughDataError
from services.quant.fit import check_regression, residual_scale
from services.quant.moments import Moments, RollingMoments


def fit(moments: Moments) -> Fit:
    """Regress y on x with an intercept; NotEnoughDataError with fewer than 3 observations or a flat x.

    The scale is the standard error of the regression, sqrt(SSR / (n - 2)).
    Source: Greene, Econometric Analysis, 3.2 and 4.3; equal to ``statsmodels.OLS(y, [1, x])``.
    """
    n, mean_x, mean_y, sxx, sxy, syy = moments
    check_regression(n, mean_x, sxx)
    hedge_ratio = sxy / sxx
    scale = residual_scale(syy - hedge_ratio * sxy, syy, mean_y, n)
    return Fit(hedge_ratio, mean_y - hedge_ratio * mean_x, scale, n, scale / math.sqrt(sxx))


def fit_window(rolling: RollingMoments) -> Fit:
    """Return ``fit`` of a rolling window, with a scale that is precise also where y all but follows x."""
    moments = rolling.get()
    return precise(fit(moments), rolling, moments, moments.sxx)


class Ols(Windowed):
    """Ordinary least squares over a rolling window."""

    def get(self) -> Fit:
        """Return the fit of the window; NotEnoughDataError as ``fit``."""
        return fit_window(self.moments)
