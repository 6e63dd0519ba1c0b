"""JSON, CSV and Parquet of the same rows hold the same; spreadsheets read the CSV and execute none of it."""

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from services.api.models.base import EpochUs, IsoTime
from services.api.serialization.columns import columns
from services.api.serialization.encoders import CsvEncoder, Encoder, JsonEncoder, ParquetEncoder
from services.api.serialization.rows import JsonRecords, Row, row
from services.api.time_parameters import LATEST_US


class Inner(BaseModel):
    """A record within a record."""

    price: float | None


class Outer(BaseModel):
    """One column of each kind."""

    text: str | None
    number: float | None
    whole: int | None
    flag: bool | None
    event_us: EpochUs | None
    event_time: IsoTime | None
    inner: Inner | None


HEADER = "text,number,whole,flag,event_us,event_time,inner_price\r\n"
FLOATS = st.none() | st.floats()
ROWS = st.builds(
    lambda inner, **fields: row(fields.items()) | {"inner": inner},
    text=st.none() | st.text(st.characters(codec="utf-8")),
    number=FLOATS,
    whole=st.none() | st.integers(-(2**63), 2**63 - 1),
    flag=st.none() | st.booleans(),
    event_us=st.none() | st.integers(0, LATEST_US),
    inner=st.none() | st.builds(lambda price: {"price": price}, FLOATS),
)


def document(encoder: Encoder, *parts: Sequence[Row]) -> bytes:
    return b"".join([*(encoder.encode(JsonRecords.of(part)) for part in parts), encoder.finish()])


def as_csv(*rows: Row) -> str:
    return document(CsvEncoder(Outer), rows).decode()


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def outer(text: object = None, number: object = None, inner: object = None) -> Row:
    fields = {"text": text, "number": number, "whole": None, "flag": True, "event_us": None}
    return row(fields.items()) | {"inner": inner}


def flat(record: dict[str, Any]) -> dict[str, Any]:
    inner = record.pop("inner")
    return record | {"inner_price": inner and inner["price"]}


@settings(deadline=None)
@given(st.lists(st.lists(ROWS, max_size=4), max_size=4))
def test_the_three_forms_say_the_same_however_the_rows_come(parts: list[list[Row]]) -> None:
    told = json.loads(document(JsonEncoder({"feed": "live"}), *parts))
    assert told["feed"] == "live"
    records = [flat(record) for record in told["data"]]
    assert len(records) == sum(map(len, parts))

    table = pyarrow.parquet.read_table(io.BytesIO(document(ParquetEncoder(Outer, {}), *parts)))
    assert [str(field.type) for field in table.schema] == [
        *("string", "double", "int64", "bool", "int64", "timestamp[us, tz=UTC]", "double")
    ]
    times = table["event_time"].cast("int64").to_pylist()
    plain = table.drop_columns(["event_time"]).to_pylist()
    assert plain == [{k: v for k, v in one.items() if k != "event_time"} for one in records]
    assert times == [one["event_us"] for one in records]

    lines = read_csv(document(CsvEncoder(Outer), *parts).decode())
    assert len(lines) == len(records)
    for line, record in zip(lines, records, strict=True):
        for name, value in record.items():
            match value:
                case None:
                    assert line[name] == ""
                case bool():
                    assert line[name] == str(value).lower()
                case str():
                    assert line[name] in (value, f"'{value}")
                case int():
                    assert int(line[name]) == value
                case _:
                    assert float(line[name]) == value


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "--1", "-"]
)
def test_a_formula_is_made_text(text: str) -> None:
    assert read_csv(as_csv(outer(text)))[0]["text"] == f"'{text}"


@pytest.mark.parametrize("text", ["-1", "+1.5", "-.5e-3", "1-2", "a=b", "", "ETHUSDT-BTCUSDT"])
def test_a_number_and_a_harmless_text_stay_as_they_are(text: str) -> None:
    assert read_csv(as_csv(outer(text)))[0]["text"] == text


def test_a_negative_number_is_no_formula() -> None:
    assert read_csv(as_csv(outer(number=-1.5)))[0]["number"] == "-1.5"


def test_quotes_commas_and_line_breaks_are_quoted_as_in_rfc_4180() -> None:
    assert as_csv(outer('a "b", c\nd', 1.0)) == f'{HEADER}"a ""b"", c\nd",1.0,,true,,,\r\n'


def test_what_is_no_number_is_empty_and_a_record_within_becomes_columns() -> None:
    rows = read_csv(as_csv(outer(number=math.nan), outer(number=math.inf, inner={"price": 2.5})))
    assert [(one["number"], one["inner_price"]) for one in rows] == [("", ""), ("", "2.5")]


class Tagged(BaseModel):
    """A map in a column."""

    labels: dict[str, str] | None


@given(st.lists(st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3)))
def test_a_map_is_json_in_its_column(maps: list[dict[str, str] | None]) -> None:
    rows: list[Row] = [{"labels": one} for one in maps]
    (as_csv, as_parquet) = (
        document(encoder, rows) for encoder in (CsvEncoder(Tagged), ParquetEncoder(Tagged, {}))
    )
    lines = [one["labels"] for one in read_csv(as_csv.decode())]
    cells = pyarrow.parquet.read_table(io.BytesIO(as_parquet))["labels"].to_pylist()
    assert [cell and json.loads(cell) for cell in cells] == maps
    assert [json.loads(line) for line in lines if line] == [one for one in maps if one is not None]


def test_without_rows_each_is_a_document_still() -> None:
    assert as_csv() == HEADER
    assert document(JsonEncoder({"feed": None})) == b'{"feed":null,"data":[]}'
    assert pyarrow.parquet.read_table(io.BytesIO(document(ParquetEncoder(Outer, {})))).num_rows == 0


def test_parquet_comes_in_row_groups_and_tells_what_it_is_about() -> None:
    encoder, rows = ParquetEncoder(Outer, {"symbol": "BTCUSDT"}), JsonRecords.of([outer("a", 0.5)] * 10_000)
    parts = [encoder.encode(rows) for _ in range(7)]
    assert [number for number, part in enumerate(parts) if len(part) > 100] == [1, 3, 5]
    file = pyarrow.parquet.ParquetFile(io.BytesIO(b"".join([*parts, encoder.finish()])))
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [
        *(20_000, 20_000, 20_000, 10_000)
    ]
    assert file.schema_arrow.metadata[b"pairstream.symbol"] == b"BTCUSDT"


def test_a_field_that_no_column_can_hold_is_refused() -> None:
    class Odd(BaseModel):
        many: set[int]

    with pytest.raises(TypeError, match=r"Odd\.many: expected what a table can hold"):
        columns(Odd)
