"""Findings in data: counted by kind, and the first of them kept, however many there are."""

from collections import Counter
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K", bound=str)
F = TypeVar("F")


class CountedFindings(Generic[K, F]):
    """Keeps counts and the first findings only; `heard` is called with every finding.

    `most` findings are kept, of each kind or of all together.
    """

    def __init__(self, most: int, heard: Callable[[F], None] | None = None, *, of_each_kind: bool) -> None:
        self.counts: Counter[K] = Counter()
        """Number of findings of each kind."""
        self.kept: list[F] = []
        self._most = most
        self._heard = heard
        self._of_each_kind = of_each_kind

    def note(self, kind: K, finding: F, count: int = 1) -> None:
        """Note a finding that stands for `count` of its kind."""
        if (self.counts[kind] if self._of_each_kind else len(self.kept)) < self._most:
            self.kept.append(finding)
        self.counts[kind] += count
        if self._heard is not None:
            self._heard(finding)

    def __str__(self) -> str:
        """Return the counts in words."""
        return ", ".join(f"{count:,} {kind}" for kind, count in self.counts.items()) or "nothing to report"
