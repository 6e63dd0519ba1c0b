"""How fast a spread comes back: the half-life of its autoregression."""

import math
from typing import NamedTuple

from services.quant.ols import Ols


class HalfLife(NamedTuple):
    """`samples` until half of a deviation is gone, or None with the `reason`.

    `coefficient` is b of s[t] = a + b * s[t-1] + e, `standard_error` its own. (b - 1) / standard_error is the
    Dickey-Fuller statistic: a random walk has b below 1 by chance, so a finite half-life proves nothing.
    """

    samples: float | None
    coefficient: float
    standard_error: float
    reason: str | None = None


class RollingHalfLife:
    """ln(1/2) / ln(b) of the last `window` steps of a spread.

    This is exact for an AR(1), and what -ln(2) / (b - 1) approximates when b is near 1.
    Source: Chan, Algorithmic Trading (2013), chapter 2; Hamilton, Time Series Analysis, 3.4 for the AR(1).
    """

    def __init__(self, window: int) -> None:
        self._steps = Ols(window)
        self._last: float | None = None

    def update(self, spread: float) -> None:
        """Add the spread of the next sample."""
        if self._last is not None:
            self._steps.update(spread, self._last)
        self._last = spread

    def skip(self) -> None:
        """Forget the last spread: the next step would span a gap."""
        self._last = None

    def get(self) -> HalfLife:
        """Return the half-life; NotEnoughDataError with fewer than 3 steps or a spread that stood still."""
        fit = self._steps.get()
        b, error = fit.hedge_ratio, fit.hedge_ratio_se or 0.0
        if b >= 1:
            return HalfLife(None, b, error, "the spread does not revert to a mean: b is 1 or more")
        if b <= 0:
            return HalfLife(None, b, error, "the spread overshoots its mean within a sample: b is 0 or less")
        return HalfLife(math.log(0.5) / math.log(b), b, error)
