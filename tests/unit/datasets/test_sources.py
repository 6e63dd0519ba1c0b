"""Files in an upload: each sheet of a spreadsheet, and two files of one symbol."""

import io
import re
import zipfile
from collections.abc import Sequence

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.compressed_files import FileError
from services.datasets.preview import LOOKED_AT_LINES, preview
from services.datasets.questions import UnclearFileError
from services.datasets.sources import FileSource, Upload

HEADER = ("time", "open", "high", "low", "close", "volume")
BARS = [
    HEADER,
    *((f"2024-01-15 10:{minute:02}", 100 + minute, 102 + minute, 99, 101, 5) for minute in range(6)),
]
OTHERS = [
    HEADER,
    *((time, opened, high, low, 100.5, volume) for time, opened, high, low, _, volume in BARS[1:]),
]
NOTES = [("made by", "me"), ("on", "a Monday")]


def workbook(**sheets: Sequence[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def upload(*files: tuple[str, bytes], symbol: str | None = None) -> Upload:
    return Upload("test", [FileSource(name, io.BytesIO(content), symbol) for name, content in files])


def csv(rows: Sequence[Sequence[object]]) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in rows).encode()


def test_each_sheet_of_bars_is_read_by_its_name() -> None:
    found = preview(upload(("prices.xlsx", workbook(BTCUSDT=BARS, empty=[], ETHUSDT=OTHERS))))
    assert [(one.name, one.symbol) for one in found.files] == [
        ("prices.xlsx/BTCUSDT", "BTCUSDT"),
        ("prices.xlsx/ETHUSDT", "ETHUSDT"),
    ]
    assert (found.symbols, found.lines) == (["BTCUSDT", "ETHUSDT"], 14)


def test_a_sheet_that_is_not_read_is_named() -> None:
    (found,) = preview(upload(("BTCUSDT.xlsx", workbook(Sheet1=BARS, Notes=NOTES)))).files
    assert (found.name, found.symbol) == ("BTCUSDT.xlsx", "BTCUSDT")
    assert "sheet Notes: no columns of bars, not read" in found.notes


@pytest.mark.parametrize("symbol", [None, "BTCUSDT"])
def test_sheets_of_one_symbol_with_other_prices_are_asked(symbol: str | None) -> None:
    with pytest.raises(UnclearFileError, match="BTCUSDT with other prices at 5 of 6 times"):
        preview(
            upload(
                ("BTCUSDT.xlsx", workbook(Sheet1=BARS, Sheet2=[HEADER, BARS[1], *OTHERS[2:]])), symbol=symbol
            )
        )


def test_each_sheet_of_a_packed_spreadsheet_is_read() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as folder:
        folder.writestr("prices.xlsx", workbook(BTCUSDT=BARS, ETHUSDT=OTHERS))
    assert preview(upload(("prices.zip", packed.getvalue()))).symbols == ["BTCUSDT", "ETHUSDT"]


def test_an_empty_zip_is_refused() -> None:
    zipfile.ZipFile(packed := io.BytesIO(), "w").close()
    with pytest.raises(FileError, match="expected a file in the zip, received none"):
        preview(upload(("BTCUSDT.zip", packed.getvalue())))


@given(st.integers(0, 6), st.permutations(range(6)))
def test_files_of_one_symbol_are_compared_at_the_times_both_have(unlike: int, order: list[int]) -> None:
    rows = [OTHERS[1 + nth] if nth < unlike else BARS[1 + nth] for nth in range(6)]
    files = [("BTCUSDT-1h.csv", csv(BARS)), ("BTCUSDT-60.csv", csv([HEADER, *(rows[nth] for nth in order)]))]
    if 2 * unlike >= 6:
        with pytest.raises(UnclearFileError, match=f"at {unlike} of 6 times") as error:
            preview(upload(*files))
        assert (error.value.name, error.value.line) == ("BTCUSDT-60.csv", 2)
    else:
        assert np.diff([one.start_us for one in preview(upload(*files)).bars[:6]]).min() > 0


def test_every_file_of_a_zip_of_large_files_is_read() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as folder:
        for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
            folder.writestr(f"{symbol}-1m.csv", csv([HEADER, *BARS[1:] * 8_000]))
    found = preview(upload(("coins.zip", packed.getvalue())))
    assert [one.symbol for one in found.files] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert found.lines < 3 * LOOKED_AT_LINES


def test_a_sheet_that_does_not_say_its_size_is_read_no_further_than_it_is_shown() -> None:
    rows = "".join(
        f"<row><c><v>{n}</v></c><c><v>1.5</v></c></row>" for n in range(1_700_000_000, 1_700_200_000)
    )
    sheet = workbook(BTCUSDT=[("time", "close"), (1_700_000_000, 1)])
    content = CountedReads()
    with zipfile.ZipFile(io.BytesIO(sheet)) as book, zipfile.ZipFile(content, "w") as made:
        for name in book.namelist():
            text = book.read(name)
            if name.startswith("xl/worksheets/"):
                text = re.sub(rb"<dimension[^>]*/>", b"", text).replace(
                    b"</row></sheetData>", b"</row>" + rows.encode() + b"</sheetData>"
                )
            made.writestr(name, text)
    content.read_bytes = 0
    found = preview(Upload("test", [FileSource("BTCUSDT.xlsx", content)]))
    assert (found.symbols, found.complete) == (["BTCUSDT"], False)
    assert content.read_bytes < len(content.getvalue()) / 2


class CountedReads(io.BytesIO):
    """Counts what is read."""

    read_bytes = 0

    def read(self, size: int | None = -1) -> bytes:
        part = super().read(size)
        self.read_bytes += len(part)
        return part
