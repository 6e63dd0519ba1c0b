"""Schedule of tries: when a delivery that has failed is tried again, and when no more. No I/O."""

DELAYS_S = (0.0, 5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
"""Time from one try to the next; the first one is made at once."""
TRIES = len(DELAYS_S)
LONGEST_PAUSE_S = 86_400.0
"""The longest that a receiver may ask to be left alone."""
_JITTER = 0.2


def next_s(tries: int, retry_after_s: float | None, jitter: float) -> float | None:
    """Return the seconds from try `tries` (1 is the first) to the next one, None if it was the last.

    `jitter`, from 0 to 1, is drawn at random: it spreads out what has failed in one instant. A receiver that asks for
    more time gets it.

    >>> next_s(1, None, 0.0), next_s(2, None, 1.0), next_s(2, 1_000.0, 0.0), next_s(7, None, 0.0)
    (5.0, 360.0, 1000.0, None)
    """
    if tries >= TRIES:
        return None
    return max(DELAYS_S[tries] * (1 + _JITTER * jitter), pause_s(retry_after_s) or 0.0)


def pause_s(retry_after_s: float | None) -> float | None:
    """Return for how long a target is left alone, None if it has not asked for that."""
    return None if retry_after_s is None else min(max(retry_after_s, 0.0), LONGEST_PAUSE_S)
