"""Zones as they stand behind a time: an offset, a name such as CET, or one of the zone database."""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Names that mean one offset wherever they are used: CST and IST mean several, and are not among them.
_HOURS = {
    **{"Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3},
    **{"MSK": 3, "HKT": 8, "SGT": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11},
    **{"EST": -5, "EDT": -4, "CDT": -5, "MDT": -6, "PST": -8, "PDT": -7},
}
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?")
PATTERN = (
    r"(?: ?(?P<zone>[Zz]|(?:UTC|GMT)?[+-][0-9]{1,2}(?::?[0-9]{2})?|[A-Z]{3,4}|[A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_-]+)+)"
    r"(?: ?\[[A-Za-z/_+-]+\])?)?"
)
"""Pattern of a zone behind a time, for Python and RE2."""


@lru_cache(maxsize=256)
def zone_of(text: str) -> tzinfo:
    """Return the zone that `text` names; ValueError if it names none.

    >>> zone_of("+0130").utcoffset(None), zone_of("CET").utcoffset(None)
    (datetime.timedelta(seconds=5400), datetime.timedelta(seconds=3600))
    """
    if (hours := _HOURS.get(text.upper())) is not None:
        return timezone(timedelta(hours=hours)) if hours else UTC
    if found := _OFFSET.fullmatch(text):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        if offset < timedelta(days=1) and int(found[3] or 0) < 60:
            return timezone(-offset if found[1] == "-" else offset)
    try:
        if "/" in text:
            return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ValueError(f"expected a zone such as +01:00, UTC or Europe/Berlin, received {text!r}")
