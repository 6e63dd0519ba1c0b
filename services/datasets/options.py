"""Read options: what a user says of a file that the file does not say itself."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

Field = Literal["time", "clock", "symbol", "open", "high", "low", "close", "volume"]
Delimiter = Literal["comma", "semicolon", "tab", "pipe"]
TimeUnit = Literal["s", "ms", "us", "ns"]

FIELDS: tuple[Field, ...] = get_args(Field)
DELIMITERS: dict[Delimiter, str] = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """Each None, or not in `mapping`, is recognised.

    `mapping` leads from a field to a column: its name, or its number from 1 on. `clock` is a column with the time
    of day where `time` has the day alone. `zone` is that of times without one, `time_format` as of strptime.
    """

    zone: str = "UTC"
    mapping: dict[Field, str | int] = field(default_factory=dict)
    delimiter: Delimiter | None = None
    decimal: Literal[".", ","] | None = None
    time_unit: TimeUnit | None = None
    time_format: str | None = None

    def said(self) -> dict[str, Any]:
        """Return what differs from the defaults."""
        return {name: value for name, value in asdict(self).items() if value != getattr(ReadOptions(), name)}
