"""What the estimators of a rolling window share: their observations, and how to make them again."""

from collections.abc import Sequence

from services.quant.moments import RollingMoments


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
        for y, x in samples:
            self.moments.update(x, y)
