"""Exponentially weighted moments of two legs."""

import math
from collections.abc import Sequence

from services.quant.fit import NotEnoughDataError, is_flat


def forgetting_of(window: int) -> float:
    """Return the forgetting factor whose weights have the mean age of a window's: 1 - 2 / (window + 1).

    Source: the ``span`` of ``pandas.Series.ewm``.
    """
    if window < 1:
        raise ValueError(f"expected a window of at least 1 observation, received {window}")
    return 1 - 2 / (window + 1)


class ExponentialMoments:
    """Means, variances, covariance and correlation of (x, y), each observation weighing `forgetting` times the next.

    The weights begin at the first observation and are normalised (``adjust=True`` of pandas), variances and
    the covariance are unbiased for equal weights (``bias=False``). Means are kept as distances from the last
    observation and squares are centred, so all digits last at a level of 1e5 with moves of 1e-2.
    Source: West (1979), "Updating Mean and Variance Estimates: An Improved Method", with decaying weights; equal to
    ``pandas.Series.ewm(alpha=1 - forgetting)``.
    """

    def __init__(self, forgetting: float) -> None:
        if not 0 < forgetting < 1:
            raise ValueError(f"expected a forgetting factor between 0 and 1, received {forgetting}")
        self.forgetting = forgetting
        self.n = 0
        self.weight = self.squared_weights = 0.0
        self.sxx = self.sxy = self.syy = 0.0
        self._x = self._y = self._above_x = self._above_y = 0.0

    def update(self, x: float, y: float) -> None:
        """Add an observation."""
        keep = self.forgetting
        self.n += 1
        self.weight = weight = keep * self.weight + 1
        self.squared_weights = keep * keep * self.squared_weights + 1
        share = 1 - 1 / weight
        dx = x - self._x + self._above_x
        dy = y - self._y + self._above_y
        self._x, self._y = x, y
        self._above_x = dx * share
        self._above_y = above = dy * share
        self.sxx = keep * self.sxx + dx * self._above_x
        self.sxy = keep * self.sxy + dx * above
        self.syy = keep * self.syy + dy * above

    @property
    def mean_x(self) -> float:
        """The mean of x."""
        return self._x - self._above_x

    @property
    def mean_y(self) -> float:
        """The mean of y."""
        return self._y - self._above_y

    @property
    def effective(self) -> float:
        """The number of equal weights that would average as well, (sum of w)² / sum of w² (Kish, 1965)."""
        return self.weight * self.weight / self.squared_weights if self.n else 0.0

    def variance_x(self) -> float:
        """Return the variance of x; NotEnoughDataError with fewer than 2 observations."""
        return self._unbiased(self.sxx)

    def variance_y(self) -> float:
        """Return the variance of y; NotEnoughDataError with fewer than 2 observations."""
        return self._unbiased(self.syy)

    def covariance(self) -> float:
        """Return the covariance of x and y; NotEnoughDataError with fewer than 2 observations."""
        return self._unbiased(self.sxy)

    def correlation(self) -> float:
        """Return the correlation of x and y, in [-1, 1]; NotEnoughDataError if a leg is flat."""
        self._check(2)
        for name, squares, mean in (("x", self.sxx, self.mean_x), ("y", self.syy, self.mean_y)):
            if is_flat(squares, mean, self.weight):
                raise NotEnoughDataError(f"{name} did not move lately")
        return max(-1.0, min(1.0, self.sxy / math.sqrt(self.sxx) / math.sqrt(self.syy)))

    def line(self) -> tuple[float, float]:
        """Return slope and intercept of y on x; NotEnoughDataError with fewer than 3 observations or a flat x."""
        self._check(3)
        if is_flat(self.sxx, self.mean_x, self.weight):
            raise NotEnoughDataError("x did not move lately")
        slope = self.sxy / self.sxx
        return slope, self.mean_y - slope * self.mean_x

    def state(self) -> list[float]:
        """Return the numbers that ``restore`` takes."""
        return [
            float(self.n), self.weight, self.squared_weights, self._x, self._y, self._above_x, self._above_y,
            self.sxx, self.sxy, self.syy,
        ]  # fmt: skip

    def restore(self, state: Sequence[float]) -> None:
        """Become the moments that had this `state`."""
        (
            n, self.weight, self.squared_weights, self._x, self._y, self._above_x, self._above_y,
            self.sxx, self.sxy, self.syy,
        ) = state  # fmt: skip
        self.n = int(n)

    def _unbiased(self, total: float) -> float:
        self._check(2)
        return total / (self.weight - self.squared_weights / self.weight)

    def _check(self, needed: int) -> None:
        if self.n < needed:
            raise NotEnoughDataError(f"at least {needed} observations are needed, there are {self.n}")
