"""The hedge ratio by a Kalman filter: it and the intercept walk at random."""

import math
from collections.abc import Sequence

from services.quant.exponential import forgetting_of
from services.quant.fit import Fit, NotEnoughDataError


class KalmanFit(Fit, frozen=True):
    """A forecast: its standard deviation depends on x, ``scale`` is the one at the last x.

    `variances` are the predicted variance of the level at the last x, `x0`, its covariance with the slope, the slope's
    variance, and the observation's, in units of y²; the slope is that against x / unit.
    """

    variances: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    x0: float = 0.0
    unit: float = 1.0

    def scale_at(self, x: float) -> float:
        """Return the standard deviation of the innovation at `x`, in units of y."""
        level, both, slope, observation = self.variances
        d = (x - self.x0) / self.unit
        return math.sqrt(level + d * (2 * both + d * slope) + observation)

    @property
    def intercept_se(self) -> float:
        """The standard error of the intercept, in units of y."""
        level, both, slope, _ = self.variances
        d = -self.x0 / self.unit
        return math.sqrt(max(0.0, level + d * (2 * both + d * slope)))


class Kalman:
    """y = intercept + hedge_ratio * x + v, where var(v) = V and each step adds noise to the parameters.

    The noise of the intercept has the variance V * delta / (1 - delta), that of the hedge ratio the same for
    an x counted in `unit`s (default: the first x, so that delta means the same at every price; 1 is the textbook).
    The spread of an observation is its innovation, y less what the parameters before it say, and a z-score
    divides by the innovation's own standard deviation. V is `observation_variance`; when it is None it is estimated
    as the weighted mean of innovation² / (its variance for V = 1), on which the parameters do not
    depend. The filter begins at the line through the first observation and the origin, with a prior variance of
    `prior_variance` * V on both parameters. An absurd price moves the parameters and is followed back.

    Inside, the level at the last x takes the place of the intercept, which is the same model in coordinates that
    keep their digits at a level of 1e5 with moves of 1e-2.
    Source: Chan, Algorithmic Trading (2013), chapter 3, for the model and delta; Durbin and Koopman, Time Series
    Analysis by State Space Methods, 4.3, for the recursion; Harvey, Forecasting, Structural Time Series Models and
    the Kalman Filter (1989), 3.4.2, for V concentrated out.
    """

    memory = 0
    moments = None

    def __init__(
        self,
        window: int,
        delta: float = 1e-5,
        observation_variance: float | None = None,
        prior_variance: float = 1e6,
        unit: float | None = None,
    ) -> None:
        if not 0 <= delta < 1:
            raise ValueError(f"expected a delta of 0 to 1, received {delta}")
        if observation_variance is not None and not observation_variance > 0:
            raise ValueError(f"expected an observation variance above 0, received {observation_variance}")
        self.window = window
        self._forgetting = forgetting_of(window)
        self._step = delta / (1 - delta)
        self._observation_variance = observation_variance
        self._prior_variance = prior_variance
        self._unit = unit
        self._n = 0
        # The level counts from the last y; variances are in units of V.
        self._x = self._y = self._level = self._slope = 0.0
        self._pll = self._pls = self._pss = self._weight = self._squares = 0.0

    def update(self, y: float, x: float) -> None:
        """Add an observation: correct the parameters by its innovation, then let them walk one step."""
        if self._n == 0:
            self._begin(y, x)
        unit = self._unit or 1.0
        self._n += 1
        d = (x - self._x) / unit
        pls = self._pls + d * self._pss
        pll = self._pll + d * (self._pls + pls)
        variance = pll + 1.0
        innovation = (y - self._y) - (self._level + self._slope * d)
        # level + gain * innovation, counted from this y
        self._level = -innovation / variance
        gain = pls / variance
        self._slope += gain * innovation
        x0 = x / unit
        self._pll = pll / variance + self._step * (1 + x0 * x0)
        self._pls = gain + self._step * x0
        self._pss += self._step - gain * pls
        self._x, self._y = x, y
        # The first two only replace the prior.
        if self._n > 2:
            self._weight = self._forgetting * self._weight + 1
            self._squares = self._forgetting * self._squares + innovation * innovation / variance

    def get(self) -> KalmanFit:
        """Return the forecast for the next observation; NotEnoughDataError with fewer than 3 observations."""
        if self._n < 3:
            raise NotEnoughDataError(f"the filter needs at least 3 observations, there are {self._n}")
        unit = self._unit or 1.0
        v = self._observation_variance
        if v is None:
            v = self._squares / self._weight
        hedge_ratio = self._slope / unit
        return KalmanFit(
            hedge_ratio,
            self._y + self._level - hedge_ratio * self._x,
            math.sqrt((self._pll + 1) * v),
            self._n,
            math.sqrt(self._pss * v) / unit,
            (self._pll * v, self._pls * v, self._pss * v, v),
            self._x,
            unit,
        )

    def state(self) -> list[float]:
        """Return all there is to know."""
        return [
            float(self._n), self._unit or 0.0, self._x, self._y, self._level, self._slope,
            self._pll, self._pls, self._pss, self._weight, self._squares,
        ]  # fmt: skip

    def restore(self, state: Sequence[float], samples: Sequence[tuple[float, float]] = ()) -> None:
        """Become the filter that had this `state`; no samples are needed."""
        (
            n, unit, self._x, self._y, self._level, self._slope,
            self._pll, self._pls, self._pss, self._weight, self._squares,
        ) = state  # fmt: skip
        self._n = int(n)
        self._unit = unit or None

    def _begin(self, y: float, x: float) -> None:
        self._unit = abs(self._unit or x or 1.0)
        self._x, self._y = x, y
        x0 = x / self._unit
        self._slope = y / x0 if x0 else 0.0
        # The level at x0 is intercept + x0 * slope, so its variance and covariance follow from theirs.
        self._pll = self._prior_variance * (1 + x0 * x0)
        self._pls = self._prior_variance * x0
        self._pss = self._prior_variance
