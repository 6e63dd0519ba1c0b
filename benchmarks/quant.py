"""Cost of an observation, by estimator and window, against numpy on the whole window each time.

    python -m benchmarks.quant

An observation is judged by what was known before it (fit, z-score, for `ols` also the correlation), then taken in.
Each figure is the least of several runs, in processor time: the machine does other things as well.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.common.clock import SECOND
from services.contracts.messages import PairConfig
from services.quant.correlation.hayashi_yoshida import hayashi_yoshida, lead_lag
from services.quant.correlation.rolling import correlation
from services.quant.estimators.ols import Ols
from services.quant.estimators.registry import ON_BAR_CLOSE, Method, create
from services.quant.statistical_tests.half_life import RollingHalfLife
from services.stream_analytics.alignment import Sample
from services.stream_analytics.minute_statistics import MinuteStatistics
from services.stream_analytics.pair_window import PairWindow
from services.stream_analytics.trades import TapeTrade

WINDOWS = (60, 300, 3_600, 36_000)
_NO_MINUTE = MinuteStatistics()
_OBSERVATIONS = 500
_RUNS = 60

Array = NDArray[np.float64]
Observe = Callable[[float, float], object]
Peer = Callable[[Array, Array], object]


class Cost(NamedTuple):
    """Microseconds an observation: ours, and numpy's on the window."""

    name: str
    window: int
    ours: float
    numpy: float

    @property
    def share(self) -> float:
        """Return ours as a share of numpy's."""
        return self.ours / self.numpy


def prices(count: int) -> tuple[Array, Array]:
    """Return y and x."""
    random = np.random.default_rng(1)
    y, x = np.array([[3e3], [6e4]]) * np.exp(np.cumsum(random.normal(0, 1e-4, (2, count)), axis=1))
    return y, x


def _ols(window: int) -> Observe:
    estimator, seen = Ols(window), 0

    def observe(y: float, x: float) -> None:
        nonlocal seen
        seen += 1
        if seen > window:
            estimator.get().zscore(y, x)
            correlation(estimator.moments.get())
        estimator.update(y, x)

    return observe


def _method(method: Method) -> Callable[[int], Observe]:
    def make(window: int) -> Observe:
        estimator, seen = create(method, window), 0

        def observe(y: float, x: float) -> None:
            nonlocal seen
            seen += 1
            if seen > window:
                estimator.get().zscore(y, x)
            estimator.update(y, x)

        return observe

    return make


def _half_life(window: int) -> Observe:
    estimator, seen = RollingHalfLife(window), 0

    def observe(y: float, x: float) -> None:
        nonlocal seen
        seen += 1
        if seen > window:
            estimator.get()
        estimator.update(y - x)

    return observe


def _numpy_ols(y: Array, x: Array) -> object:
    dx, dy = x - x.mean(), y - y.mean()
    sxx, sxy, syy = dx @ dx, dx @ dy, dy @ dy
    slope = sxy / sxx
    scale = np.sqrt((syy - slope * sxy) / (len(x) - 2))
    return (dy[-1] - slope * dx[-1]) / scale, sxy / np.sqrt(sxx * syy)


def _numpy_tls(y: Array, x: Array) -> object:
    return np.linalg.eigh(np.cov(x, y))


def _numpy_huber(y: Array, x: Array) -> object:
    dx, dy = x - x.mean(), y - y.mean()
    slope, level = dx @ dy / (dx @ dx), 0.0
    for _ in range(50):
        residuals = np.abs(dy - slope * dx - level)
        scale = np.median(residuals) / 0.6745
        weights = 1.345 * scale / np.maximum(residuals, 1.345 * scale)
        mean_x, mean_y = weights @ dx / weights.sum(), weights @ dy / weights.sum()
        before, slope = slope, weights @ ((dx - mean_x) * (dy - mean_y)) / (weights @ (dx - mean_x) ** 2)
        level = mean_y - slope * mean_x
        if abs(slope - before) < 1e-9 * abs(slope):
            break
    return slope


