"""Price series for estimators, ordinary and hostile, and a fresh computation over a window."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.quant.fit import Fit

Array = NDArray[np.float64]
Legs = tuple[Array, Array]
"""y and x."""


def walk(random: np.random.Generator, n: int) -> Legs:
    """Return prices of 6e4 and 3e3 that move together."""
    x = 6e4 * np.exp(np.cumsum(random.normal(0, 1e-3, n)))
    return 0.05 * x + np.cumsum(random.normal(0, 1, n)), x


def jumps(random: np.random.Generator, n: int) -> Legs:
    """Return prices that stand still, then move by a third at once."""
    factors = np.where(random.random((2, n)) < 0.1, random.uniform(0.7, 1.4, (2, n)), 1.0)
    y, x = 100 * np.cumprod(factors, axis=1)
    return y, x


def outliers(random: np.random.Generator, n: int) -> Legs:
    """Return a walk with absurd prices in it, on either leg."""
    y, x = walk(random, n)
    for leg in (y, x):
        leg[random.random(n) < 0.02] = 1e9
    return y, x


def venues(random: np.random.Generator, n: int) -> Legs:
    """Return one symbol at two venues: a walk, and the same within a few cents."""
    _, x = walk(random, n)
    return np.round(x + random.normal(0, 0.05, n), 2), np.round(x, 2)


def together(random: np.random.Generator, n: int) -> Legs:
    """Return two venues with prices that are absurd on both at once, and a jump of both."""
    y, x = venues(random, n)
    at = random.random(n) < 0.02
    y[at], x[at] = 1e9, 1e9
    y[n // 2 :] += 1e6
    x[n // 2 :] += 1e6
    return y, x


def tiny(random: np.random.Generator, n: int) -> Legs:
    """Return prices that move by a millionth of a millionth of themselves."""
    return 1 + 1e-12 * random.normal(size=n), 1 + 1e-12 * random.normal(size=n)


def cents(random: np.random.Generator, n: int) -> Legs:
    """Return prices at a level of 1e5 with moves of 1e-2."""
    y, x = 1e5 + np.cumsum(random.choice([-0.01, 0.0, 0.01], (2, n)), axis=1)
    return y, x


def steps(random: np.random.Generator, n: int) -> Legs:
    """Return a walk that stands still from the middle on."""
    y, x = walk(random, n)
    y[n // 2 :], x[n // 2 :] = y[n // 2 :][:1], x[n // 2 :][:1]
    return y, x


KINDS: dict[str, Callable[[np.random.Generator, int], Legs]] = {
    made.__name__: made for made in (walk, jumps, outliers, venues, together, tiny, cents, steps)
}
seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from(sorted(KINDS))


def legs(kind: str, seed: int, n: int) -> Legs:
    """Return n prices of each leg."""
    return KINDS[kind](np.random.default_rng(seed), n)


def samples(y: Array, x: Array) -> list[tuple[float, float]]:
    """Return the observations (y, x) one by one."""
    return list(zip(y.tolist(), x.tolist(), strict=True))


class Fresh(NamedTuple):
    """Moments of one window in extended precision."""

    n: int
    mean_x: float
    mean_y: float
    sxx: float
    sxy: float
    syy: float

    @property
    def natural(self) -> float:
        """The unit of a slope: an error is large or small in relation to it, not to a slope near 0."""
        return float(np.sqrt(self.syy / self.sxx))


def fresh(y: Array, x: Array) -> Fresh:
    """Compute the moments of one window from nothing."""
    long_x, long_y = np.asarray(x, np.longdouble), np.asarray(y, np.longdouble)
    mean_x, mean_y = long_x.mean(), long_y.mean()
    dx, dy = long_x - mean_x, long_y - mean_y
    return Fresh(
        len(x),
        *(float(value) for value in (mean_x, mean_y, (dx * dx).sum(), (dx * dy).sum(), (dy * dy).sum())),
    )


def exact_scale(fit: Fit, y: Array, x: Array, parameters: int) -> float:
    """Return the standard error of the regression about the line of `fit`, rounded once."""
    slope, intercept = Fraction(fit.hedge_ratio), Fraction(fit.intercept)
    if parameters == 2:
        # The intercept was rounded; the line goes through the means.
        intercept = (sum(map(Fraction, y)) - slope * sum(map(Fraction, x))) / len(x)
    squares = sum((Fraction(b) - intercept - slope * Fraction(a)) ** 2 for b, a in samples(y, x))
    return math.sqrt(squares / (len(x) - parameters))
