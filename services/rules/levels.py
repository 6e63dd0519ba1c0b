"""Levels of a condition: whether a value meets it, whether it is clear again, and how far nothing changes."""

import math
from typing import NamedTuple

from services.contracts.conditions import Condition

Span = tuple[float, float]
"""Open interval: strictly inside it a condition stays as it is."""


class Levels(NamedTuple):
    """Levels of one condition; of one with a memory they are of what its memory says."""

    operator: str
    fire: float
    clear: float
    fire_low: float
    clear_low: float

    @classmethod
    def of(cls, condition: Condition) -> "Levels":
        """Return the levels of a condition: a change, up or down, is met like a distance from 0."""
        fire, clear, low, clear_low = condition.levels
        match condition.operator:
            case "changes_by":
                return cls("outside", fire, clear, -fire, -clear)
            case "crosses":
                return cls("above", 1.0, 1.0, 0.0, 0.0)
        return cls(condition.operator, fire, clear, low, clear_low)

    def holds(self, value: float, is_open: bool) -> bool:
        """Tell whether it is met, or, if the rule `is_open`, not clear yet.

        >>> outside = Levels("outside", 2.0, 0.5, -2.0, -0.5)
        >>> outside.holds(-1.0, is_open=False), outside.holds(-1.0, is_open=True), outside.holds(0.5, is_open=True)
        (False, True, False)
        """
        match self.operator:
            case "above":
                return value >= self.fire or (is_open and value > self.clear)
            case "below":
                return value <= self.fire or (is_open and value < self.clear)
            case "outside":
                is_met = value >= self.fire or value <= self.fire_low
                return is_met or (is_open and (value > self.clear or value < self.clear_low))
        return self.fire_low <= value <= self.fire or (is_open and self.clear_low < value < self.clear)

    def span(self, value: float, is_open: bool) -> Span:
        """Return an interval around a value in which ``holds`` says the same.

        >>> Levels("above", 2.0, 0.5, -2.0, -0.5).span(1.0, is_open=True)
        (0.5, inf)
        """
        edges = [self.clear if is_open else self.fire]
        if self.operator in ("outside", "inside"):
            edges.append(self.clear_low if is_open else self.fire_low)
        if value in edges:
            return math.nextafter(value, -math.inf), math.nextafter(value, math.inf)
        low = max((edge for edge in edges if edge < value), default=-math.inf)
        return low, min((edge for edge in edges if edge > value), default=math.inf)
