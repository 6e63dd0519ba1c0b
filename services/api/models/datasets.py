"""Models of datasets, uploads and previews."""

from typing import Annotated, Literal

from pydantic import Field

from services.api.models.base import EpochUs, IsoTime, Price, Record, Symbol
from services.datasets.report import Kind

Carried = Literal["keep", "drop"]
Bars = Annotated[int, Field(description="How many bars are stored.", examples=[43_200])]
GapCount = Annotated[int, Field(description="Places where one bar or more are missing.", examples=[2])]
Missing = Annotated[int, Field(description="Bars that would fit into the gaps.", examples=[61])]
CarriedBars = Annotated[
    int | None,
    Field(
        description="Bars in which nothing traded, at the price of the bar before: volume 0, one price. They are no "
        "observations, so analyses leave them out unless asked to keep them. Null where it is not known: a symbol "
        "without any volume above 0.",
        examples=[12_971],
    ),
]
CarriedShare = Annotated[
    float | None,
    Field(ge=0, le=1, description="carried / bars, of the symbols of which it is known.", examples=[0.429]),
]
Columns = dict[str, str]


class Dataset(Record):
    """A dataset in short."""

    dataset_id: Annotated[
        str, Field(description="What names it for ever.", examples=["5f0c1f0ea3b94d6bb2c9a2f7ce4a1b11"])
    ]
    name: Annotated[
        str, Field(description="What it is called; `dataset=` takes it, too.", examples=["btc-eth-2021"])
    ]
    width_s: Annotated[
        float,
        Field(
            description="Seconds from bar to bar: what most steps are. A month has the mean of one, 2629746.",
            examples=[60.0],
        ),
    ]
    bars: Bars
    first_us: EpochUs
    first_time: IsoTime
    last_us: EpochUs
    last_time: IsoTime
    symbol_count: Annotated[int, Field(description="How many symbols it has bars of.", examples=[2])]
    gaps: GapCount
    missing: Missing
    carried: CarriedBars
    carried_share: CarriedShare
    rejected: Annotated[int, Field(description="Lines that were no bar.", examples=[3])]
    skipped: Annotated[
        int,
        Field(description="Lines not meant as one: headers, totals, comments, blank lines.", examples=[1]),
    ]
    adjusted: Annotated[
        int, Field(description="Bars whose high or low was rounded below or above their close.", examples=[0])
    ]
    odd: Annotated[
        int,
        Field(description="Bars that begin where bars of this width do not; they are stored.", examples=[0]),
    ]
    repeated: Annotated[
        int, Field(description="Bars of a time that an earlier line had; the first stays.", examples=[0])
    ]
    out_of_order: Annotated[
        int, Field(description="Bars earlier than the one before them; they are stored.", examples=[0])
    ]
    uploaded_us: EpochUs
    uploaded_time: IsoTime


class DatasetSymbol(Record):
    """Bars of one symbol in a dataset."""

    symbol: Symbol
    bars: Bars
    first_us: EpochUs
    first_time: IsoTime
    last_us: EpochUs
    last_time: IsoTime
    gaps: GapCount
    missing: Missing
    carried: CarriedBars
    carried_share: CarriedShare


class FileReading(Record):
    """File and its recognised dialect; null where that was not stored."""

    name: Annotated[str, Field(description="Of the file.", examples=["BTCUSDT-1m.csv"])]
    delimiter: Annotated[
        str | None, Field(description="What stands between the columns.", examples=["comma"])
    ] = None
    decimal: Annotated[str | None, Field(description="The decimal sign.", examples=["."])] = None
    header_line: Annotated[
        int | None, Field(description="The line that names the columns, 0 if none does.", examples=[1])
    ] = None
    columns: Annotated[
        Columns | None,
        Field(
            description="Where each field is: the name of its column, its number where there are no names.",
            examples=[{"time": "Date", "open": "Open", "high": "High", "low": "Low", "close": "Close"}],
        ),
    ] = None
    time: Annotated[
        str | None,
        Field(
            description="`iso`; `s`, `ms`, `us`, `ns` since 1970; `excel`, days of a spreadsheet; `digits` of a date; "
            "`dmy`, `mdy`, `ymd`, or `text`, with the name of a month; or the format told.",
            examples=["iso"],
        ),
    ] = None
    zone: Annotated[str | None, Field(description="Of times without one.", examples=["UTC"])] = None
    symbol: Annotated[str | None, Field(description="Null if a column says it.", examples=["BTCUSDT"])] = None
    close_only: Annotated[
        bool | None, Field(description="True if open, high and low are the close, which is all there is.")
    ] = None
    thousands: Annotated[
        str | None, Field(description="What separates thousands, null if nothing does.", examples=["comma"])
    ] = None
    notes: Annotated[
        list[str] | None,
        Field(description="What was decided by evidence.", examples=[["in dates the month comes first"]]),
    ] = None


class Finding(Record):
    """Something in a file that is not as it should be."""

    kind: Annotated[
        Kind,
        Field(
            description="What it is; a rejected, skipped or repeated line is not stored. `carried` is a run of bars.",
            examples=["rejected"],
        ),
    ]
    file: Annotated[
        str | None,
        Field(
            description="Null for a gap, an odd bar and a run of carried bars.", examples=["BTCUSDT-1m.csv"]
        ),
    ]
    line: Annotated[int | None, Field(description="Likewise.", examples=[1_507])]
    reason: Annotated[
        str,
        Field(
            description="What was expected, what was received.", examples=["expected a number, received 'x'"]
        ),
    ]


class DatasetDetail(Dataset):
    """A dataset, its symbols, how its files were read, and the first findings in them."""

    symbols: list[DatasetSymbol]
    files: list[FileReading]
    findings: Annotated[list[Finding], Field(description="The first ones; all of them are in its report.")]


class PreviewBar(Record):
    """A bar as it would be stored."""

    line: Annotated[int, Field(description="Where it stands in the file.", examples=[2])]
    symbol: Symbol
    start_us: EpochUs
    start_time: IsoTime
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Annotated[float | None, Field(description="Null if the file has none.", examples=[12.5])]


class DatasetPreview(Record):
    """Preview of a dataset from its files; nothing is stored."""

    files: list[FileReading]
    symbols: Annotated[list[str], Field(description="Those in the lines looked at.", examples=[["BTCUSDT"]])]
    width_s: Annotated[
        float | None,
        Field(description="Seconds from bar to bar; null without two of a symbol.", examples=[60.0]),
    ]
    lines: Annotated[int, Field(description="So many lines were looked at.", examples=[8_192])]
    complete: Annotated[bool, Field(description="True if the files have no more lines.")]
    rejected: Annotated[int, Field(description="Lines that are no bar.", examples=[0])]
    skipped: Annotated[int, Field(description="Lines not meant as one.", examples=[0])]
    adjusted: Annotated[int, Field(description="Bars whose high or low was rounded.", examples=[0])]
    out_of_order: Annotated[int, Field(description="Bars earlier than the one before them.", examples=[0])]
    bars: Annotated[list[PreviewBar], Field(description="The first ones.")]
    findings: Annotated[list[Finding], Field(description="The first ones.")]
