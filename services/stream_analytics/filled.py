"""Filled part of a window: seconds from stored ticks, and the time until which they are in the window."""

from collections.abc import Sequence

from msgspec import Struct


class Filled(Struct, frozen=True, array_like=True):
    """`text` says what was filled; it holds as long as a sample of a second until `until_us` is in the window."""

    text: str = ""
    until_us: int = 0

    def told(self, times: Sequence[tuple[int, int, int]]) -> str | None:
        """Return the text while it holds; `times` are those of a window's samples, the end of the second last."""
        return self.text if self.text and times and times[0][2] <= self.until_us else None


NOTHING = Filled()
