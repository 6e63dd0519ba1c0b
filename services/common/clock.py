"""Time: UTC, integer microseconds since the epoch."""

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES = [f"T{hour:02}:{minute:02}" for hour in range(24) for minute in range(60)]
_SECONDS = [f":{second:02}." for second in range(60)]


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
    # Three times as fast as by way of a datetime, which shows in an export: every row has two of these.
    seconds, fraction = divmod(us, SECOND)
    minutes, second = divmod(seconds, 60)
    days, minute = divmod(minutes, 1440)
    return f"{_day(days)}{_MINUTES[minute]}{_SECONDS[second]}{fraction:06}Z"


@lru_cache(maxsize=64)
def _day(days: int) -> str:
    return (_EPOCH + timedelta(days)).date().isoformat()
