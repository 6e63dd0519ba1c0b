"""Noise as a pure function of its name and its time, so that it needs no memory.

Time is cut into periods of ten minutes since the epoch; paths are sampled on whole seconds.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PERIOD_S = 600
# Walks are back at zero every 2**14 intervals, which is 114 days if they are periods.
_ERA = 2**14


def generator(seed: int, name: str, index: int) -> np.random.Generator:
    """Return the generator that belongs to one place of one named stream."""
    return np.random.default_rng([seed, int.from_bytes(name.encode()), index])


@lru_cache(maxsize=2**15)
def _node(seed: int, name: str, index: int) -> float:
    """Return standard Brownian motion, in root intervals, at the start of the interval `index`.

    Lévy's midpoint construction: the lowest set bit of the place in the era is half the width of the stretch
    whose middle this node is, and given its ends the middle has variance width / 4.
    """
    place = index % _ERA
    if place == 0:
        return 0.0
    half = place & -place
    ends = _node(seed, name, index - half) + _node(seed, name, index + half)
    return ends / 2 + math.sqrt(half / 2) * generator(seed, f"{name} node", index).standard_normal()


def walk(seed: int, name: str, index: int, scale: float, length_s: int = PERIOD_S) -> Floats:
    """Return `length_s` seconds of Brownian motion in root seconds: those of the interval `index`.

    `scale` widens the moves inside the interval. The ends are the same at every scale, so the path has no jump
    where the scale changes.
    """
    left, right = _node(seed, name, index), _node(seed, name, index + 1)
    ramp = np.arange(length_s + 1) / length_s
    inside = np.concatenate(([0.0], np.cumsum(generator(seed, name, index).standard_normal(length_s))))
    path: Floats = math.sqrt(length_s) * (left + (right - left) * ramp) + scale * (inside - inside[-1] * ramp)
    return path[:-1]


def reverting(seed: int, name: str, period: int, half_life_s: float, scales: tuple[float, float]) -> Floats:
    """Return `PERIOD_S` seconds of a unit AR(1) as the moving average of its last `PERIOD_S` shocks.

    `scales` multiply the shocks of the period before and of this one.
    """
    decay = 0.5 ** (1 / half_life_s)
    kernel = math.sqrt(1 - decay**2) * decay ** np.arange(PERIOD_S)
    shocks = [
        scale * generator(seed, name, at).standard_normal(PERIOD_S)
        for at, scale in zip((period - 1, period), scales, strict=True)
    ]
    return np.convolve(np.concatenate(shocks), kernel)[PERIOD_S : 2 * PERIOD_S]
