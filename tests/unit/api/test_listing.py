"""CSV that every reader reads back, and that no spreadsheet executes."""

import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from services.api.listing import as_csv, preferred


class Inner(BaseModel):
    """A record within a record."""

    price: float | None


class Outer(BaseModel):
    """One column of each kind."""

    text: str | None
    number: float | None
    flag: bool
    inner: Inner | None


def read(rows: list[dict[str, object]]) -> list[dict[str, str]]:
    text = "".join(as_csv(Outer, rows))
    return list(csv.DictReader(io.StringIO(text, newline="")))


def outer(text: object = None, number: object = None, inner: object = None) -> dict[str, object]:
    return {"text": text, "number": number, "flag": True, "inner": inner}


@given(st.lists(st.tuples(st.text(), st.floats(allow_nan=False, allow_infinity=False)), max_size=5))
def test_every_text_and_every_number_come_back(cells: list[tuple[str, float]]) -> None:
    rows = read([outer(text, number) for text, number in cells])
    for row, (text, number) in zip(rows, cells, strict=True):
        assert row["text"] in (text, f"'{text}")
        assert float(row["number"]) == number


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "--1", "-"]
)
def test_a_formula_is_made_text(text: str) -> None:
    assert read([outer(text)])[0]["text"] == f"'{text}"


@pytest.mark.parametrize("text", ["-1", "+1.5", "-.5e-3", "1-2", "a=b", "", "ETHUSDT-BTCUSDT"])
def test_a_number_and_a_harmless_text_stay_as_they_are(text: str) -> None:
    assert read([outer(text)])[0]["text"] == text


def test_a_negative_number_is_no_formula() -> None:
    assert read([outer(number=-1.5)])[0]["number"] == "-1.5"


def test_quotes_commas_and_line_breaks_are_quoted_as_in_rfc_4180() -> None:
    assert "".join(as_csv(Outer, [outer('a "b", c\nd', 1.0)])) == (
        'text,number,flag,inner_price\r\n"a ""b"", c\nd",1.0,true,\r\n'
    )


def test_what_is_no_number_is_empty_and_a_record_within_becomes_columns() -> None:
    rows = read([outer(number=math.nan), outer(number=math.inf, inner={"price": 2.5})])
    assert [(row["number"], row["inner_price"]) for row in rows] == [("", ""), ("", "2.5")]


def test_the_header_is_there_without_rows_and_once_with_many() -> None:
    assert "".join(as_csv(Outer, [])) == "text,number,flag,inner_price\r\n"
    parts = list(as_csv(Outer, [outer("x")] * 1_200))
    assert len(parts) > 3
    assert "".join(parts).count("text") == 1
    assert "".join(parts).count("\r\n") == 1_201


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV; charset=utf-8", "csv"),
        ("text/csv;q=0.5, application/json;q=0.4", "csv"),
        ("application/json, text/csv;q=0.9", "json"),
        ("text/csv, application/json", "json"),
        ("text/csv;q=0", "json"),
        ("text/csv;q=high", "json"),
        ("text/csv;q=nan", "json"),
    ],
)
def test_the_accept_header_decides(accept: str, expected: str) -> None:
    assert preferred(accept) == expected
