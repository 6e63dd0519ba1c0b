"""Bars as people write them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import FatalError
from services.ingest.feeds.archive_rows import Damage
from services.local.importing_ohlcv import Bar, bars, is_ohlcv

START_US = 1_767_225_600_000_000


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return path


@pytest.mark.parametrize(
    "time",
    [
        "1767225600",
        "1767225600000",
        "1767225600000000",
        "1767225600000000000",
        "1767225600.0",
        "2026-01-01",
        "2026-01-01 00:00:00",
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00+01:00",
    ],
)
def test_times_of_every_kind(tmp_path: Path, time: str) -> None:
    path = written(tmp_path / "BTCUSDT-1m.csv", "Volume,Close,High,Low,Open,Date", f"7,2,3,1,1.5,{time}")
    assert is_ohlcv(path)
    assert list(bars(path, None)) == [Bar(2, "BTCUSDT", START_US, 1.5, 3.0, 1.0, 2.0, 7.0)]


def test_a_kline_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "ETHUSDT-1h-2021-01.csv"
    path.write_text("1767225600000,1.5,3,1,2,7,1767229199999,10,3,4,5,0\n")
    assert is_ohlcv(path)
    assert list(bars(path, "BTCUSDT")) == [Bar(1, "BTCUSDT", START_US, 1.5, 3.0, 1.0, 2.0, 7.0)]


def test_a_column_says_the_symbol_and_volume_may_be_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "symbol,time,open,high,low,close", "btcusdt,2026-01-01,1,1,1,1")
    assert list(bars(path, None)) == [Bar(2, "BTCUSDT", START_US, 1.0, 1.0, 1.0, 1.0, None)]


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-01,2,1,1,1,1",  # high below open
        "2026-01-01,0,1,0,1,1",
        "2026-01-01,nan,1,1,1,1",
        "2026-01-01,1,1,1,1,-1",
        "2026-01-01,1,1,1",
        "yesterday,1,1,1,1,1",
        "99999999999999999999999,1,1,1,1,1",
    ],
)
def test_a_line_that_is_no_bar_is_told_by_its_number(tmp_path: Path, line: str) -> None:
    path = written(tmp_path / "BTCUSDT.csv", "time,open,high,low,close,volume", line, "2026-01-01,1,1,1,1,1")
    damage, bar = bars(path, None)
    assert isinstance(damage, Damage)
    assert isinstance(bar, Bar)
    assert (damage.number, bar.line) == (2, 3)


def test_a_file_whose_symbol_nobody_says(tmp_path: Path) -> None:
    path = written(tmp_path / "+.csv", "time,open,high,low,close", "2026-01-01,1,1,1,1")
    with pytest.raises(FatalError, match="--symbol"):
        list(bars(path, None))


@given(st.text(max_size=200))
def test_any_text_is_bars_or_damage_or_neither(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("ohlcv") / "BTCUSDT.csv"
    path.write_text(f"time,open,high,low,close\n{text}", encoding="utf-8")
    assert is_ohlcv(path)
    assert all(isinstance(one, Bar | Damage) for one in bars(path, None))
