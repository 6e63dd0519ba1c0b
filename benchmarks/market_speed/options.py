"""Options of the command line."""

from dataclasses import dataclass

RATES = (0.0, 20.0, 1_000.0, 5_000.0, 8_000.0)


@dataclass(frozen=True)
class Options:
    """How long a window is measured, and at which rates (ticks a second) the synthetic market trades."""

    minutes: float = 1.0
    rates: tuple[float, ...] = RATES

    @property
    def seconds(self) -> float:
        """The window, in seconds."""
        return 60 * self.minutes
