"""Bivariate moments: of a set, and of a rolling window in constant time."""

import math
from array import array
from collections.abc import Sequence
from typing import NamedTuple

_Values = tuple[int, float, float, float, float, float]
_new = tuple.__new__  # a fifth of the time of calling the class


class Moments(NamedTuple):
    """Count, means and centred sums of squares and products of observations (x, y)."""

    n: int = 0
    mean_x: float = 0.0
    mean_y: float = 0.0
    sxx: float = 0.0
    sxy: float = 0.0
    syy: float = 0.0

    def merge(self, other: "Moments") -> "Moments":
        """Return the moments of both sets together.

        Source: Chan, Golub, LeVeque (1979), "Updating Formulae and a Pairwise Algorithm for Computing
        Sample Variances", equations 2.1 in their bivariate form.
        """
        n1, mean_x, mean_y, sxx, sxy, syy = self
        n2, other_x, other_y, oxx, oxy, oyy = other
        if n1 == 0:
            return other
        if n2 == 0:
            return self
        n = n1 + n2
        share = n2 / n
        weight = n1 * share
        dx = other_x - mean_x
        dy = other_y - mean_y
        wx = weight * dx
        return _new(
            Moments,
            (
                n,
                mean_x + dx * share,
                mean_y + dy * share,
                sxx + oxx + wx * dx,
                sxy + oxy + wx * dy,
                syy + oyy + weight * dy * dy,
            ),
        )


NOTHING = Moments()


