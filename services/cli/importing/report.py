"""Import report of tick files: findings counted, the first ones shown, all of them written to a file."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

from services.common.errors import FatalError
from services.common.findings import CountedFindings

Kind = Literal["rejected", "skipped", "adjusted", "conflicting", "repeated", "out of order", "odd"]
SHOWN = 20


class Findings(CountedFindings[Kind, str]):
    """Findings of one import, in words, with their file and lines."""

    def __init__(self, report: IO[str] | None = None) -> None:
        super().__init__(SHOWN, self._write, of_each_kind=False)
        self._report = report

    def add(self, kind: Kind, path: Path, place: tuple[int, int], count: int, reason: str) -> None:
        """Note `count` findings in the lines of `place`, from the first to the last."""
        first, last = place
        lines = str(first) if first == last else f"{first}-{last}"
        self.note(kind, f"{path}:{lines}: {kind}: {reason}", count)

    def flush(self) -> None:
        """Hand the report to the system, so that a crash does not take it."""
        if self._report is not None:
            self._report.flush()

    def _write(self, finding: str) -> None:
        if self._report is not None:
            self._report.write(f"{finding}\n")


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
