"""Export file: every value exact, and no file at all unless it is complete."""

import csv
import gzip
from pathlib import Path

import pyarrow.parquet
import pytest

from services.cli.export.file import SUFFIXES, created
from services.common.errors import FatalError

COLUMNS = [
    ("symbol", 25),
    ("event_us", 1184),
    ("price", 701),
    ("count", 20),
    ("window", 23),
    ("repaired", 16),
]
ROWS = [
    ("BTCUSDT", 1_767_225_600_000_001, 0.1 + 0.2, 2**60, 7, True),
    ('a "b", c', 0, None, None, None, None),
]
TEXT = [
    ["symbol", "event_time", "price", "count", "window", "repaired"],
    ["BTCUSDT", "2026-01-01T00:00:00.000001Z", "0.30000000000000004", str(2**60), "7", "true"],
    ['a "b", c', "1970-01-01T00:00:00.000000Z", "", "", "", ""],
]


def export(path: Path, replace: bool = False) -> None:
    with created(path, replace) as file:
        for row in ROWS:
            file.begin(COLUMNS)
            file.write([row])
        assert file.rows == len(ROWS)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_csv_has_iso_times_and_exact_numbers(tmp_path: Path, name: str) -> None:
    export(tmp_path / name)
    raw = (tmp_path / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith("gz") else raw).decode()
    assert list(csv.reader(text.splitlines())) == TEXT


def test_parquet_keeps_types(tmp_path: Path) -> None:
    export(tmp_path / "a.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    assert [str(field.type) for field in table.schema] == [
        *("string", "timestamp[us, tz=UTC]", "double", "int64", "int32", "bool")
    ]
    rows = [(row["symbol"], row["price"], row["count"], row["window"]) for row in table.to_pylist()]
    assert rows == [(row[0], *row[2:5]) for row in ROWS]
    assert table["event_time"].cast("int64").to_pylist() == [row[1] for row in ROWS]


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("mine")
    with pytest.raises(FatalError, match="--force"):
        export(path)
    assert path.read_text() == "mine"
    export(path, replace=True)
    assert path.read_text() != "mine"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_export_that_fails_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    def fail() -> None:
        with created(tmp_path / f"a{suffix}", replace=False) as file:
            file.begin(COLUMNS)
            file.write(ROWS)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.xlsx", "missing/a.csv"])
def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(FatalError, match="expected"):
        export(tmp_path / name)
