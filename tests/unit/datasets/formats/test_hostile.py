"""Files made to take much memory, or that are cut off: one clear error, or their bars."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.compressed_files import FileError
from tests.unit.datasets.reading import read

SHEET = "xl/worksheets/sheet1.xml"
END = b"</sheetData>"


def spreadsheet(change: Callable[[bytes], bytes]) -> bytes:
    """Return a spreadsheet of one bar whose sheet has been changed."""
    book = openpyxl.Workbook()
    for row in (["time", "close"], [1_600_000_000, 1]):
        book.active.append(row)
    book.save(whole := io.BytesIO())
    with zipfile.ZipFile(whole) as folder, zipfile.ZipFile(packed := io.BytesIO(), "w", 8) as changed:
        for name in folder.namelist():
            part = folder.read(name)
            changed.writestr(name, change(part) if name == SHEET else part)
    return packed.getvalue()


def row(text: bytes) -> Callable[[bytes], bytes]:
    return lambda sheet: sheet.replace(END, text + END)


def parquet(**columns: pa.Array) -> bytes:
    pa.parquet.write_table(pa.table(columns), made := io.BytesIO())
    return made.getvalue()


TEXT = b'<row r="3"><c r="A3" t="inlineStr"><is><t>' + b"x" * 20_000_000 + b"</t></is></c></row>"
LONG = pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int8()), pa.array(["x" * 5_000]))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("BTCUSDT.xlsx", spreadsheet(row(TEXT)), "rows of at most 8 MiB"),
        (
            "BTCUSDT.xlsx",
            spreadsheet(row(b"<row>" + b"<c/>" * 5_000_000 + b"</row>")),
            "rows of at most 8 MiB",
        ),
        ("BTCUSDT.xlsx", spreadsheet(lambda sheet: b"<!DOCTYPE a>" + sheet), "without declarations"),
        ("BTCUSDT.xlsx", spreadsheet(lambda sheet: sheet[:100]), "spreadsheet that can be read"),
        ("BTCUSDT.parquet", b"PAR1" + b"\xff" * 100 + b"PAR1", "Parquet that can be read"),
        (
            "BTCUSDT.parquet",
            parquet(time=pa.array([1_600_000_000] * 2), close=pa.array([1.0, 2.0]), note=LONG),
            "texts of at most 4,096 bytes",
        ),
        ("BTCUSDT.json", gzip.compress(b'[["' + b"x" * 2_000_000), "values of at most"),
        ("BTCUSDT.json", b"[" * 10_000, "received none|cut off"),
        ("BTCUSDT.json", b"[[1600000000,1,1,1,1,1],[1600000060,1,1,1", "cut off"),
        ("BTCUSDT.json", b"[[1600000000,1,1,1,1,1]]]", "bracket too many"),
        ("BTCUSDT.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 100, "before 2007"),
    ],
)
def test_what_takes_too_much_is_refused(name: str, content: bytes, words: str) -> None:
    with pytest.raises(FileError, match=words):
        read(content, name=name)


@pytest.mark.parametrize("far", ["1048576", "99999999999"])
def test_rows_far_below_do_not_take_long(far: str) -> None:
    bars, _ = read(
        spreadsheet(row(f'<row r="{far}"><c r="A{far}"><v>1</v></c></row>'.encode())), name="BTCUSDT.xlsx"
    )
    assert [bar.close for bar in bars] == [1]


@given(
    rows=st.lists(
        st.lists(st.integers(1, 9) | st.just("5.5"), min_size=5, max_size=5), min_size=1, max_size=30
    ),
    outside=st.sampled_from(
        ["%s", '{"note": "[[1],{", "data": %s}', '{"a": {"b": [], "list": %s}, "end": 1}']
    ),
    part=st.integers(1, 200),
)
@settings(deadline=None)
def test_rows_are_found_wherever_they_stand_in_a_document(
    rows: list[list[int | str]], outside: str, part: int
) -> None:
    flat = [[1_600_000_000 + 60 * n, 5, 9, 1, 5, *values] for n, values in enumerate(rows)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.datasets.formats.json_rows._BYTES", part)
        patch.setattr("services.datasets.formats.opening._LOOK_BYTES", part + 8)
        bars, damages = read(outside % json.dumps(flat))
    assert [bar.start_us // 1_000_000 for bar in bars] == [one[0] for one in flat]
    assert damages == []
