"""The hedge ratio by exponentially weighted least squares."""

import math
from collections.abc import Sequence

from services.quant.exponential import ExponentialMoments, forgetting_of
from services.quant.fit import Fit, NotEnoughDataError, is_rounding


class Ewma:
    """Covariance over variance, each observation weighing `forgetting` times the next (default: of the window).

    The scale is that of the weighted residuals about the line as it is now, with n_eff / (n_eff - 2) for the
    two parameters. An absurd price fades, it does not leave: what is left of it after k observations is `forgetting`^k.
    Source: weighted least squares, Greene, 9.6, with the weights of ``pandas.Series.ewm``; Haykin, Adaptive Filter
    Theory, 9.6, for the update of the squared residuals.
    """

    memory = 0
    moments = None

    def __init__(self, window: int, forgetting: float | None = None) -> None:
        self.window = window
        self._moments = ExponentialMoments(forgetting_of(window) if forgetting is None else forgetting)
        self._residuals = 0.0

    def update(self, y: float, x: float) -> None:
        """Add an observation, and what it adds to the squared residuals about the line that it moves.

        Not syy - slope * sxy: of legs that all but follow each other nothing would be left of that difference.
        """
        moments = self._moments
        if moments.n:
            keep, sxx = moments.forgetting, moments.sxx
            dx = x - moments.mean_x
            innovation = y - moments.mean_y - (moments.sxy / sxx * dx if sxx else 0.0)
            away = dx * dx / sxx if sxx else math.inf if dx else 0.0
            share = keep / (keep + 1 / moments.weight + away)
            self._residuals = keep * self._residuals + innovation * innovation * share
        moments.update(x, y)

    def get(self) -> Fit:
        """Return the fit; NotEnoughDataError with too few observations or a flat x."""
        moments = self._moments
        slope, intercept = moments.line()
        effective = moments.effective
        if effective <= 2:
            raise NotEnoughDataError(
                f"a regression needs weights of more than 2 observations, has {effective:.2f}"
            )
        residuals = self._residuals
        if is_rounding(residuals, moments.syy, moments.mean_y, moments.weight):
            residuals = 0.0
        scale = math.sqrt(residuals / moments.weight * effective / (effective - 2))
        return Fit(slope, intercept, scale, moments.n)

    def state(self) -> list[float]:
        """Return all there is to know."""
        return [*self._moments.state(), self._residuals]

    def restore(self, state: Sequence[float], samples: Sequence[tuple[float, float]] = ()) -> None:
        """Become the estimator that had this `state`; no samples are needed."""
        *moments, self._residuals = state
        self._moments.restore(moments)
