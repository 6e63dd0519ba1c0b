"""Lines of bars as people write them."""

import contextlib
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.common.compressed_files import FileError
from services.datasets.dialect import names_bars
from services.datasets.options import ReadOptions
from services.datasets.rows import DatasetBar, RowProblem
from tests.unit.datasets.reading import read

START_US = 1_767_225_600_000_000


@pytest.mark.parametrize(
    "time",
    [
        "1767225600",
        "1767225600000",
        "1767225600000000",
        "1767225600000000000",
        "1767225600.0",
        "20260101",
        "2026-01-01",
        "2026.01.01",
        "2026/01/01 00:00",
        "20260101 000000",
        "2026-01-01 00:00:00",
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00+01:00",
    ],
)
@pytest.mark.parametrize("times", [1, 40])
def test_times_of_every_kind(time: str, times: int) -> None:
    text = "\ufeffVolume,Close,High,Low,Open,Date\n" + f"7,2,3,1,1.5,{time}\n" * times
    bars, damages = read(text)
    assert bars == [DatasetBar(n + 2, "BTCUSDT", START_US, 1.5, 3.0, 1.0, 2.0, 7.0) for n in range(times)]
    assert damages == []


def test_a_kline_without_a_header() -> None:
    text = "1767225600000,1.5,3,1,2,7,1767229199999,10,3,4,5,0\n"
    assert read(text, symbol="ETHUSDT")[0] == [DatasetBar(1, "ETHUSDT", START_US, 1.5, 3.0, 1.0, 2.0, 7.0)]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("symbol,time,open,high,low,close\nbtc/usdt,2026-01-01,1,1,1,1", ReadOptions()),
        ("https://example.com\nunix,date,Ticker,close\n1767225600,x,BTC-USDT,1", ReadOptions()),
        ("<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\n2026.01.01\t00:00\t1\t1\t1\t1", ReadOptions()),
        ("Date;Open;High;Low;Close\n2026-01-01;1,0;1;1;1", ReadOptions()),
        ('"Date","Close","Volume (BTC)"\n"2026-01-01","1.0",""', ReadOptions()),
        ("date,time,close\n2026-01-01 00:00,1767225600,1", ReadOptions()),
        ("2026.01.01,00:00,1", ReadOptions(mapping={"time": 1, "clock": 2, "close": 3})),
        (
            "when|last\n01/01/26|1",
            ReadOptions(mapping={"time": "when", "close": "last"}, time_format="%d/%m/%y"),
        ),
        (
            "Date,Close,Adj Close\n2025-12-31 19:00,2,1",
            ReadOptions(mapping={"close": "Adj Close"}, zone="Etc/GMT+5"),
        ),
        ("t,c\n1767225600000,1", ReadOptions(time_unit="ms")),
        ("time;close\n2026-01-01;1,000", ReadOptions(decimal=",")),
    ],
)
def test_columns_under_every_name(text: str, options: ReadOptions) -> None:
    (bar,), damages = read(text, options)
    assert bar[1:] == ("BTCUSDT", START_US, 1.0, 1.0, 1.0, 1.0, None)
    assert damages == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2026-01-01,2,1,1,1,1", "expected 0 < low <= open, close <= high"),
        ("2026-01-01,0,1,0,1,1", "expected 0 < low"),
        ("2026-01-01,nan,1,1,1,1", "expected a number such as 64123.4, received 'nan'"),
        ("2026-01-01,1_0,10,10,10,1", "expected a number such as"),
        ("2026-01-01,1,1,1,1,-1", "expected a number from 0"),
        ("2026-01-01,1,1,1,1,1e20", "expected a number from 0"),
        ("2026-01-01,1,1,1", "expected 6 columns, received 4"),
        ("2026-01-01,1,1,1,1,1,1", "expected 6 columns, received 7"),
        ('"2026-01-01,1,1,1,1,1', "expected 6 columns, received 1"),
        ("yesterday,1,1,1,1,1", "expected a time, received 'yesterday'"),
        ("99999999999999999999999,1,1,1,1,1", "expected a time from 1970"),
    ],
)
@pytest.mark.parametrize("before", [1, 500])
def test_a_line_that_is_no_bar_is_told_by_its_number(line: str, reason: str, before: int) -> None:
    good = "2026-01-01,1,1,1,1,1\n"
    bars, damages = read(f"time,open,high,low,close,volume\n{good * before}{line}\n{good}")
    assert [bar.line for bar in bars] == [*range(2, before + 2), before + 3]
    assert [damage.line for damage in damages] == [before + 2]
    assert reason in damages[0].reason


def test_hours_that_a_zone_had_never_or_twice() -> None:
    text = "time,close\n2024-03-31 02:30,1\n2024-10-27 02:30,1\n2024-07-01 02:00,1\n"
    (bar,), damages = read(text * 1, ReadOptions(zone="Europe/Berlin"))
    assert bar.start_us == 1_719_792_000_000_000
    assert [damage.line for damage in damages] == [2, 3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        ("time,open,high,low\n2026,1,2,3\n", "received 4 columns"),
        ("close\n1\n", "received one column"),
        ("time,close\n", "behind line 1, received none"),
        ("a,b\rc,d\r", "CR alone"),
        ("time;close\n2026-01-01;64,123\n", "decimal="),
        ("time,close,close\n1,2,3\n", "received 2"),
        ('{"bars": [{"time": 1, "close": 2}\n', "cut off"),
        ('{"bars": []}\n', "received none"),
    ],
)
def test_a_file_that_is_no_file_of_bars(text: str, words: str) -> None:
    with pytest.raises(FileError, match=words) as error:
        read(text)
    assert str(error.value).startswith("BTCUSDT-1m.csv")


def test_a_file_whose_symbol_nobody_says() -> None:
    with pytest.raises(FileError, match="expected a symbol"):
        read("time,close\n2026-01-01,1\n", name="+.csv")


@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf")
@example(b"PK\x05\x06" + bytes(18))
@example(b'"\ntime,close\n')
@example(b"1,2,3,4,5,6,7,8,9,1,2,3\n\x00")
def test_any_bytes_are_bars_or_damages_or_one_clear_error(content: bytes) -> None:
    names_bars(content, ReadOptions())
    with contextlib.suppress(FileError):
        read(content)


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=200))
def test_any_text_behind_a_header_is_bars_or_damages(text: str) -> None:
    bars, damages = read(f"time,open,high,low,close\n2026-01-01,1,1,1,1\n{text}")
    assert bars
    assert all(isinstance(one, RowProblem) for one in damages)
    assert json.dumps([damage.reason for damage in damages])
