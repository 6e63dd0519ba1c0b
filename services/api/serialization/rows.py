"""Rows of a response: flat records in which every time stands as a number and as a text."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import asdict

from services.common import clock
from services.contracts.messages import Tick
from services.store.relations import TICKS

Row = dict[str, Any]
_TICK = frozenset({TICKS.of, *TICKS.times.values(), *TICKS.columns})

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


class JsonRecords:
    """Rows of the same fields, column by column: half the work of as many dicts."""

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self.columns = columns
        """Name to values, all as many; none at all if there is no row."""

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "JsonRecords":
        """Return `rows`, which all have the same fields."""
        return cls({name: [row[name] for row in rows] for name in (rows[0] if rows else ())})

    @classmethod
    def timed(cls, columns: Mapping[str, Sequence[Any]]) -> "JsonRecords":
        """Return the records that `row` makes of each row of `columns`.

        >>> JsonRecords.timed({"event_us": [1_500_000], "price": [2.5]}).rows()
        [{'event_us': 1500000, 'event_time': '1970-01-01T00:00:01.500000Z', 'price': 2.5}]
        """
        told: dict[str, Sequence[Any]] = {}
        for name, values in columns.items():
            told[name] = values
            if name.endswith("_us"):
                told[f"{name[:-2]}time"] = _times(values)
        return cls(told)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, part: slice) -> "JsonRecords":
        """Return some of the rows."""
        return JsonRecords({name: values[part] for name, values in self.columns.items()})

    def rows(self) -> list[Row]:
        """Return each row as a dict."""
        return [
            dict(zip(self.columns, cells, strict=True)) for cells in zip(*self.columns.values(), strict=True)
        ]

    def encoded(self) -> bytes:
        """Return the rows as an array in JSON."""
        columns = self.columns.values()
        return encode(list(map(_struct(tuple(self.columns)), *columns)) if columns else [])


@cache
def _struct(names: tuple[str, ...]) -> Any:
    # A struct is made in a tenth of the time that a dict takes.
    return msgspec.defstruct("Record", names, gc=False)


def _times(us: Sequence[int | None]) -> list[str | None]:
    if None in us:
        return [None if one is None else clock.to_iso(one) for one in us]
    moments = np.array(us, "datetime64[us]")
    times: list[str | None] = np.datetime_as_string(moments, unit="us", timezone="UTC").tolist()
    return times


def message_row(message: Struct) -> Row:
    """Return a message of a topic as a row; of a tick only the stored fields, not those for workers."""
    fields = asdict(message)
    return row((name, fields[name]) for name in fields if name in _TICK or not isinstance(message, Tick))


def age_s(us: int | None, now_us: int) -> float | None:
    """Return the age of a moment in seconds, never negative; both times are by the same clock."""
    return None if us is None else max(0, now_us - us) / clock.SECOND
