"""Spans of ids seen so far; memory grows with the gaps between them, up to a limit."""

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

_MOST_SPANS = 1 << 16


class IdSpans:
    """Ids as spans of consecutive ones. Where there are more than 65,536, the lower half is forgotten."""

    def __init__(self) -> None:
        self._firsts: Ids = np.empty(0, np.int64)
        self._lasts: Ids = np.empty(0, np.int64)
        self._forgotten_id = -1
        self._forgotten = 0, 0

    def has(self, ids: Ids) -> NDArray[np.bool_]:
        """Return the ids of `ids` that were seen; a forgotten id counts as unseen."""
        places = np.searchsorted(self._firsts, ids, side="right") - 1
        within = places >= 0
        within[within] = ids[within] <= self._lasts[places[within]]
        return within

    def add(self, ids: Ids) -> None:
        """Take ids that there have not been, ascending, each once."""
        ids = ids[ids > self._forgotten_id]
        if not len(ids):
            return
        breaks = np.flatnonzero(np.diff(ids) > 1)
        firsts = np.concatenate((self._firsts, ids[:1], ids[breaks + 1]))
        lasts = np.concatenate((self._lasts, ids[breaks], ids[-1:]))
        if len(self._lasts) and ids[0] < self._lasts[-1]:
            order = np.argsort(firsts)
            firsts, lasts = firsts[order], lasts[order]
        apart = firsts[1:] > lasts[:-1] + 1
        self._firsts = firsts[np.concatenate(([True], apart))]
        self._lasts = lasts[np.concatenate((apart, [True]))]
        if len(self._firsts) > _MOST_SPANS:
            self._forget(len(self._firsts) // 2)

    def missing(self) -> tuple[int, int]:
        """Return how many ids are missing between the first and the last, and in how many gaps."""
        ids, gaps = self._forgotten
        between = int((self._firsts[1:] - self._lasts[:-1] - 1).sum())
        return ids + between, gaps + max(0, len(self._firsts) - 1)

    def _forget(self, spans: int) -> None:
        ids, gaps = self._forgotten
        between = self._firsts[1 : spans + 1] - self._lasts[:spans] - 1
        self._forgotten = ids + int(between.sum()), gaps + spans
        self._forgotten_id = int(self._lasts[spans - 1])
        self._firsts, self._lasts = self._firsts[spans:], self._lasts[spans:]
