"""Hedge ratio by the Theil-Sen estimator: the median slope."""

from services.quant.estimators.huber import MAD_OF_NORMAL, median
from services.quant.estimators.windowed import Windowed
from services.quant.fit import Fit, NotEnoughDataError, check_regression, is_flat

_PAIRS = 20_000


class TheilSen(Windowed):
    """The median of the slopes between observations of a rolling window; up to 29 % may be absurd.

    Of more than `pairs` pairs of observations some are taken, the same ones each time: every observation, oldest
    first, is paired with those at distances spread evenly over half of the window, taken as a circle, so that
    each takes part equally often. Windows of up to 200 observations are complete. The intercept is the median
    of what the hedge ratio leaves of y, the scale the median absolute residual over 0.6745. For bar closes,
    not for ticks.
    Source: Sen (1968), "Estimates of the Regression Coefficient Based on Kendall's Tau"; equal to
    ``scipy.stats.theilslopes(method="joint")`` where complete. The design: Blom (1976), "Some Properties of Incomplete
    U-Statistics".
    """

    def __init__(self, window: int, pairs: int = _PAIRS) -> None:
        super().__init__(window)
        if pairs < 1:
            raise ValueError(f"expected at least 1 pair of observations, received {pairs}")
        self._pairs = pairs

    def get(self) -> Fit:
        """Return the fit of the window; NotEnoughDataError with fewer than 3 observations or a flat x."""
        n, mean_x, mean_y, sxx, _, _ = self.moments.get()
        check_regression(n, mean_x, sxx)
        xs, ys = self.moments.observations()
        slopes: list[float] = []
        for distance in _distances(n, self._pairs):
            # Half of a circle of even length meets every pair twice.
            count = n // 2 if 2 * distance == n else n
            far_x, far_y = xs[distance:] + xs[:distance], ys[distance:] + ys[:distance]
            slopes += [
                (b - a) / (v - u) for u, v, a, b in zip(xs[:count], far_x, ys, far_y, strict=False) if u != v
            ]
        if not slopes:
            raise NotEnoughDataError("x did not move between the observations compared")
        slope = median(slopes)
        rests = [y - slope * x for x, y in zip(xs, ys, strict=True)]
        intercept = median(rests)
        scale = median([abs(rest - intercept) for rest in rests]) / MAD_OF_NORMAL
        return Fit(slope, intercept, 0.0 if is_flat(scale * scale, mean_y, 1) else scale, n)


def _distances(n: int, pairs: int) -> list[int]:
    half = n // 2
    count = min(half, max(1, pairs // n))
    return [1 + (2 * number + 1) * half // (2 * count) for number in range(count)]