def _numpy_theil_sen(y: Array, x: Array) -> object:
    # Every pair up to 300 observations, beyond that as many as ours takes.
    distances = range(1, len(x) // 2 + 1) if len(x) <= 300 else range(1, max(2, 20_000 // len(x) + 1))
    slopes = [(np.roll(y, far) - y) / (np.roll(x, far) - x) for far in distances]
    return np.median(np.concatenate(slopes))


def _numpy_weighted(y: Array, x: Array) -> object:
    weights = (1 - 2 / (len(x) + 1)) ** np.arange(len(x))[::-1]
    dx, dy = x - weights @ x / weights.sum(), y - weights @ y / weights.sum()
    return weights @ (dx * dy) / (weights @ (dx * dx))


def _numpy_kalman(y: Array, x: Array) -> object:
    """One step in matrices: a filter has no window to go over."""
    z, p, theta = np.array([1, x[-1]]), np.eye(2), np.zeros(2)
    f = z @ p @ z + 1
    gain = p @ z / f
    return theta + gain * (y[-1] - z @ theta), p - np.outer(gain, gain) * f + 1e-5 * np.eye(2)


def _numpy_half_life(y: Array, x: Array) -> object:
    spread = y - x
    return _numpy_ols(spread[1:], spread[:-1])

    returns = np.diff(np.log(y))
    return np.sqrt(returns @ returns / len(returns))


CASES: dict[str, tuple[Callable[[int], Observe], Peer]] = {
    "ols, z, correlation": (_ols, _numpy_ols),
    "ols_origin": (_method("ols_origin"), lambda y, x: x @ y / (x @ x)),
    "tls": (_method("tls"), _numpy_tls),
    "ewma": (_method("ewma"), _numpy_weighted),
    "rls": (_method("rls"), _numpy_weighted),
    "kalman": (_method("kalman"), _numpy_kalman),
    "half-life": (_half_life, _numpy_half_life),
    "huber": (_method("huber"), _numpy_huber),
    "theil_sen": (_method("theil_sen"), _numpy_theil_sen),
}


def _spent(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return 1e6 * (time.process_time() - began)


def measure(name: str) -> list[Cost]:
    """Return what an observation costs once the window is full; windows take turns, so none meets a slower machine."""
    make, peer = CASES[name]
    count, runs = (2, 3) if name in ON_BAR_CLOSE else (_OBSERVATIONS, _RUNS)
    y, x = prices(max(WINDOWS) + runs * count)
    points = list(zip(y.tolist(), x.tolist(), strict=True))
    observers = {window: make(window) for window in WINDOWS}
    for window, observe in observers.items():
        _observe_all(observe, points[:window])
    ours = dict.fromkeys(WINDOWS, float("inf"))
    theirs = ours.copy()
    for run in range(runs):
        for window, observe in observers.items():
            part = points[window + run * count : window + (run + 1) * count]
            ours[window] = min(ours[window], _spent(partial(_observe_all, observe, part)) / count)
            legs = y[run : run + window], x[run : run + window]
            peer(*legs)  # ours has its cache warm as well
            theirs[window] = min(theirs[window], _spent(partial(peer, *legs)))
    return [Cost(name, window, ours[window], theirs[window]) for window in WINDOWS]


def _observe_all(observe: Observe, points: list[tuple[float, float]]) -> None:
    for y, x in points:
        observe(y, x)


def ticks(window: int) -> tuple[float, float]:
    """Return the microseconds of a correlation of ticks and of 21 lags, for as many ticks of each leg."""
    y, x = prices(window)
    random = np.random.default_rng(2)
    y_us, x_us = np.sort(random.integers(0, 1_000_000 * window, (2, window)), axis=1)
    lags = np.arange(-10, 11) * 1_000_000
    legs = y_us, y, x_us, x
    works = partial(hayashi_yoshida, *legs), partial(lead_lag, *legs, lags)
    correlation_us, lag_us = (min(_spent(work) for _ in range(_RUNS)) for work in works)
    return correlation_us, lag_us


def signals(window: int) -> tuple[float, float]:
    """Return the microseconds of a closed signal, judged and learned, and of what is found once a minute."""
    y, x = prices(window + _RUNS * _OBSERVATIONS)
    pair = PairWindow(PairConfig(pair="ETHUSDT-BTCUSDT", window=window))
    legs = zip(y.tolist(), x.tolist(), strict=True)
    samples = [_sample(at * SECOND, *prices) for at, prices in enumerate(legs, 1)]

    def close(part: Sequence[Sample], minute: MinuteStatistics | None = _NO_MINUTE) -> None:
        for sample in part:
            pair.learn(sample, pair.judge(sample), minute)

    close(samples[:window])
    parts = [samples[at : at + _OBSERVATIONS] for at in range(window, len(samples), _OBSERVATIONS)]
    of_signal = min(_spent(partial(close, part)) for part in parts) / _OBSERVATIONS
    minutes = [_sample((len(samples) + at * 60) * SECOND, y[-1], x[-1]) for at in range(_RUNS)]
    return of_signal, min(_spent(partial(close, [one], None)) for one in minutes)


def _sample(end_us: int, y: float, x: float) -> Sample:
    return Sample(end_us, TapeTrade(end_us - 400_000, y), TapeTrade(end_us - 700_000, x))


def main() -> None:
    """Print one line for each estimator: µs an observation, and in brackets its share of numpy's."""
    print("µs an observation (share of numpy's) at windows of " + ", ".join(map(str, WINDOWS)))
    for name in CASES:
        print(f"{name:20}" + "".join(f"{cost.ours:>12.1f} ({cost.share:.3f})" for cost in measure(name)))
    print("µs a closed signal, and its look at the window once a minute")
    print(" " * 20 + "".join(f"{one:>12.1f} ({minute:.0f})" for one, minute in map(signals, WINDOWS)))
    print("µs a correlation of ticks, and 21 lags")
    print(" " * 20 + "".join(f"{one:>12.0f} ({lags:.0f})" for one, lags in map(ticks, WINDOWS)))


if __name__ == "__main__":
    main()
