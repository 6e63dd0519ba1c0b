"""Types of the API's responses on datasets."""

from msgspec import Struct


class Dataset(Struct, frozen=True):
    """A dataset in short; ``width_s`` is the seconds from bar to bar, ``carried`` None where no volume tells it."""

    dataset_id: str
    name: str
    width_s: float
    bars: int
    first_us: int
    last_us: int
    symbol_count: int
    gaps: int
    missing: int
    carried: int | None
    carried_share: float | None
    rejected: int
    repeated: int
    out_of_order: int
    uploaded_us: int


class SymbolPart(Struct, frozen=True):
    """Bars of one symbol in a dataset."""

    symbol: str
    bars: int
    first_us: int
    last_us: int
    gaps: int
    missing: int
    carried: int | None
    carried_share: float | None


class FileReading(Struct, frozen=True):
    """File and its recognised dialect; None where that was not stored, or a column tells it."""

    name: str
    delimiter: str | None = None
    decimal: str | None = None
    header_line: int | None = None
    columns: dict[str, str] | None = None
    time: str | None = None
    zone: str | None = None
    symbol: str | None = None
    close_only: bool | None = None


class Finding(Struct, frozen=True):
    """Something in a file that is not as it should be."""

    kind: str
    file: str | None
    line: int | None
    reason: str


class DatasetDetail(Dataset, frozen=True, kw_only=True):
    """A dataset, its symbols, and how its files were read."""

    symbols: tuple[SymbolPart, ...]
    files: tuple[FileReading, ...]


class PreviewBar(Struct, frozen=True):
    """A bar as it would be stored."""

    line: int
    symbol: str
    start_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None


class Preview(Struct, frozen=True):
    """Preview of files, from the first lines of each."""

    files: tuple[FileReading, ...]
    symbols: tuple[str, ...]
    width_s: float | None
    lines: int
    complete: bool
    rejected: int
    out_of_order: int
    bars: tuple[PreviewBar, ...]
    findings: tuple[Finding, ...]


class StoredBar(Struct, frozen=True):
    """A bar of a dataset; in a carried one nothing traded."""

    start_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None = None
    closed: bool = True
    coverage: float = 1.0
    carried: bool = False
