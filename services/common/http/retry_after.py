"""Retry-After: how long a server wants to be left alone (RFC 9110, 10.2.3)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SOON = {"Retry-After": "1"}
"""Headers for a caller with too many requests at once: a slot may be free soon."""


def seconds(header: str, now: datetime | None) -> float | None:
    """Return the seconds from `now`, None if the header gives none; a date needs a `now` to be reckoned from.

    >>> seconds("120", None), seconds("soon", None), seconds("Thu, 01 Jan 1970 00:01:00 GMT", None)
    (120.0, None, None)
    >>> seconds("Thu, 01 Jan 1970 00:01:00 GMT", datetime(1970, 1, 1, tzinfo=UTC))
    60.0
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    until = date(text)
    return None if until is None or now is None else max(0.0, (until - now).total_seconds())


def date(text: str) -> datetime | None:
    """Return the date of a header, None if it is none; one without a zone is in UTC."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
