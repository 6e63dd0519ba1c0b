"""The rolling moments against a fresh computation of the window with numpy, sample by sample.

python -m benchmarks.quant
"""

import time

import numpy as np

from services.quant import ols
from services.quant.moments import RollingMoments

WINDOW = 300


def measure(count: int = 50_000) -> tuple[float, float]:
    """Return the microseconds a sample costs: two stacks with the fit, and numpy with the same fit."""
    random = np.random.default_rng(1)
    x = 6e4 * np.exp(np.cumsum(random.normal(0, 1e-4, count)))
    y = 3e3 * np.exp(np.cumsum(random.normal(0, 1e-4, count)))
    points = list(zip(x.tolist(), y.tolist(), strict=True))
    rolling = RollingMoments(WINDOW)
    began = time.perf_counter()
    for number, (one, other) in enumerate(points):
        rolling.update(one, other)
        if number >= WINDOW:
            ols.fit(rolling.get())
    ours = time.perf_counter() - began
    began = time.perf_counter()
    for end in range(WINDOW, count):
        np.polyfit(x[end - WINDOW : end], y[end - WINDOW : end], 1)
    return 1e6 * ours / count, 1e6 * (time.perf_counter() - began) / (count - WINDOW)


def main() -> None:
    """Print both costs and their ratio."""
    ours, peer = measure()
    print(f"rolling fit {ours:.1f} µs a sample, numpy on the window {peer:.1f} µs, ratio {ours / peer:.3f}")


if __name__ == "__main__":
    main()