class RollingMoments:
    """Moments of the last `window` observations.

    The window is a ring of chunks, each about three times the square root of its length. What is left of the chunk that
    is leaving, with all chunks after it, is computed once, when that chunk begins to leave; the chunk that fills is
    computed as it comes. So nothing is ever subtracted: an absurd observation leaves no trace once it has left
    the window (running sums and Welford's removal both fail at that), no observation costs more than a few
    hundred merges, and 16 bytes are kept for each. Prices count from the first of the chunk that fills, a
    difference that keeps all digits at a level of 1e5 with moves of 1e-2. What the numbers round to depends
    on the observations of the window and on `position` alone.

    >>> rolling = RollingMoments(window=2)
    >>> for x, y in [(1e15, -1e15), (1.0, 2.0), (3.0, 6.0)]:
    ...     rolling.update(x, y)
    >>> rolling.get()
    Moments(n=2, mean_x=2.0, mean_y=4.0, sxx=2.0, sxy=4.0, syy=8.0)
    """

    __slots__ = (
        "_chunk", "_known", "_leaving", "_mean_x", "_mean_y", "_n", "_rest", "_sxx", "_sxy", "_syy", "_totals", "_x",
        "_y", "_zero_x", "_zero_y", "position", "window",
    )  # fmt: skip

    def __init__(self, window: int, position: int = 0) -> None:
        if window < 1:
            raise ValueError(f"expected a window of at least 1 observation, received {window}")
        if not 0 <= position < window:
            raise ValueError(f"expected a position of 0 to {window - 1} in the window, received {position}")
        self.window = window
        self.position = position
        self._x = array("d", bytes(8 * window))
        self._y = array("d", bytes(8 * window))
        self._chunk = min(window, 3 * math.isqrt(window))
        self._totals = [(0.0, 0.0, NOTHING)] * -(-window // self._chunk)
        # The top is the window without its oldest observation; means count from the zero.
        self._leaving: list[_Values] = []
        self._rest: _Values = NOTHING
        self._zero_x = self._zero_y = 0.0
        self._n = 0
        self._mean_x = self._mean_y = self._sxx = self._sxy = self._syy = 0.0
        # Of one window the fit and the correlation are asked for.
        self._known: Moments | None = NOTHING

    def update(self, x: float, y: float) -> None:
        """Add an observation; the oldest leaves when the window is full."""
        if not self._leaving:
            self._turn(x, y)
        self._rest = self._leaving.pop()
        self._known = None
        position = self.position
        self._x[position] = x
        self._y[position] = y
        position += 1
        self.position = position if position < self.window else 0
        # Welford (1962), "Note on a Method for Calculating Corrected Sums of Squares and Products".
        self._n = n = self._n + 1
        x -= self._zero_x
        mean = self._mean_x
        dx = x - mean
        self._mean_x = mean = mean + dx / n
        self._sxx += dx * (x - mean)
        y -= self._zero_y
        mean = self._mean_y
        dy = y - mean
        self._mean_y = mean = mean + dy / n
        y -= mean
        self._sxy += dx * y
        self._syy += dy * y

    def extend(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        """Add observations, oldest first: to the bit what ``update`` does with each, sooner."""
        first, count = 0, len(xs)
        while first < count:
            if not self._leaving:
                self._turn(xs[first], ys[first])
            last = min(count, first + len(self._leaving))
            self._fill(xs[first:last], ys[first:last])
            first = last

    def _fill(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        """Add observations that the chunk has room for."""
        self._known = None
        count, first = len(xs), self.position
        self._x[first : first + count] = array("d", xs)
        self._y[first : first + count] = array("d", ys)
        self.position = (first + count) % self.window
        self._rest = self._leaving[-count]
        del self._leaving[-count:]
        zero_x, zero_y, n = self._zero_x, self._zero_y, self._n
        mean_x, mean_y, sxx, sxy, syy = self._mean_x, self._mean_y, self._sxx, self._sxy, self._syy
        for x, y in zip(xs, ys, strict=True):
            n += 1
            x -= zero_x
            dx = x - mean_x
            mean_x += dx / n
            sxx += dx * (x - mean_x)
            y -= zero_y
            dy = y - mean_y
            mean_y += dy / n
            y -= mean_y
            sxy += dx * y
            syy += dy * y
        self._n, self._mean_x, self._mean_y = n, mean_x, mean_y
        self._sxx, self._sxy, self._syy = sxx, sxy, syy

    def get(self) -> Moments:
        """Return the moments of the window."""
        if self._known is not None:
            return self._known
        n1, mean_x, mean_y, sxx, sxy, syy = self._rest
        n2 = self._n
        # Moments.merge, without its objects: this is done for every observation.
        n = n1 + n2
        share = n2 / n
        weight = n1 * share
        dx = self._mean_x - mean_x
        dy = self._mean_y - mean_y
        wx = weight * dx
        self._known = moments = _new(
            Moments,
            (
                n,
                self._zero_x + (mean_x + dx * share),
                self._zero_y + (mean_y + dy * share),
                sxx + self._sxx + wx * dx,
                sxy + self._sxy + wx * dy,
                syy + self._syy + weight * dy * dy,
            ),
        )
        return moments

    def observations(self) -> tuple[list[float], list[float]]:
        """Return all x and all y of the window, oldest first."""
        oldest = self.position - self._rest[0] - self._n
        if oldest >= 0:
            return self._x[oldest : self.position].tolist(), self._y[oldest : self.position].tolist()
        return (
            (self._x[oldest:] + self._x[: self.position]).tolist(),
            (self._y[oldest:] + self._y[: self.position]).tolist(),
        )

    def _turn(self, zero_x: float, zero_y: float) -> None:
        """Begin the chunk at `position` and its zero: the chunk that it replaces begins to leave."""
        chunk, position, window = self._chunk, self.position, self.window
        count = self._rest[0] + self._n
        if self._n:
            filled = Moments(self._n, self._mean_x, self._mean_y, self._sxx, self._sxy, self._syy)
            self._totals[((position or window) - 1) // chunk] = (self._zero_x, self._zero_y, filled)
        number = position // chunk
        total = NOTHING
        for from_x, from_y, (n, mean_x, mean_y, *squares) in (
            self._totals[number + 1 :] + self._totals[:number]
        ):
            shifted = (n, mean_x + (from_x - zero_x), mean_y + (from_y - zero_y), *squares)
            total = total.merge(_new(Moments, shifted))
        first = number * chunk
        last = min(first + chunk, window)
        # Until the window is full, the slots behind the newest observation hold none.
        empty = min(last, first + window - count)
        leaving, xs, ys = self._leaving, self._x, self._y
        n, mean_x, mean_y, sxx, sxy, syy = total
        for at in range(last - 1, empty - 1, -1):
            leaving.append((n, mean_x, mean_y, sxx, sxy, syy))
            n += 1
            x = xs[at] - zero_x
            dx = x - mean_x
            mean_x += dx / n
            sxx += dx * (x - mean_x)
            y = ys[at] - zero_y
            dy = y - mean_y
            mean_y += dy / n
            y -= mean_y
            sxy += dx * y
            syy += dy * y
        leaving += [(n, mean_x, mean_y, sxx, sxy, syy)] * (empty - first)
        # A window that begins within a chunk does without the rest of it.
        del leaving[last - position :]
        self._zero_x, self._zero_y = zero_x, zero_y
        self._n = 0
        self._mean_x = self._mean_y = self._sxx = self._sxy = self._syy = 0.0
