"""Range of stored ticks, as people write it: ``START..END``."""

from datetime import datetime
from typing import NamedTuple

from services.common.clock import from_datetime, to_iso


class StoredRange(NamedTuple):
    """Event times between which stored ticks are replayed (epoch, us), the last one not included."""

    start_us: int
    end_us: int

    def __str__(self) -> str:
        return f"{to_iso(self.start_us)}..{to_iso(self.end_us)}"


def parse_range(value: object) -> StoredRange | None:
    """Return the range that ``START..END`` names, None for None; the ValueError says what is expected.

    >>> str(parse_range("2026-01-31T13:00:00+01:00..2026-01-31T13:00:00Z"))
    '2026-01-31T12:00:00.000000Z..2026-01-31T13:00:00.000000Z'
    """
    if value is None or isinstance(value, StoredRange):
        return value
    try:
        start, end = (datetime.fromisoformat(text.strip()) for text in str(value).split(".."))
        if start.tzinfo and end.tzinfo and start < end:
            return StoredRange(from_datetime(start), from_datetime(end))
    except ValueError:
        pass
    raise ValueError(
        "expected START..END, two times with their zones, the earlier first, such as "
        f"2026-01-31T12:00:00Z..2026-01-31T13:00:00Z, received {value!r}"
    )
