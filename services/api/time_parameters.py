"""Time parameters: the forms in which users may write a time."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from services.common import clock

# The last microsecond of the year 9999: what a datetime and a timestamptz can both hold.
LATEST_US = 253_402_300_799_999_999
# As microseconds all of these lie before 1974; as seconds or milliseconds they are today.
_COARSER = range(10**9, 10**14)
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)
_KINDS = "ISO 8601 with a zone such as 2026-01-31T12:00:00Z, or whole microseconds since 1970"


def parse_moment(text: object) -> int:
    """Return microseconds since the epoch; the ValueError tells what is missing.

    >>> parse_moment("1970-01-01T01:00:01+01:00")
    1000000
    """
    # JSON Schema takes a number without a fraction for an integer.
    given = str(int(text) if isinstance(text, float) and text.is_integer() else text).strip()
    us = int(given) if _WHOLE.fullmatch(given) else _parse_iso(given)
    if not 0 <= us <= LATEST_US:
        raise ValueError(f"expected a time from 1970 to 9999, received {given!r}")
    if us in _COARSER and _WHOLE.fullmatch(given):
        raise ValueError(f"expected microseconds since 1970, which have 16 digits today, received {given!r}")
    return us


def _parse_iso(given: str) -> int:
    try:
        # A plus sign that was not percent-encoded arrives as a space.
        moment = datetime.fromisoformat(given.replace(" ", "+") if "T" in given else given)
    except ValueError:
        raise ValueError(f"expected {_KINDS}, received {given!r}") from None
    if moment.tzinfo is None:
        raise ValueError(
            f"expected a time with its zone, as in {moment.isoformat()}Z for UTC, received {given!r}"
        )
    return clock.from_datetime(moment)


Moment = Annotated[
    int,
    BeforeValidator(parse_moment),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "integer", "minimum": 0, "exclusiveMaximum": _COARSER.start},
                {"type": "integer", "minimum": _COARSER.stop, "maximum": LATEST_US},
            ]
        }
    ),
]
