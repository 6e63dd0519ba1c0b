"""Hedge ratio by total least squares."""

import math

from services.quant.estimators.windowed import Windowed, precise
from services.quant.fit import Fit, NotEnoughDataError, check_regression, residual_scale


class Tls(Windowed):
    """Total least squares over a rolling window: the line nearest to the observations at right angles.

    Errors are taken to be as large in x as in y, so unlike any other method it depends on the units: of legs
    with very different prices use the logarithms. It is also the only one whose hedge ratio of the swapped
    legs is one over that of the pair. The scale is that of the spread, sqrt(SSR / (n - 2)) along y.
    Source: Pearson (1901), "On Lines and Planes of Closest Fit"; Deming regression with a ratio of 1.
    """

    def get(self) -> Fit:
        """Return the fit; NotEnoughDataError with fewer than 3 observations, a flat x or legs without a direction."""
        moments = self.moments.get()
        n, mean_x, mean_y, sxx, sxy, syy = moments
        check_regression(n, mean_x, sxx)
        half = (syy - sxx) / 2
        root = math.hypot(half, sxy)
        if sxy == 0.0 and half >= 0.0:
            raise NotEnoughDataError("no line is nearest: y moves at least as much as x, and not with it")
        # Of the two equal forms the one that adds what has one sign.
        hedge_ratio = (half + root) / sxy if half > 0.0 else sxy / (root - half)
        residuals = syy - hedge_ratio * (2 * sxy - hedge_ratio * sxx)
        scale = residual_scale(residuals, syy, mean_y, n)
        fit = Fit(hedge_ratio, mean_y - hedge_ratio * mean_x, scale, n)
        return precise(fit, self.moments, moments, sxx)
