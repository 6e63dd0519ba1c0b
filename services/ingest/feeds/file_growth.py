"""Growth of a file: whether one that was read to its end is still being written."""

import os
import time
from collections.abc import Callable

# `pairstream record` hands its file to the system every 5 s.
STOPPED_S = 10.0
LOOK_AGAIN_S = 0.2


class FileGrowth:
    """Growth of one file. It has stopped when nothing was appended for STOPPED_S.

    A file that is whole, has not grown since it was opened and was last written before that is over at once.
    """

    def __init__(
        self,
        descriptor: int,
        seconds: Callable[[], float] = time.monotonic,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        """`seconds` is a monotonic clock, `now_s` that of the file system."""
        self._descriptor = descriptor
        self._seconds = seconds
        self._now_s = now_s
        self._size = os.fstat(descriptor).st_size
        self._has_grown = False
        self._quiet_since_s: float | None = None

    def may_go_on(self, whole: bool) -> bool:
        """Return whether more may come, now that the end has been reached; `whole` is what ends there."""
        state, now_s = os.fstat(self._descriptor), self._seconds()
        if state.st_size != self._size:
            self._size, self._has_grown, self._quiet_since_s = state.st_size, True, None
        if self._quiet_since_s is None:
            self._quiet_since_s = now_s
        quiet_s = now_s - self._quiet_since_s
        if whole and not self._has_grown:
            # A time in the future says nothing.
            quiet_s = max(quiet_s, self._now_s() - state.st_mtime)
        return quiet_s < STOPPED_S
