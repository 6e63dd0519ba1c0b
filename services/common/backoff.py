"""Backoff: the delay before the next attempt."""

import random
from collections.abc import Callable

from services.common.cancellation import checkpoint


class Backoff:
    """Delays that double from `first_s` to `cap_s`, each shortened by up to half at random.

    The randomness keeps many clients that lost the same server from coming back in the same instant.

    >>> backoff = Backoff(first_s=1, cap_s=3, jitter=lambda: 1.0)
    >>> [backoff.next_s() for _ in range(4)]
    [1.0, 2.0, 3.0, 3.0]
    >>> backoff.reset()
    >>> backoff.next_s()
    1.0
    """

    def __init__(
        self, first_s: float = 0.2, cap_s: float = 10.0, jitter: Callable[[], float] = random.random
    ) -> None:
        self._first_s = first_s
        self._cap_s = cap_s
        self._jitter = jitter
        self._attempts = 0

    def next_s(self) -> float:
        """Return the seconds to wait now; the next answer will be longer.

        CancelledError if the running task has been cancelled and a library has swallowed it: whoever tries
        again would otherwise try for ever.
        """
        checkpoint()
        delay = min(self._cap_s, self._first_s * 2.0 ** min(self._attempts, 64))
        self._attempts += 1
        return delay * (0.5 + 0.5 * self._jitter())

    def reset(self) -> None:
        """Start again from the first delay, because an attempt has succeeded."""
        self._attempts = 0
