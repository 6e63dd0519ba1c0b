"""Blocks of bars: at once or line by line, a table is read back as written, in every dialect."""

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.clock import to_iso
from services.common.compressed_files import FileError
from services.datasets import blocks
from services.datasets.options import DELIMITERS, Delimiter, ReadOptions, TimeUnit
from services.datasets.rows import DatasetBar
from tests.unit.datasets.reading import read

PRICES = st.floats(1e-6, 1e6, allow_nan=False)
PER_UNIT: dict[TimeUnit, int] = {"s": 10**6, "ms": 10**3, "us": 1}


@st.composite
def bars(draw: st.DrawFn) -> DatasetBar:
    low, opened, close, high = sorted(draw(st.tuples(PRICES, PRICES, PRICES, PRICES)))
    seconds = draw(st.integers(1_230_768_000, 1_790_000_000))
    volume = draw(st.none() | st.floats(0, 1e9))
    symbol = draw(st.sampled_from(["BTCUSDT", "ETHUSDT", "SOLUSDT.OKX"]))
    return DatasetBar(0, symbol, seconds * 10**6, opened, high, low, close, volume)


def written(
    table: Sequence[DatasetBar], delimiter: Delimiter, decimal: str, time: str, quoted: bool, end: str
) -> str:
    text = io.StringIO()
    writer = csv.writer(
        text,
        delimiter=DELIMITERS[delimiter],
        quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL,
        lineterminator=end,
    )
    writer.writerow(["note", "Symbol", "Volume", "Close", "Low", "High", "Open", "Time"])
    for bar in table:
        iso = to_iso(bar.start_us)
        moment = {"iso": iso, "naive": iso[:19].replace("T", " "), "zoned": f"{iso[:-1]}+00:00"}.get(time)
        if moment is None:
            moment = str(bar.start_us // next(per for unit, per in PER_UNIT.items() if unit == time))
        numbers = [
            "" if value is None else repr(value).replace(".", decimal)
            for value in (bar.volume, bar.close, bar.low, bar.high, bar.open)
        ]
        writer.writerow(["=x", bar.symbol, *numbers, moment])
    return text.getvalue()


@given(
    table=st.lists(bars(), min_size=1, max_size=120),
    delimiter=st.sampled_from(list(DELIMITERS)),
    decimal=st.sampled_from([".", ","]),
    time=st.sampled_from(["iso", "naive", "zoned", "s", "ms", "us"]),
    quoted=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
    spoiled=st.lists(st.integers(0, 119), max_size=3),
)
@settings(max_examples=100, deadline=None)
def test_what_was_written_comes_back(
    table: list[DatasetBar],
    delimiter: Delimiter,
    decimal: str,
    time: str,
    quoted: bool,
    end: str,
    spoiled: list[int],
) -> None:
    quoted = quoted or (delimiter == "comma" and decimal == ",")
    lines = written(table, delimiter, decimal, time, quoted, end).split(end)
    bad = {n for n in spoiled if n < len(table)}
    for n in bad:
        lines[n + 1] = "rubbish"
    options = ReadOptions(delimiter=delimiter, decimal="." if decimal == "." else ",")
    if len(bad) == len(table):
        with pytest.raises(FileError):
            read(end.join(lines), options)
        return
    found, damages = read(end.join(lines), options)
    assert found == [bar._replace(line=n + 2) for n, bar in enumerate(table) if n not in bad]
    assert [damage.line for damage in damages] == [n + 2 for n in sorted(bad)]


NUMBERS = ["1", "1.5", "+2", ".5", "1e3", "-0", "0", "nan", "inf", "1_0", "0x1", " 1 ", "", "1,5", "٣", "NA"]
QUOTED = ['"1"', '"1']
TIMES = ["2026-01-01", "2026-01-01 24:00", "2026-1-1", "2026-02-30", "2026-01-01T00:00:00.123456789"]
ZONED = ["2026-01-01T00:00:00Z", "2026-01-01T00:00+0130"]
SINCE_1970 = ["20260101", "1767225600", "1767225600000", "-1", "1e10"]
CELLS = st.sampled_from([*NUMBERS, *QUOTED, *TIMES, *ZONED, *SINCE_1970])


@given(
    rows=st.lists(st.lists(CELLS, min_size=6, max_size=6), min_size=1, max_size=80), plain=st.integers(1, 80)
)
@settings(max_examples=200, deadline=None)
def test_at_once_is_the_same_as_line_by_line(rows: list[list[str]], plain: int) -> None:
    good = "2026-01-01,1,1,1,1,1\n"
    text = "time,open,high,low,close,volume\n" + good * plain + "\n".join(",".join(row) for row in rows)
    fast = read(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_FEW_LINES", 10**9)
        assert read(text) == fast


@given(size=st.integers(40, 400), rows=st.integers(1, 60))
def test_blocks_of_any_size_are_the_same(size: int, rows: int) -> None:
    text = "time,close\n" + "".join(f"2026-01-01 00:00:{n:02},{n + 1}\n" for n in range(rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_BYTES", size)
        found, damages = read(text)
    assert [(bar.line, bar.close) for bar in found] == [(n + 2, n + 1) for n in range(rows)]
    assert damages == []


def test_bounds_of_lines_and_symbols() -> None:
    with pytest.raises(FileError, match=r"BTCUSDT-1m.csv:3: expected lines of at most"):
        read("time,close\n2026-01-01,1\n" + "x" * 2_000_000)
    many = "".join(f"X{n},2026-01-01,1\n" for n in range(blocks.MOST_SYMBOLS + 10))
    with pytest.raises(FileError, match="symbols"):
        read("symbol,time,close\n" + many)
