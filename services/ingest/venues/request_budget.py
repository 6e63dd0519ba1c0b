"""Request budget: what a venue allows one address, and how much of it is spent. Pure: time is passed in."""

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

# The rest is for whoever else asks the venue from this address, and for a clock that runs differently.
_SHARE = 0.8


class Budget(NamedTuple):
    """Requests have weights (1 unless `weights` says otherwise for the path); their sum in `period_s` is limited.

    `header` is that of an answer which says what this address has used in the running period.
    """

    limit: int
    period_s: float
    header: str | None = None
    weights: Mapping[str, int] = {}


class Spending:
    """Spending of a budget: our requests, the venue's own count, and the wait before the next request.

    Times are seconds of any clock that never jumps.
    """

    def __init__(self, budget: Budget) -> None:
        self._period_s = budget.period_s
        self._allowed = budget.limit * _SHARE
        self._spent: deque[tuple[float, int]] = deque()
        self._sum = 0
        self._reported = 0
        self._reported_until_s = 0.0

    def wait_s(self, weight: int, now_s: float) -> float:
        """Return 0 if a request of `weight` may be sent now, else after how long to ask again."""
        while self._spent and self._spent[0][0] + self._period_s <= now_s:
            self._sum -= self._spent.popleft()[1]
        if now_s < self._reported_until_s and self._reported + weight > self._allowed:
            return self._reported_until_s - now_s
        # One request always may: a budget smaller than a weight must not mean never.
        if self._spent and self._sum + weight > self._allowed:
            return self._spent[0][0] + self._period_s - now_s
        return 0.0

    def spend(self, weight: int, now_s: float) -> None:
        """Note a request that is sent now."""
        self._spent.append((now_s, weight))
        self._sum += weight
        self._reported += weight

    def correct(self, used: int, until_s: float) -> None:
        """Note what the venue says is used of the period that ends at `until_s`."""
        self._reported, self._reported_until_s = used, until_s
