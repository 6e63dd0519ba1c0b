"""Hedge ratio by Huber's M-estimator: the weight of outliers of y is bounded."""

import math
from operator import mul

from services.quant.estimators import ols
from services.quant.estimators.windowed import Windowed
from services.quant.fit import Fit, NotEnoughDataError, is_flat

# 95 % as efficient as least squares when the errors are normal.
_THRESHOLD = 1.345
# The median absolute deviation of a normal distribution is this share of its standard deviation.
MAD_OF_NORMAL = 0.6744897501960817
_TOLERANCE = 1e-9
_ITERATIONS = 200


class Huber(Windowed):
    """Huber's regression over a rolling window, by iteratively reweighted least squares.

    The scale is the median absolute residual over 0.6745, so it is robust as well. It does not protect
    against an absurd x. Each ``get`` reads the whole window some ten times: for bar closes, not for ticks.
    Source: Huber (1964), "Robust Estimation of a Location Parameter"; Huber and Ronchetti, Robust Statistics,
    7.6 for the standard error; equal to ``statsmodels.RLM(y, [1, x], HuberT())``.
    """

    def get(self) -> Fit:
        """Return the fit of the window; NotEnoughDataError as for least squares, or if it does not converge."""
        moments = self.moments.get()
        start = ols.fit_window(self.moments)
        if start.scale == 0.0:
            return start
        n, mean_x, mean_y, sxx, _, _ = moments
        xs, ys = self.moments.observations()
        dx = [x - mean_x for x in xs]
        dy = [y - mean_y for y in ys]
        slope, level = start.hedge_ratio, 0.0
        spread_x = math.sqrt(sxx / n)
        for _ in range(_ITERATIONS):
            residuals = [v - slope * u - level for u, v in zip(dx, dy, strict=True)]
            scale = median(list(map(abs, residuals))) / MAD_OF_NORMAL
            if is_flat(scale * scale, mean_y, 1):
                return Fit(slope, mean_y + level - slope * mean_x, 0.0, n)
            limit = _THRESHOLD * scale
            weights = [1.0 if -limit <= r <= limit else limit / abs(r) for r in residuals]
            before = slope, level
            slope, level = _weighted_line(weights, dx, dy)
            if abs(slope - before[0]) * spread_x + abs(level - before[1]) <= _TOLERANCE * scale:
                return Fit(slope, mean_y + level - slope * mean_x, scale, n, _error(residuals, limit, sxx))
        raise NotEnoughDataError(f"Huber's regression did not converge in {_ITERATIONS} iterations")


def median(values: list[float]) -> float:
    """Return the middle of the sorted values, or the mean of the two that are."""
    values = sorted(values)
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def _weighted_line(weights: list[float], dx: list[float], dy: list[float]) -> tuple[float, float]:
    total = sum(weights)
    mean_x = sum(map(mul, weights, dx)) / total
    mean_y = sum(map(mul, weights, dy)) / total
    dx = [x - mean_x for x in dx]
    weighted = list(map(mul, weights, dx))
    squares = sum(map(mul, weighted, dx))
    if squares <= 0.0:
        raise NotEnoughDataError("x did not move in the window but for outliers of y")
    slope = sum(map(mul, weighted, dy)) / squares
    return slope, mean_y - slope * mean_x


def _error(residuals: list[float], limit: float, sxx: float) -> float:
    n = len(residuals)
    inside = sum(-limit <= r <= limit for r in residuals) / n
    correction = 1 + 2 / n * (1 - inside) / inside
    variance = sum(min(abs(r), limit) ** 2 for r in residuals) / (n - 2)
    return correction * math.sqrt(variance / sxx) / inside
