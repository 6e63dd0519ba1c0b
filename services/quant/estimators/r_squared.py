"""R-squared of a line: the share of one leg's variance that the other explains."""

from services.quant.fit import Fit
from services.quant.moments import Moments


def r_squared(fit: Fit, moments: Moments, *, about_zero: bool = False) -> float | None:
    """Return 1 - SSR / SST of the observations of `moments`; None if y did not move.

    `about_zero` is for a line through the origin. Of a line that is not that of least squares it can be below 0: then
    the mean of y explains more.
    Source: Greene, Econometric Analysis, 3.5; equal to ``rsquared`` of ``statsmodels.OLS``.
    """
    n, mean_x, mean_y, sxx, sxy, syy = moments
    slope = fit.hedge_ratio
    level = mean_y - fit.intercept - slope * mean_x
    rest = syy - slope * (2 * sxy - slope * sxx) + n * level * level
    total = syy + n * mean_y * mean_y if about_zero else syy
    return 1 - rest / total if total > 0 else None
