"""Hedge ratio by recursive least squares with a forgetting factor."""

import math
from collections.abc import Sequence

from services.quant.estimators.exponential_moments import ExponentialMoments, forgetting_of
from services.quant.fit import Fit, NotEnoughDataError, is_flat


class RecursiveLeastSquares:
    """Minimise sum of `forgetting`^age * residual² at every observation, and judge by the errors of the forecasts.

    The recursion is kept in its information form and centred: the textbook's P grows without bound while x
    stands still and loses its digits at a level of 1e5 with moves of 1e-2; its inverse does neither. There
    is no prior: the first three observations that determine a line begin. Parameters are those of ``Ewma``; the scale
    is not: here it is the root of the exponentially weighted mean square of the innovations, y less what the
    parameters before it said, so it contains the error of the parameters. The standard error is that of ``Ewma``.
    Source: Haykin, Adaptive Filter Theory, 9.3 to 9.5; Ljung and Söderström (1983) for the information form.
    """

    memory = ExponentialMoments.memory
    moments = None

    def __init__(self, window: int, forgetting: float | None = None) -> None:
        self.window = window
        self._moments = ExponentialMoments(forgetting_of(window) if forgetting is None else forgetting)
        self._weight = self._squares = 0.0

    def update(self, y: float, x: float) -> None:
        """Add an observation: its innovation first, with the parameters before it."""
        moments = self._moments
        is_forecast = moments.is_determined()
        innovation = moments.update(x, y)
        if is_forecast:
            self._weight = moments.forgetting * self._weight + 1
            self._squares = moments.forgetting * self._squares + innovation * innovation

    def get(self) -> Fit:
        """Return the parameters for the next observation; NotEnoughDataError with too few or a flat x."""
        slope, intercept = self._moments.line()
        if self._weight == 0.0:
            raise NotEnoughDataError("nothing was forecast yet")
        moments, variance = self._moments, self._squares / self._weight
        if is_flat(variance, max(abs(moments.mean_y), abs(slope * moments.mean_x)), 1):
            return Fit(slope, intercept, 0.0, moments.n, 0.0)
        return Fit(slope, intercept, math.sqrt(variance), moments.n, moments.slope_error())

    def state(self) -> list[float]:
        """Return the state beside the last observation."""
        return [*self._moments.state(), self._weight, self._squares]

    def restore(self, state: Sequence[float], samples: Sequence[tuple[float, float]] = ()) -> None:
        """Become the estimator that had this `state`, after the last of `samples`."""
        *moments, self._weight, self._squares = state
        self._moments.restore(moments, samples)
