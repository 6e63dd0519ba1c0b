"""Import report of tick files: findings counted, the first ones shown, all of them written to a file."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

from services.common.errors import FatalError

Kind = Literal["rejected", "conflicting", "repeated", "out of order"]
SHOWN = 20


class Findings:
    """Grows by its counts and its first findings only, however many there are."""

    def __init__(self, report: IO[str] | None = None) -> None:
        self.counts: Counter[Kind] = Counter()
        """Lines of each kind."""
        self.first: list[str] = []
        self._report = report

    def add(self, kind: Kind, path: Path, place: tuple[int, int], count: int, reason: str) -> None:
        """Note `count` findings in the lines of `place`, from the first to the last."""
        self.counts[kind] += count
        first, last = place
        lines = str(first) if first == last else f"{first}-{last}"
        finding = f"{path}:{lines}: {kind}: {reason}"
        if len(self.first) < SHOWN:
            self.first.append(finding)
        if self._report is not None:
            self._report.write(f"{finding}\n")

    def flush(self) -> None:
        """Hand the report to the system, so that a crash does not take it."""
        if self._report is not None:
            self._report.flush()

    def __str__(self) -> str:
        return ", ".join(f"{count:,} {kind}" for kind, count in self.counts.items()) or "nothing to report"


@contextlib.contextmanager
def findings(report: Path | None) -> Iterator[Findings]:
    """Yield findings that are added to `report`, where those of an import cut short are; FatalError if it cannot be."""
    if report is None:
        yield Findings()
        return
    try:
        with report.open("a", encoding="utf-8") as file:
            yield Findings(file)
    except OSError as error:
        raise FatalError(f"{report}: expected to write the report, received: {error.strerror}") from error
