"""Read options: what a user says of a file that the file does not say itself."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

Field = Literal["time", "clock", "symbol", "open", "high", "low", "close", "volume"]
Delimiter = Literal["comma", "semicolon", "tab", "pipe"]
TimeUnit = Literal["s", "ms", "us", "ns", "excel"]
DateOrder = Literal["dmy", "mdy", "ymd"]
Thousands = Literal["comma", "point", "space", "apostrophe"]

FIELDS: tuple[Field, ...] = get_args(Field)
DELIMITERS: dict[Delimiter, str] = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
THOUSANDS: dict[Thousands, str] = {"comma": ",", "point": ".", "space": " ", "apostrophe": "'"}


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """Each None, or not in `mapping`, is recognised.

    `mapping` leads from a field to a column: its name, or its number from 1 on. `clock` is a column with the time
    of day where `time` has the day alone. `zone` is that of times without one, `time_format` as of strptime, with
    ``%I`` and ``%p`` for a clock of 12 hours; `date_order` is that of dates such as 03/04/2024.
    """

    zone: str = "UTC"
    mapping: dict[Field, str | int] = field(default_factory=dict)
    delimiter: Delimiter | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Thousands | None = None
    time_unit: TimeUnit | None = None
    time_format: str | None = None
    date_order: DateOrder | None = None

    def given(self) -> dict[str, Any]:
        """Return what differs from the defaults."""
        return {name: value for name, value in asdict(self).items() if value != getattr(ReadOptions(), name)}

    def with_option(self, option: str, value: str) -> "ReadOptions":
        """Return these options with one more set."""
        changes: dict[str, Any] = {option: value}
        return replace(self, **changes)
