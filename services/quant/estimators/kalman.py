"""Hedge ratio by a Kalman filter: slope and intercept are random walks."""

import math
from collections.abc import Sequence

from services.quant.estimators.exponential_moments import forgetting_of
from services.quant.fit import Fit, NotEnoughDataError, is_flat

DELTA = 1e-5


class KalmanFit(Fit, frozen=True):
    """A forecast: its standard deviation depends on x, ``scale`` is the one at the last x.

    `variances` are that of the level at `centre`, the x where level and slope are not correlated, that of the slope
    against x / unit, and the observation's, in units of y².
    """

    variances: tuple[float, float, float] = (0.0, 0.0, 0.0)
    centre: float = 0.0
    unit: float = 1.0

    def scale_at(self, x: float) -> float:
        """Return the standard deviation of the innovation at `x`, in units of y."""
        return math.sqrt(self._variance(x) + self.variances[2])

    @property
    def intercept_se(self) -> float:
        """The standard error of the intercept, in units of y."""
        return math.sqrt(self._variance(0.0))

    def _variance(self, x: float) -> float:
        level, slope, _ = self.variances
        distance = (x - self.centre) / self.unit
        return level + distance * distance * slope


class Kalman:
    """y = intercept + hedge_ratio * x + v, where var(v) = V and each step adds noise to the parameters.

    The noise of the intercept has the variance V * delta / (1 - delta), that of the hedge ratio the same for
    an x counted in `unit`s (default: the first x, so that delta means the same at every price; 1 is the textbook). In
    `logs` it means what it means in prices: x counts there as 1 + log(x / first x), which for any move that a window
    sees is x / first x, and not in units of a logarithm, which depends on the currency.
    The spread of an observation is its innovation, y less what the parameters before it say, and a z-score
    divides by the innovation's own standard deviation. V is `observation_variance`; when it is None it is estimated
    as the weighted mean of innovation² / (its variance for V = 1), on which the parameters do not
    depend. Nothing is presumed of the parameters before the first observation: what determines them is not judged, and
    until x has moved there is no forecast. An absurd price moves the parameters and is followed back.

    Inside, the level at the last x takes the place of the intercept, which is the same model in coordinates that
    keep their digits at a level of 1e5 with moves of 1e-2; and the covariance is kept as its factors U D U', of which
    no step takes a difference: after an x of 1e9 no variance is lost, and none falls below 0. Of the slope it is the
    inverse of the variance, which is 0 as long as nothing is known of it.
    Source: Chan, Algorithmic Trading (2013), chapter 3, for the model and delta; Durbin and Koopman, Time Series
    Analysis by State Space Methods, 4.3, for the recursion, 5.2 for its exact diffuse beginning; Bierman, Factorization
    Methods for Discrete Sequential Estimation (1977), chapter V, for its factors; Harvey, Forecasting, Structural Time
    Series Models and the Kalman Filter (1989), 3.4.2, for V concentrated out.
    """

    memory = 0
    moments = None

    def __init__(
        self,
        window: int,
        delta: float = DELTA,
        observation_variance: float | None = None,
        unit: float | None = None,
        logs: bool = False,
    ) -> None:
        if not 0 <= delta < 1:
            raise ValueError(f"expected a delta of 0 to 1, received {delta}")
        if observation_variance is not None and not observation_variance > 0:
            raise ValueError(f"expected an observation variance above 0, received {observation_variance}")
        self.window = window
        self._forgetting = forgetting_of(window)
        self._step = delta / (1 - delta)
        self._observation_variance = observation_variance
        self._logs = logs
        self._unit = 1.0 if logs else unit
        self._n = 0
        # The level counts from the last y. Variances are in units of V: of the level given the slope, and of the slope,
        # which is one over its `certainty`; `lever` is the level's covariance with the slope over the latter.
        self._x = self._y = self._level = self._slope = 0.0
        self._level_variance = self._lever = self._certainty = self._weight = self._squares = 0.0
        # Where x counts as 0 for the noise of the slope.
        self._origin = 0.0

    def update(self, y: float, x: float) -> None:
        """Add an observation: correct the parameters by its innovation, then let them walk one step."""
        self._n += 1
        if self._n == 1:
            self._begin(x)
        else:
            self._correct(y, x)
        self._walk(x)
        self._x, self._y = x, y

    def get(self) -> KalmanFit:
        """Return the forecast for the next observation; NotEnoughDataError if fewer than 3, or an x that is flat."""
        if self._n < 3:
            raise NotEnoughDataError(f"the filter needs at least 3 observations, there are {self._n}")
        if self._certainty == 0.0:
            raise NotEnoughDataError("x did not move so far")
        unit = self._unit or 1.0
        v = self._observation_variance
        hedge_ratio = self._slope / unit
        if v is None:
            v = self._squares / self._weight
            # Of legs in proportion only the rounding is left.
            v = 0.0 if is_flat(v, max(abs(self._y), abs(hedge_ratio * self._x)), 1) else v
        lever, slope_variance = self._lever, 1 / self._certainty
        return KalmanFit(
            hedge_ratio,
            self._y + self._level - hedge_ratio * self._x,
            math.sqrt((self._level_variance + lever * lever * slope_variance + 1) * v),
            self._n,
            math.sqrt(slope_variance * v) / unit,
            (self._level_variance * v, slope_variance * v, v),
            self._x - lever * unit,
            unit,
        )

    def state(self) -> list[float]:
        """Return all there is to know."""
        return [
            float(self._n), self._unit or 0.0, self._origin, self._x, self._y, self._level, self._slope,
            self._level_variance, self._lever, self._certainty, self._weight, self._squares,
        ]  # fmt: skip

    def restore(self, state: Sequence[float], samples: Sequence[tuple[float, float]] = ()) -> None:
        """Become the filter that had this `state`; no samples are needed."""
        (
            n, unit, self._origin, self._x, self._y, self._level, self._slope,
            self._level_variance, self._lever, self._certainty, self._weight, self._squares,
        ) = state  # fmt: skip
        self._n = int(n)
        self._unit = unit or None

    def _begin(self, x: float) -> None:
        """Take the first y for the level, with the error of one observation; of the slope nothing is known."""
        self._unit = abs(self._unit or x or 1.0)
        self._origin = x - 1.0 if self._logs else 0.0
        self._level_variance = 1.0

    def _correct(self, y: float, x: float) -> None:
        d = (x - self._x) / (self._unit or 1.0)
        above_level = (y - self._y) - self._level
        innovation = above_level - self._slope * d
        lever, certainty = self._lever + d, self._certainty
        known = self._level_variance + 1.0
        # The variance of the innovation over that of the slope, also where the latter is infinite.
        share = known * certainty + lever * lever
        if share == 0.0:
            # x stands still so far: only the level is seen.
            precision = 1 / known
        else:
            precision = certainty / share
            # slope + gain * innovation, without their difference, which after an absurd x has few digits
            kept = (known * certainty + lever * self._lever) / share
            self._slope = kept * self._slope + lever / share * above_level
        # level + gain * innovation, counted from this y
        self._level = -innovation * precision
        self._level_variance /= known
        self._lever = lever / known
        self._certainty = share / known
        # An infinite variance is no forecast.
        if precision:
            self._weight = self._forgetting * self._weight + 1
            self._squares = self._forgetting * self._squares + innovation * innovation * precision

    def _walk(self, x: float) -> None:
        """Add the noise of one step to the covariance: that of the intercept and of the slope."""
        step = self._step
        if step == 0.0:
            return
        away = (x - self._origin) / (self._unit or 1.0) - self._lever
        grown = 1 + step * self._certainty
        self._lever += step * self._certainty / grown * away
        self._level_variance += step + step / grown * away * away
        self._certainty /= grown
