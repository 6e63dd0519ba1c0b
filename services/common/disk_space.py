"""Free space of a disk, and how worried one has to be about it."""

import shutil
from pathlib import Path
from typing import Literal, NamedTuple

GB = 1 << 30
_WARN_PART, _WARN_BYTES = 0.1, 5 * GB
_FAIL_PART = 0.02


class DiskSpace(NamedTuple):
    """Bytes of a disk in all, and those that are free."""

    total: int
    free: int

    @classmethod
    def of(cls, path: Path) -> "DiskSpace":
        """Measure the disk of an existing path."""
        total, _, free = shutil.disk_usage(path)
        return cls(total, free)

    @property
    def state(self) -> Literal["enough", "little", "full"]:
        """Return `full` below 2 %, `little` below 10 % or 5 GB (of a small disk: half of it), else `enough`.

        >>> DiskSpace(100 * GB, 9 * GB).state, DiskSpace(100 * GB, 1 * GB).state, DiskSpace(8 * GB, 5 * GB).state
        ('little', 'full', 'enough')
        """
        if self.free < _FAIL_PART * self.total:
            return "full"
        little = max(_WARN_PART * self.total, min(_WARN_BYTES, self.total / 2))
        return "little" if self.free < little else "enough"

    def __str__(self) -> str:
        return f"{self.free / GB:,.1f} of {self.total / GB:,.1f} GB free"
