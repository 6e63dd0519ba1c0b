"""Conflation of live signals between two closes: at most so many per pair, and always the latest."""

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Conflation(Generic[K]):
    """Pass each key at most once per `interval_s`; a held item is due `grace_s` after the interval.

    In that time something newer may come, which goes through at once.
    """

    def __init__(self, interval_s: float, grace_s: float = 0.0) -> None:
        self.interval_s = interval_s
        self._grace_s = grace_s
        self._next_s: dict[K, float] = {}
        self._held: dict[K, float] = {}
        self._queue: list[tuple[float, int, K]] = []
        self._number = 0

    def offer(self, key: K, now_s: float) -> bool:
        """Tell whether `key` may publish now; otherwise it will be ``due``."""
        due_s = self._next_s.get(key, now_s)
        if due_s <= now_s:
            self.spoke(key, now_s)
            return True
        self._hold(key, due_s)
        return False

    def hold(self, key: K, now_s: float) -> None:
        """Keep `key` from publishing now, whether or not it could: it will be ``due``."""
        self._hold(key, max(now_s, self._next_s.get(key, now_s)))

    def _hold(self, key: K, due_s: float) -> None:
        if key not in self._held:
            self._held[key] = due_s = due_s + self._grace_s
            self._number += 1
            heapq.heappush(self._queue, (due_s, self._number, key))

    def spoke(self, key: K, now_s: float) -> None:
        """Note that `key` has spoken: nothing of it is held back any more."""
        self._next_s[key] = now_s + self.interval_s
        self._held.pop(key, None)

    @property
    def due_s(self) -> float | None:
        """Time at which a held-back key is due, None if there is none."""
        return self._queue[0][0] if self._queue else None

    def is_due(self, now_s: float) -> bool:
        """Tell whether the time of a key that is held back may have come."""
        return self.due_s is not None and self.due_s <= now_s

    def next_due(self, now_s: float) -> K | None:
        """Return the key held back whose time has come first, and let it publish; None if there is none."""
        while self.is_due(now_s):
            due_s, _, key = heapq.heappop(self._queue)
            # The key may have published out of turn since, and even be held back again behind another entry.
            if self._held.get(key) == due_s:
                self.spoke(key, now_s)
                return key
        return None
