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
    """Regression line through (x, y) and its residuals, each observation weighing `forgetting` times the
    next.

    The weights begin at the first observation and are normalised (``adjust=True`` of pandas). Means are kept as
    distances from the last observation, which is not in the state, and squares are centred, so all digits last at a
    level of 1e5 with moves of 1e-2.
    Source: West (1979), "Updating Mean and Variance Estimates: An Improved Method", with decaying weights; equal to
    ``pandas.Series.ewm(alpha=1 - forgetting)``; Haykin, Adaptive Filter Theory, 9.6, for the squared residuals.
    """

    memory = 1

    def __init__(self, forgetting: float) -> None:
        if not 0 < forgetting < 1:
            raise ValueError(f"expected a forgetting factor between 0 and 1, received {forgetting}")
        self.forgetting = forgetting
        self.n = 0
        self.weight = self.squared_weights = 0.0
        self.sxx = self.sxy = self.residuals = 0.0
        self._x = self._y = self._above_x = self._above_y = 0.0
        # Of x, each weighing the square of its weight.
        self._squared_above_x = self._squared_sxx = 0.0

    def update(self, x: float, y: float) -> float:
        """Add an observation and return y less what the line before it said, as if flat where there was none.

        Squared residuals are those about the line that it moves. Not syy - slope * sxy: of legs that all but follow
        each other nothing would be left of that difference.
        """
        keep, sxx = self.forgetting, self.sxx
        step = x - self._x
        dx = step + self._above_x
        dy = y - self._y + self._above_y
        innovation = dy - self.sxy / sxx * dx if sxx else dy
        if self.n:
            away = dx * dx / sxx if sxx else math.inf if dx else 0.0
            share = keep / (keep + 1 / self.weight + away)
            self.residuals = keep * self.residuals + innovation * innovation * share
        self.n += 1
        self.weight = weight = keep * self.weight + 1
        share = 1 - 1 / weight
        self._x, self._y = x, y
        self._above_x = above_x = dx * share
        self._above_y = dy * share
        self.sxx = keep * sxx + dx * above_x
        self.sxy = keep * self.sxy + above_x * dy
        keep *= keep
        self.squared_weights = weight = keep * self.squared_weights + 1
        dx = step + self._squared_above_x
        self._squared_above_x = above_x = dx * (1 - 1 / weight)
        self._squared_sxx = keep * self._squared_sxx + dx * above_x
        return innovation

    @property
    def mean_x(self) -> float:
        """The mean of x."""
        return self._x - self._above_x

    @property
    def mean_y(self) -> float:
        """The mean of y."""
        return self._y - self._above_y

    @property
    def syy(self) -> float:
        """Centred sum of squares of y: explained by the line and residual."""
        return self.residuals + (self.sxy * (self.sxy / self.sxx) if self.sxx else 0.0)

    @property
    def effective(self) -> float:
        """The number of equal weights that would average as well, (sum of w)² / sum of w² (Kish, 1965)."""
        return self.weight * self.weight / self.squared_weights if self.n else 0.0

    def is_determined(self) -> bool:
        """Tell whether there is a line: at least 3 observations, and x moves."""
        return self.n >= 3 and not is_flat(self.sxx, self.mean_x, self.weight)

    def line(self) -> tuple[float, float]:
        """Return slope and intercept of y on x; NotEnoughDataError with fewer than 3 observations or a flat x."""
        if not self.is_determined():
            few = f"at least 3 observations are needed, there are {self.n}"
            raise NotEnoughDataError(few if self.n < 3 else "x did not move lately")
        slope = self.sxy / self.sxx
        return slope, self.mean_y - slope * self.mean_x

    def slope_error(self) -> float:
        """Return the standard error of the slope of one line with errors that are independent and equally large.

        Weights that fade let one observation in two count: it is not sqrt(variance / sxx), which takes each weight for
        one over a variance. The variance is what makes the expectation of the squared residuals theirs.
        Source: White (1980) with equal variances: (X'WX)⁻¹ X'W²X (X'WX)⁻¹; Greene, 9.2.
        """
        apart = self._squared_above_x - self._above_x
        squares = self._squared_sxx + self.squared_weights * apart * apart
        free = self.weight - self.squared_weights / self.weight - squares / self.sxx
        return math.sqrt(self.residuals / free * squares) / self.sxx

    def state(self) -> list[float]:
        """Return the numbers that ``restore`` takes beside the last observation."""
        return [
            float(self.n), self.weight, self.squared_weights, self._above_x, self._above_y,
            self.sxx, self.sxy, self.residuals, self._squared_above_x, self._squared_sxx,
        ]  # fmt: skip

    def restore(self, state: Sequence[float], samples: Sequence[tuple[float, float]]) -> None:
        """Become the moments that had this `state`, after the last of `samples` (y, x)."""
        (
            n, self.weight, self.squared_weights, self._above_x, self._above_y,
            self.sxx, self.sxy, self.residuals, self._squared_above_x, self._squared_sxx,
        ) = state  # fmt: skip
        self.n = int(n)
        self._y, self._x = samples[-1] if self.n else (0.0, 0.0)
