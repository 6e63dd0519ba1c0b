"""What was found while reading recorded data."""

from dataclasses import dataclass


@dataclass
class Report:
    """Counts of one source, so far."""

    rows: int = 0
    out_of_order: int = 0
    duplicates: int = 0
    late: int = 0
    """Rows found after later trades had been handed out: repeats, if the files are the venue's own."""
    conflicting: int = 0
    """Rows that share their id with a row of other values; which is true cannot be known, so none is used."""
    damaged: int = 0
    missing: int = 0
    """Trade ids that were jumped over, in so many `gaps`."""
    gaps: int = 0

    def findings(self) -> str:
        """Return in words what is not as it should be, nothing if all is."""
        counts = {
            "rows out of order": self.out_of_order,
            "duplicates dropped": self.duplicates,
            "rows dropped because they came too late": self.late,
            "conflicting rows rejected": self.conflicting,
            "damaged rows rejected": self.damaged,
            "trade ids missing": self.missing,
            "gaps": self.gaps,
        }
        return ", ".join(f"{what}: {count:,}" for what, count in counts.items() if count)
