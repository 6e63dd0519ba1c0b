"""Hedge ratio by ordinary least squares through the origin."""

import math

from services.quant.estimators.windowed import Windowed, precise
from services.quant.fit import Fit, NotEnoughDataError, residual_scale


class OlsOrigin(Windowed):
    """Least squares of y = hedge_ratio * x over a rolling window, for legs that are in proportion.

    The hedge ratio is sum(xy) / sum(xx), the scale sqrt(SSR / (n - 1)).
    Source: Eisenhauer (2003), "Regression through the Origin"; equal to ``statsmodels.OLS(y, x)``.
    """

    def get(self) -> Fit:
        """Return the fit of the window; NotEnoughDataError with fewer than 3 observations or an x of zeros."""
        moments = self.moments.get()
        n, mean_x, mean_y, sxx, sxy, syy = moments
        if n < 3:
            raise NotEnoughDataError(f"a regression needs at least 3 observations, there are {n}")
        squares = sxx + n * mean_x * mean_x
        if squares == 0.0:
            raise NotEnoughDataError("x is zero in the whole window")
        hedge_ratio = (sxy + n * mean_x * mean_y) / squares
        # Not syy - hedge_ratio * sxy of the raw sums: at a level of 1e5 nothing is left of that difference.
        mean_residual = (mean_y * sxx - mean_x * sxy) / squares
        around_mean = syy - hedge_ratio * (2 * sxy - hedge_ratio * sxx)
        scale = residual_scale(around_mean + n * mean_residual * mean_residual, syy, mean_y, n, parameters=1)
        fit = Fit(hedge_ratio, 0.0, scale, n, scale / math.sqrt(squares))
        return precise(fit, self.moments, moments, squares, parameters=1)
