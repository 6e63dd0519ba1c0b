"""Summary of how a file was read, in words and figures that a user can check."""

from collections.abc import Sequence
from typing import NamedTuple

from services.datasets.blocks import BarFile
from services.datasets.numbers import name_of


class FileReading(NamedTuple):
    """File and its recognised dialect; `columns` leads from each field to the name of its column."""

    name: str
    delimiter: str
    decimal: str
    header_line: int
    columns: dict[str, str]
    time: str
    zone: str
    symbol: str | None
    close_only: bool
    thousands: str | None
    notes: list[str]


def reading_of(file: BarFile, notes: Sequence[str] = ()) -> FileReading:
    """Return how `file` is read; `notes` are of what is not read of it."""
    dialect = file.dialect
    places = {field: place for field, place in dialect.columns._asdict().items() if place is not None}
    return FileReading(
        file.name,
        dialect.delimiter,
        dialect.numbers.decimal,
        dialect.header,
        {field: dialect.names[place] for field, place in places.items()},
        dialect.time_kind,
        dialect.times.zone,
        file.symbol,
        dialect.columns.close_only,
        name_of(dialect.numbers.thousands),
        [*dialect.notes, *notes],
    )
