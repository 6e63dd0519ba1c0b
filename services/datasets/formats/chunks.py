"""A stream of bytes out of parts that are made as it is read."""

import csv
import io
from collections.abc import Iterable, Iterator

_ROWS = 2_000


class Chunks:
    """Reads like a file; never more than one part is in memory beside what was asked for."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end only."""
        found = bytearray(self._rest[:size])
        self._rest = self._rest[size:]
        while len(found) < size and (part := next(self._parts, None)) is not None:
            self._rest = part[size - len(found) :]
            found += part[: size - len(found)]
        return bytes(found)


def as_csv(rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """Yield rows as lines of csv, some at once; a cell has no line break."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for nth, row in enumerate(rows, 1):
        writer.writerow([cell.replace("\n", " ") if isinstance(cell, str) else cell for cell in row])
        if nth % _ROWS == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()
