"""Time: UTC, integer microseconds since the epoch."""

import time
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


def now_us() -> int:
    """Return the wall clock in microseconds since the epoch."""
    return time.time_ns() // 1_000


def to_datetime(us: int) -> datetime:
    """Return `us` as an aware UTC datetime, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=us)


def from_datetime(moment: datetime) -> int:
    """Return an aware datetime as microseconds since the epoch; a naive one is a ValueError."""
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with a zone, received {moment.isoformat()} without one")
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def to_iso(us: int) -> str:
    """Return `us` as ISO 8601 in UTC with microseconds, as in ``2026-01-31T12:00:00.000000Z``."""
    # Twice as fast as strftime, which shows on a page of 10,000 ticks.
    return (_NAIVE_EPOCH + timedelta(microseconds=us)).isoformat(timespec="microseconds") + "Z"
