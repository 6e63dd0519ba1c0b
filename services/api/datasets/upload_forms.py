"""Form fields of an upload, validated."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import UploadFile
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Json, model_validator

from services.contracts.symbol_forms import market_symbol
from services.datasets.options import DateOrder, Delimiter, ReadOptions, Thousands, TimeUnit
from services.datasets.options import Field as BarField
from services.datasets.sources import FileSource, Upload

FILES_MAX = 100
# Largest ratio of an unpacked file to its upload.
UNPACKED_TIMES = 5
_NAME = re.compile(r"\w[\w. -]{0,99}")
_PROBE = datetime(2024, 12, 31, 23, 59, 58, tzinfo=UTC)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"expected a zone such as UTC or America/New_York, received {name!r}") from None


def _format(text: str) -> str:
    try:
        datetime.strptime(_PROBE.strftime(text), text)  # noqa: DTZ007
    except (ValueError, re.error):
        raise ValueError(f"expected a format such as %d/%m/%Y %H:%M, received {text!r}") from None
    if "%" not in text:
        raise ValueError(f"expected a format such as %d/%m/%Y %H:%M, received {text!r}")
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text) or re.fullmatch(r"[0-9a-f]{32}", text):
        raise ValueError(f"expected up to 100 letters, digits, spaces or ._- and no id, received {text!r}")
    return text.strip()


def _symbols(text: str) -> str:
    return ",".join(market_symbol(name) for name in text.split(","))


class PreviewForm(BaseModel):
    """Form of a preview: files, and options that the files do not say themselves."""

    model_config = ConfigDict(extra="forbid")

    files: Annotated[
        list[UploadFile],
        Field(
            min_length=1,
            max_length=FILES_MAX,
            description="OHLCV bars as csv, xlsx, Parquet, or the JSON that venues answer with, plain, in gz or in zip "
            "with any number of files: with a column for the symbol, or a file for each symbol.",
        ),
    ]
    symbols: Annotated[
        Annotated[str, AfterValidator(_symbols)] | None,
        Field(
            description="What each file is of, in their order, separated by commas; without it a column or the "
            "file's whole name says it, as venues and tools call their files. `BTC/USDT` and `BTC-USDT` are `BTCUSDT`.",
            examples=["BTCUSDT,ETHUSDT"],
        ),
    ] = None
    zone: Annotated[
        str,
        AfterValidator(_zone),
        Field(max_length=64, description="The zone of times that have none.", examples=["America/New_York"]),
    ] = "UTC"
    mapping: Annotated[
        Json[dict[BarField, str | int]] | None,
        Field(
            description="Where the columns are, as JSON: field to the column's name, or its number from 1 on. "
            "`clock` is the time of day, where `time` has the day alone. What is not named is recognised.",
            examples=['{"time": "Date", "close": "Adj Close"}'],
        ),
    ] = None
    delimiter: Annotated[
        Delimiter | None,
        Field(description="What separates columns, if that is not recognised.", examples=["comma"]),
    ] = None
    decimal: Annotated[
        Literal[".", ","] | None,
        Field(description="The decimal sign, if that is not recognised.", examples=["."]),
    ] = None
    thousands: Annotated[
        Thousands | None,
        Field(description="What separates thousands, if that is not recognised.", examples=["comma"]),
    ] = None
    time_unit: Annotated[
        TimeUnit | None,
        Field(
            description="The unit of times that are numbers, since 1970 or `excel`, days of a spreadsheet; without it "
            "the one by which they lie between 2009 and a year ahead.",
            examples=["ms"],
        ),
    ] = None
    date_order: Annotated[
        DateOrder | None,
        Field(description="What comes first in dates such as 03/04/2024.", examples=["mdy"]),
    ] = None
    time_format: Annotated[
        Annotated[str, AfterValidator(_format)] | None,
        Field(
            max_length=64,
            description="How times are written, as of Python's strptime, if that is not recognised; `%I` and "
            "`%p` are a clock of 12 hours.",
            examples=["%d/%m/%Y %I:%M %p"],
        ),
    ] = None

    @model_validator(mode="after")
    def _a_symbol_a_file(self) -> "PreviewForm":
        files, symbols = len(self.files), len((self.symbols or "").split(","))
        if self.symbols is not None and files != symbols:
            raise ValueError(f"expected {files} symbols, one for each file, received {symbols}")
        return self

    def upload(self, most_bytes: int) -> Upload:
        """Return the upload, named after its first file, with a limit on its unpacked bytes."""
        symbols: Sequence[str | None] = self.symbols.split(",") if self.symbols else [None] * len(self.files)
        sources = [
            FileSource(_file_name(file.filename), file.file, symbol)
            for file, symbol in zip(self.files, symbols, strict=True)
        ]
        options = ReadOptions(
            zone=self.zone,
            mapping=self.mapping or {},
            delimiter=self.delimiter,
            decimal=self.decimal,
            time_unit=self.time_unit,
            time_format=self.time_format,
            thousands=self.thousands,
            date_order=self.date_order,
        )
        return Upload(sources[0].name.partition(".")[0], sources, options, most_bytes * UNPACKED_TIMES)


class UploadForm(PreviewForm):
    """A dataset to be."""

    name: Annotated[
        Annotated[str, AfterValidator(_name)] | None,
        Field(description="What to call it; without it as its first file.", examples=["btc-eth-2021"]),
    ] = None

    @model_validator(mode="after")
    def _has_a_name(self) -> "UploadForm":
        if self.name is None:
            _name(_file_name(self.files[0].filename).partition(".")[0])
        return self

    def upload(self, most_bytes: int) -> Upload:
        """Return the upload to store."""
        upload = super().upload(most_bytes)
        upload.name = self.name or upload.name
        return upload


def _file_name(name: str | None) -> str:
    last = re.split(r"[/\\]", name or "")[-1]
    return "".join(character for character in last if character.isprintable())[:200] or "file"
