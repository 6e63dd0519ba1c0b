"""The shape of everything that is answered: flat records in which every time is a number and a text."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from services.common import clock

Row = dict[str, Any]

encode = msgspec.json.Encoder().encode  # writes NaN and infinities as null


def row(fields: Iterable[tuple[str, Any]]) -> Row:
    """Return the fields in their order; each ``x_us`` is followed by ``x_time``, the same in ISO 8601.

    >>> row([("event_us", 1_500_000), ("end_us", None)])
    {'event_us': 1500000, 'event_time': '1970-01-01T00:00:01.500000Z', 'end_us': None, 'end_time': None}
    """
    result: Row = {}
    for name, value in fields:
        result[name] = value
        if name.endswith("_us"):
            result[f"{name[:-2]}time"] = None if value is None else clock.to_iso(value)
    return result


def records(names: Sequence[str], values: Sequence[Sequence[Any]]) -> list[Row]:
    """Return what `row` makes of each of `values`, the values of fields called `names`, column by column.

    >>> records(["event_us", "price"], [(1_500_000, 2.5)])
    [{'event_us': 1500000, 'event_time': '1970-01-01T00:00:01.500000Z', 'price': 2.5}]
    """
    fields = list(row((name, None) for name in names))
    columns: list[Iterable[Any]] = []
    for name, column in zip(names, zip(*values, strict=True), strict=bool(values)):
        columns.append(column)
        if name.endswith("_us"):
            columns.append([None if us is None else clock.to_iso(us) for us in column])
    return [dict(zip(fields, cells, strict=True)) for cells in zip(*columns, strict=True)]


def message_row(message: Struct) -> Row:
    """Return a message of a topic as a row."""
    return row(asdict(message).items())


def age_s(us: int | None, now_us: int) -> float | None:
    """Return the age of a moment in seconds by the wall clock, never negative."""
    return None if us is None else max(0, now_us - us) / clock.SECOND
