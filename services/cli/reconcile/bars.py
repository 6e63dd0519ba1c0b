"""Comparison of stored bars with a reference, and the text of each difference."""

from collections.abc import AsyncIterator, Iterator
from math import isclose
from typing import NamedTuple, Protocol

from services.contracts.intervals import Interval
from services.store.database import Connection

# Sums of floating-point numbers depend, in the last digits, on the order.
SUMS = ("volume", "quote_volume")
RELATIVE = 1e-9


class ReconciledBar(NamedTuple):
    """Values of a bar. A venue's bars count other trades than ours: there the last three are None."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    trade_count: int | None = None
    first_id: int | None = None
    last_id: int | None = None


class Scope(NamedTuple):
    """Whose bars, or everybody's; of which interval, or of all; from `start_us` to before `end_us` (epoch, us)."""

    symbol: str | None = None
    interval: Interval | None = None
    start_us: int | None = None
    end_us: int | None = None


class Stretch(NamedTuple):
    """Bars of one symbol and interval, from `start_us` to before `end_us`: whole buckets."""

    symbol: str
    interval: Interval
    start_us: int
    end_us: int


class BarDifference(NamedTuple):
    """A bar that is not as expected; None where there is none."""

    start_us: int
    expected: ReconciledBar | None
    found: ReconciledBar | None


class Part(NamedTuple):
    """Next part of a comparison, up to `end_us`: the number of bars, and those that differ."""

    end_us: int
    compared: int
    findings: list[BarDifference]


class Reference(Protocol):
    """Reference that bars are compared with."""

    name: str
    intervals: tuple[Interval, ...]
    earliest_us: int
    """Before this it may have forgotten what it knew."""

    def covers(self, symbol: str) -> bool:
        """Return whether it can say anything of the symbol."""

    def compare(self, connection: Connection, stretch: Stretch) -> AsyncIterator[Part]:
        """Yield one part after another; every bar that the store or the reference has is in one of them."""


def differences(expected: ReconciledBar | None, found: ReconciledBar | None) -> Iterator[str]:
    """Yield in words each column of a stored bar that is not as expected, or that one of the two is missing.

    What is expected to be None is not compared.
    """
    if expected is None or found is None:
        if expected is not None:
            yield f"missing: expected a bar of {_words(expected)}, found none"
        if found is not None:
            yield f"surplus: expected no bar, found one of {_words(found)}"
        return
    for name, right, stored in zip(ReconciledBar._fields, expected, found, strict=True):
        rel_tol = RELATIVE if name in SUMS else 0.0
        if right is not None and (stored is None or not isclose(right, stored, rel_tol=rel_tol)):
            yield f"{name}: expected {right!r}, found {stored!r}"


def _words(bar: ReconciledBar) -> str:
    return ", ".join(f"{name} {value}" for name, value in bar._asdict().items())
