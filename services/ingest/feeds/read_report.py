"""Report on recorded data: lines read, damage found, and the end."""

from dataclasses import dataclass, field
from pathlib import Path

import structlog

from services.ingest.feed import Rejected
from services.ingest.feeds.text_file import CutOff, FileDamage

log = structlog.get_logger()


@dataclass
class ReadReport:
    """Counts of one source, so far."""

    rows: int = 0
    out_of_order: int = 0
    duplicates: int = 0
    late: int = 0
    """Rows too far out of order to be put in order: handed out after later trades."""
    conflicting: int = 0
    """Rows that share their id with an earlier row of other values, which stays."""
    damaged: int = 0
    missing: int = 0
    """Trade ids that were jumped over, in so many `gaps`."""
    gaps: int = 0
    cut_off: list[str] = field(default_factory=list)
    """Place where an incomplete file ends, and what it lacks."""

    def rejected(self, path: Path, found: FileDamage | CutOff) -> Rejected | None:
        """Note what is wrong in a file, and return the line of it that is lost, None if none is."""
        origin = f"{path}:{found.number}"
        if isinstance(found, CutOff):
            self.cut_off.append(f"{origin}: {found.reason}")
            if not found.line:
                # Nobody else would say so.
                log.warning("a file is cut off", origin=origin, reason=found.reason)
                return None
        self.damaged += 1
        return Rejected(found.line.rstrip(b"\r\n"), found.reason, origin)

    def findings(self) -> str:
        """Return in words what is not as it should be, nothing if all is."""
        counts = {
            "rows out of order": self.out_of_order,
            "duplicates dropped": self.duplicates,
            "rows too late to be put in order": self.late,
            "conflicting rows rejected": self.conflicting,
            "damaged rows rejected": self.damaged,
            "trade ids missing": self.missing,
            "gaps": self.gaps,
        }
        words = [f"{what}: {count:,}" for what, count in counts.items() if count]
        if self.cut_off:
            words += [f"files cut off: {len(self.cut_off):,}", self.cut_off[-1]]
        return ", ".join(words)
