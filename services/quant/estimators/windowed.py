"""Base of estimators over a rolling window: the observations, and an exact refit from them."""

import math
from collections.abc import Sequence
from operator import mul

from msgspec import structs

from services.quant.fit import Fit, is_rounding
from services.quant.moments import Moments, RollingMoments

# Below this share of the sum of squares the residuals, as a difference of moments, have fewer than 10 digits.
_CANCELLED = 1e-5


def precise(fit: Fit, rolling: RollingMoments, moments: Moments, squares: float, parameters: int = 2) -> Fit:
    """Return `fit` with all digits of its scale, which it has as a difference of the `moments` of `rolling`.

    Where its line leaves too little of y for that, as of one symbol at two venues, residuals are added up one by
    one. `squares` are those of x, for the standard error: scale / sqrt(squares).
    """
    n, _, mean_y, _, _, syy = moments
    if fit.scale * fit.scale * (n - parameters) > _CANCELLED * syy:
        return fit
    xs, ys = rolling.observations()
    hedge_ratio, intercept = fit.hedge_ratio, fit.intercept
    rests = [y - (intercept + hedge_ratio * x) for x, y in zip(xs, ys, strict=True)]
    residuals = sum(map(mul, rests, rests))
    scale = 0.0 if is_rounding(residuals, syy, mean_y, n) else math.sqrt(residuals / (n - parameters))
    error = None if fit.hedge_ratio_se is None else scale / math.sqrt(squares)
    return structs.replace(fit, scale=scale, hedge_ratio_se=error)


class Windowed:
    """Keep the last `window` observations and their moments, in which the correlation is too."""

    def __init__(self, window: int) -> None:
        self.window = self.memory = window
        self.moments = RollingMoments(window)

    def update(self, y: float, x: float) -> None:
        """Add an observation; the oldest leaves when the window is full."""
        self.moments.update(x, y)

    def state(self) -> list[float]:
        """Return what the observations of the window do not tell: where in the ring the next one goes."""
        return [float(self.moments.position)]

    def restore(self, state: Sequence[float], samples: Sequence[tuple[float, float]] = ()) -> None:
        """Become the estimator that had this `state` and whose last observations (y, x) are `samples`."""
        self.moments = RollingMoments(self.window, (int(state[0]) - len(samples)) % self.window)
        self.moments.extend([x for _, x in samples], [y for y, _ in samples])
