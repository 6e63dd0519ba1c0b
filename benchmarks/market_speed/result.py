"""Result of a benchmark case."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import linear_regression, quantiles
from typing import Any


@dataclass
class Result:
    """The figures of one measurement, in a line for people, and what was not as it should be."""

    case: str
    line: str
    figures: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return lines for a table."""
        return "\n".join([f"{self.case:<15}{self.line}", *(f"{'':<15}! {one}" for one in self.problems)])

    def record(self) -> dict[str, Any]:
        """Return what is kept in the file."""
        return asdict(self)


def spread(values: Sequence[float], digits: int = 1) -> dict[str, float] | None:
    """Return how many values there are, their median, 99th percentile and the largest; None of fewer than two."""
    if len(values) < 2:
        return None
    cuts = quantiles(values, n=100, method="inclusive")
    told = {"p50": cuts[49], "p99": cuts[98], "max": max(values)}
    return {"count": len(values), **{name: round(value, digits) for name, value in told.items()}}


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return by how much the values grow in a second, by least squares; 0 of fewer than two moments."""
    times, values = [at for at, _ in points], [value for _, value in points]
    return linear_regression(times, values).slope if len(set(times)) > 1 else 0.0


def of_two(found: dict[str, float] | None, unit: str = "ms") -> str:
    """Return median and 99th percentile in words."""
    return "none" if found is None else f"p50 {found['p50']:,.0f} {unit}, p99 {found['p99']:,.0f} {unit}"
