"""Pairs with a known truth: independent, stable, broken, and a peg that breaks and comes back."""

from collections.abc import Callable

import numpy as np
from scipy.signal import lfilter

from tests.unit.quant.series import Array, Legs

LEVEL = 1_000.0
Random = np.random.Generator
Make = Callable[[Random, int], Legs]


def autoregression(random: Random, n: int, b: float, shocks: Array | None = None) -> Array:
    """Return a stationary autoregression of order 1, of standard normal shocks unless told otherwise."""
    shocks = random.normal(size=n) if shocks is None else shocks
    shocks[0] /= np.sqrt(1 - b * b)
    return np.asarray(lfilter([1.0], [1.0, -b], shocks))


def clustered(random: Random, n: int) -> Array:
    """Return shocks of a GARCH(1, 1) with a variance of 1."""
    shocks, variance = random.normal(size=n), 1.0
    for at in range(n):
        shocks[at] *= np.sqrt(variance)
        variance = 0.05 + 0.15 * shocks[at] ** 2 + 0.8 * variance
    return shocks


def independent(random: Random, n: int) -> Legs:
    """Return two random walks that have nothing in common."""
    y, x = LEVEL + np.cumsum(random.normal(size=(2, n)), axis=1)
    return y, x


def stable(b: float) -> Make:
    """Return what makes a walk and the same with a spread that comes back, b of it left after a bar."""

    def make(random: Random, n: int) -> Legs:
        x = LEVEL + np.cumsum(random.normal(size=n))
        return x + autoregression(random, n, b), x

    return make


def stable_clustered(b: float) -> Make:
    """Return what makes a stable pair whose moves come in bursts."""

    def make(random: Random, n: int) -> Legs:
        x = LEVEL + np.cumsum(clustered(random, n))
        return x + autoregression(random, n, b, clustered(random, n)), x

    return make


def stable_heavy(b: float) -> Make:
    """Return what makes a stable pair whose moves have heavy tails: Student's t of 3 degrees of freedom."""

    def make(random: Random, n: int) -> Legs:
        x = LEVEL + np.cumsum(random.standard_t(3, n))
        return x + autoregression(random, n, b, random.standard_t(3, n)), x

    return make


def stable_followed(b: float) -> Make:
    """Return what makes a stable pair in which X follows the spread, and both are moved by the same shocks."""

    def make(random: Random, n: int) -> Legs:
        own = random.normal(size=(2, n))
        spread = autoregression(random, n, b, 0.6 * own[0] + 0.8 * own[1])
        x = LEVEL + np.cumsum(own[0] + (1 - b) / 2 * np.concatenate([[0.0], spread[:-1]]))
        return x + spread, x

    return make


def stable_bouncing(b: float) -> Make:
    """Return what makes a stable pair of trades that bounce between bid and ask."""

    def make(random: Random, n: int) -> Legs:
        y, x = stable(b)(random, n)
        return y + random.normal(size=n), x

    return make


def bent(b: float, share: float = 0.5, to: float = 1.2) -> Make:
    """Return what makes legs of which Y moves as X does, and `to` times that after a `share` of the bars."""

    def make(random: Random, n: int) -> Legs:
        steps = random.normal(size=n)
        slope = np.where(np.arange(n) < share * n, 1.0, to)
        return LEVEL + np.cumsum(slope * steps) + autoregression(random, n, b), LEVEL + np.cumsum(steps)

    return make


def turned(b: float, share: float = 0.5, to: float = 1.2, level: float = 100.0) -> Make:
    """Return what makes legs of which Y is X, and `to` times X after a `share` of the bars: it jumps, too."""

    def make(random: Random, n: int) -> Legs:
        x = level + np.cumsum(random.normal(size=n))
        slope = np.where(np.arange(n) < share * n, 1.0, to)
        return LEVEL + slope * x + autoregression(random, n, b), LEVEL + x

    return make


def depegged(random: Random, n: int) -> Legs:
    """Return bitcoin in a coin that falls to 0.88 dollars and recovers, and in dollars, while it goes sideways.

    It loses 3 % as the coin does 12: by least squares the one leg is some -3.3 of the other, and the spread comes back.
    """
    time = np.linspace(0, 1, n)
    fallen = np.interp(time, [0, 0.25, 0.4, 0.5, 0.75, 1], [0, 0.25, 1, 0.8, 0.3, 0.05])
    coin = 1 - 0.12 * fallen + 0.0015 * autoregression(random, n, 0.97) * fallen
    dollars = 20_000 * (1 - 0.03 * fallen) * np.exp(6e-4 * autoregression(random, n, 0.9))
    return dollars / coin * np.exp(random.normal(0, 1e-4, n)), dollars
