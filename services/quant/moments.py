"""Bivariate moments: of a set, and of a rolling window in constant amortised time."""

from typing import NamedTuple


class Moments(NamedTuple):
    """Count, means and centred sums of squares and products of observations (x, y)."""

    n: int = 0
    mean_x: float = 0.0
    mean_y: float = 0.0
    sxx: float = 0.0
    sxy: float = 0.0
    syy: float = 0.0

    @classmethod
    def of(cls, x: float, y: float) -> "Moments":
        """Return the moments of one observation."""
        return cls(1, x, y)

    def merge(self, other: "Moments") -> "Moments":
        """Return the moments of both sets together.

        Source: Chan, Golub, LeVeque (1979), "Updating Formulae and a Pairwise Algorithm for Computing
        Sample Variances", equations 2.1 in their bivariate form.
        """
        if self.n == 0:
            return other
        if other.n == 0:
            return self
        n = self.n + other.n
        dx = other.mean_x - self.mean_x
        dy = other.mean_y - self.mean_y
        share = other.n / n
        weight = self.n * share
        return Moments(
            n,
            self.mean_x + dx * share,
            self.mean_y + dy * share,
            self.sxx + other.sxx + dx * dx * weight,
            self.sxy + other.sxy + dx * dy * weight,
            self.syy + other.syy + dy * dy * weight,
        )


class RollingMoments:
    """Moments of the last `window` observations.

    Two stacks, as for a queue: nothing is ever subtracted, so an absurd observation leaves no trace once it
    has left the window (running sums and Welford's removal both fail at that). Amortised O(1) merges.

    >>> rolling = RollingMoments(window=2)
    >>> for x, y in [(1e15, -1e15), (1.0, 2.0), (3.0, 6.0)]:
    ...     rolling.update(x, y)
    >>> rolling.get()
    Moments(n=2, mean_x=2.0, mean_y=4.0, sxx=2.0, sxy=4.0, syy=8.0)
    """

    def __init__(self, window: int) -> None:
        if window < 1:
            raise ValueError(f"expected a window of at least 1 observation, received {window}")
        self.window = window
        self._oldest_first: list[Moments] = []  # top of the stack covers all of the older half
        self._newer: list[Moments] = []
        self._newer_total = Moments()

    def update(self, x: float, y: float) -> None:
        """Add an observation; the oldest leaves when the window is full."""
        if len(self._oldest_first) + len(self._newer) == self.window:
            if not self._oldest_first:
                self._turn_over()
            self._oldest_first.pop()
        observation = Moments.of(x, y)
        self._newer.append(observation)
        self._newer_total = self._newer_total.merge(observation)

    def get(self) -> Moments:
        """Return the moments of the window."""
        return self._oldest_first[-1].merge(self._newer_total) if self._oldest_first else self._newer_total

    def _turn_over(self) -> None:
        total = Moments()
        while self._newer:
            total = self._newer.pop().merge(total)
            self._oldest_first.append(total)
        self._newer_total = Moments()
