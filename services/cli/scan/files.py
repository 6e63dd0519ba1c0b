"""Files of a scan: every pair as CSV or Parquet, or a report."""

from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from services.cli.export.file import SUFFIXES, ExportFile
from services.research.scan.pair_rows import PairRow, rows
from services.research.scan.run import FoundPairs

FORMS = SUFFIXES
_PAGE_ROWS = 50_000
_INTEGER, _TEXT, _FLOAT, _TIME = 23, 25, 701, 1184
_TYPES = {"rank": _INTEGER, "y": _TEXT, "x": _TEXT, "stage": _TEXT, "reason": _TEXT, "break_us": _TIME}
# The spread is there to be drawn.
_COLUMNS = [name for name in PairRow._fields if name != "spread"]


def save(path: Path, form: str, scanned: FoundPairs) -> None:
    """Write what a scan found to a file that is not there yet; OSError if it cannot be written."""
    with ExitStack() as stack:
        file = ExportFile(stack, path, form)
        file.begin([(name, _TYPES.get(name, _FLOAT)) for name in _COLUMNS])
        found = (row[:-1] for row in rows(scanned))
        while page := list(islice(found, _PAGE_ROWS)):
            file.write(page)
