"""Text file read line by line: larger than memory, cut off, damaged, or still being written."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from services.common.decompression import Unpacking, unpacked
from services.ingest.feeds.file_growth import FileGrowth

BLOCK = 1 << 18
# About: where it ends in the same block it may be longer by a block.
LONGEST_LINE = 1 << 20


class Block(NamedTuple):
    """Whole lines, many at once, and the number of the first; the last of a file may have no line end."""

    number: int
    lines: bytes


class FileDamage(NamedTuple):
    """A line that cannot be used, its number, and why."""

    number: int
    line: bytes
    reason: str


class CutOff(NamedTuple):
    """The end of a file that is not whole: where, what there is of the last line (it may be nothing), and why."""

    number: int
    line: bytes
    reason: str


Found = Block | FileDamage | CutOff


class TextFile:
    """The lines of one file, plain, gz or zip."""

    def __init__(self, path: Path, is_whole: Callable[[bytes], bool], follow: bool = False) -> None:
        """`is_whole` says whether a last line is all there though it has no line end.

        With `follow` a file that is still being written is read until that stops.
        """
        self.path = path
        self._is_whole = is_whole
        self._follow = follow

    def blocks(self, size: int = BLOCK) -> Iterator[Found | None]:
        """Yield what is in the file, about `size` bytes at once; None whenever nothing more has been written yet.

        FileError if it cannot be opened or read.
        """
        with unpacked(self.path) as file:
            growth = FileGrowth(file.descriptor) if self._follow else None
            lines = _Lines()
            while True:
                if part := file.read(size):
                    yield from lines.take(part)
                elif growth and not file.is_final() and growth.may_go_on(self._ends_well(lines, file)):
                    yield None
                else:
                    break
            yield from lines.end(self._is_whole, file.lack())

    def _ends_well(self, lines: "_Lines", file: Unpacking) -> bool:
        return file.lack() is None and lines.is_well(self._is_whole)


class _Lines:
    """Cuts what is read into whole lines; of one that is too long only the beginning is kept."""

    def __init__(self) -> None:
        self._rest = b""
        self._number = 1
        self._skipping = False

    def take(self, part: bytes) -> Iterator[Block | FileDamage]:
        if self._skipping:
            _, newline, part = part.partition(b"\n")
            if not newline:
                return
            self._number, self._skipping = self._number + 1, False
        whole, newline, self._rest = (self._rest + part).rpartition(b"\n")
        if newline:
            yield Block(self._number, whole + newline)
            self._number += whole.count(b"\n") + 1
        if len(self._rest) > LONGEST_LINE:
            expected = f"expected a line of at most {LONGEST_LINE:,} bytes, received a longer one"
            yield FileDamage(self._number, self._rest[:LONGEST_LINE], expected)
            self._rest, self._skipping = b"", True

    def is_well(self, is_whole: Callable[[bytes], bool]) -> bool:
        """Return whether the lines may end here."""
        return not self._skipping and (not self._rest.strip() or is_whole(self._rest))

    def end(self, is_whole: Callable[[bytes], bool], lack: str | None) -> Iterator[Found]:
        """Yield what is left of a file that ends here and lacks so much."""
        rest, number = self._rest, self._number
        if rest.strip() and not is_whole(rest):
            received = f"received the first {len(rest):,} bytes of one, {rest[:80]!r}"
            yield CutOff(number, rest, f"expected a whole line, {received}: {lack or 'the file ends there'}")
            return
        if rest.strip():
            yield Block(number, rest)
        if lack is not None:
            last = number if rest else number - 1
            yield CutOff(last, b"", f"expected a whole file, but {lack}")
