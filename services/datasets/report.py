"""Import report of a dataset: findings counted, the first of each kind kept."""

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

from services.common.findings import CountedFindings

Kind = Literal["rejected", "skipped", "adjusted", "out of order", "repeated", "odd", "gap", "carried"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KEPT = 10_000
"""Number of findings of each kind that are stored."""


class Finding(NamedTuple):
    """One finding; a gap and a run of carried bars are in no line."""

    kind: Kind
    file: str | None
    line: int | None
    reason: str


class ImportReport(CountedFindings[Kind, Finding]):
    """Findings of one import; `heard` is called with each added one."""

    def __init__(self, heard: Callable[[Finding], None] | None = None) -> None:
        super().__init__(KEPT, heard, of_each_kind=True)

    def add(self, finding: Finding) -> None:
        """Note one finding."""
        self.note(finding.kind, finding)

    def add_uncounted(self, kind: Kind, count: int) -> None:
        """Count findings that were not looked at one by one."""
        self.counts[kind] += count
