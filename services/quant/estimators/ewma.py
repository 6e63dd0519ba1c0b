"""Hedge ratio by exponentially weighted least squares."""

import math
from collections.abc import Sequence

from services.quant.estimators.exponential_moments import ExponentialMoments, forgetting_of
from services.quant.fit import Fit, NotEnoughDataError, is_rounding


class Ewma:
    """Covariance over variance, each observation weighing `forgetting` times the next (default: of the window).

    The scale is that of the weighted residuals about the line as it is now, with n_eff / (n_eff - 2) for the
    two parameters. An absurd price fades, it does not leave: what is left of it after k observations is `forgetting`^k.
    The standard error is that of one line all along: where the line moves it moves by more.
    Source: weighted least squares, Greene, 9.6, with the weights of ``pandas.Series.ewm``.
    """

    memory = ExponentialMoments.memory
    moments = None

    def __init__(self, window: int, forgetting: float | None = None) -> None:
        self.window = window
        self._moments = ExponentialMoments(forgetting_of(window) if forgetting is None else forgetting)

    def update(self, y: float, x: float) -> None:
        """Add an observation."""
        self._moments.update(x, y)

    def get(self) -> Fit:
        """Return the fit; NotEnoughDataError with too few observations or a flat x."""
        moments = self._moments
        slope, intercept = moments.line()
        effective = moments.effective
        if effective <= 2:
            raise NotEnoughDataError(
                f"a regression needs weights of more than 2 observations, has {effective:.2f}"
            )
        if is_rounding(moments.residuals, moments.syy, moments.mean_y, moments.weight):
            return Fit(slope, intercept, 0.0, moments.n, 0.0)
        scale = math.sqrt(moments.residuals / moments.weight * effective / (effective - 2))
        return Fit(slope, intercept, scale, moments.n, moments.slope_error())

    def state(self) -> list[float]:
        """Return the state beside the last observation."""
        return self._moments.state()

    def restore(self, state: Sequence[float], samples: Sequence[tuple[float, float]] = ()) -> None:
        """Become the estimator that had this `state`, after the last of `samples`."""
        self._moments.restore(state, samples)
