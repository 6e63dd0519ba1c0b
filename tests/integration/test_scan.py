"""scan as a command on the embedded database: the funnel, the pairs, and what is refused."""

import csv
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from services.cli.__main__ import main
from tests.integration.test_import import Commands
from tests.unit.quant.scan.test_scan import planted

pytestmark = pytest.mark.integration

SYMBOLS = [f"{letter}{letter}{letter}USDT" for letter in "ABCDEFGHIJKL"]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    """Return what runs a command."""
    monkeypatch.setenv("PAIRSTREAM_DATABASE_URL", database_url)
    return Commands(monkeypatch, capsys)


def fill(url: str) -> None:
    """Store a minute bar of each symbol at each time, but for one symbol every second one."""
    start, prices = datetime(2026, 1, 1, tzinfo=UTC), planted(3)
    with (
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
        cursor.copy(
            "COPY ohlc_1m (symbol, ts, open, high, low, close, volume, quote_volume, trade_count, first_id, last_id) "
            "FROM STDIN"
        ) as copy,
    ):
        for at, row in enumerate(prices.tolist()):
            for number, (symbol, price) in enumerate(zip(SYMBOLS, row, strict=True)):
                if symbol == "LLLUSDT" and at % 2:
                    continue
                moment = start + timedelta(minutes=at)
                copy.write_row(
                    (symbol, moment, price, price, price, price, 1.0, price, 1, at, at + number * 0)
                )


def test_a_scan_says_how_many_it_tried_and_which_it_found(
    tmp_path: Path, database_url: str, run: Commands
) -> None:
    fill(database_url)
    out = tmp_path / "pairs.csv"
    said = run("scan", "--transform", "price", "--output", out)
    assert "LLLUSDT is left out: bars at 600 of 1,200 times" in said
    assert "11 symbols, 840 bars and 360 held out" in said
    assert "55 pairs tried:" in said
    assert "2 once the number of tries counts, 1 confirmed in the part held out" in said
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 55
    assert {frozenset((row["y"], row["x"])) for row in rows[:2]} == {
        frozenset(("AAAUSDT", "BBBUSDT")),
        frozenset(("CCCUSDT", "DDDUSDT")),
    }
    for row in rows[:2]:
        low, life, high = (float(row[f"half_life_{name}_bars"]) for name in ("low", "corrected", "high"))
        assert low < float(row["half_life_bars"]) < life < high
        assert 100 < int(row["zero_crossings"]) < 840


def test_a_report_needs_no_network_and_a_file_that_exists_is_written_over_only_when_told(
    tmp_path: Path, database_url: str, run: Commands
) -> None:
    fill(database_url)
    out = tmp_path / "scan.html"
    flags = ("scan", "--transform", "price", "--output", out, "--correction", "measured")
    run(*flags)
    text = out.read_text()
    assert "BBBUSDT-AAAUSDT" in text or "AAAUSDT-BBBUSDT" in text
    assert "LLLUSDT is left out: bars at 600 of 1,200 times" in text
    assert 'src="http' not in text
    assert "<th>half-life, bars</th><th>95 %</th><th>crossings</th>" in text
    assert re.search(r"<td>[\d.]+</td><td>[\d.]+ to [\d.]+</td><td>\d+</td>", text)
    assert text.count("Plotly.newPlot(") >= 3
    run(*flags, fails=True)
    run(*flags, "--force")
    assert [file.name for file in tmp_path.iterdir()] == ["scan.html"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--symbols", "AAAUSDT,XXXUSDT"), "symbols: expected some of AAAUSDT, .*, received XXXUSDT"),
        (("--symbols", "AAAUSDT"), "symbols: expected at least two, received AAAUSDT"),
        (("--held-out", "1.5"), "--held-out: expected a share between 0 and 1, received 1.5"),
        (("--output", "pairs.txt"), "--output: expected a name that ends in .*.html, received pairs.txt"),
        (("--dataset", "none"), "--dataset: expected the name or id of an uploaded one, received 'none'"),
        (("--lags", "hqic"), "--lags: expected aic, bic or a number, received 'hqic'"),
        (
            ("--start", "2026-01-01T19:00:00Z"),
            "expected at least 30 bars in each part, received 42 and, held out, 18",
        ),
    ],
)
def test_what_cannot_be_scanned_is_refused_in_one_line(
    database_url: str, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], words: str
) -> None:
    fill(database_url)
    monkeypatch.setenv("PAIRSTREAM_DATABASE_URL", database_url)
    monkeypatch.setattr(sys, "argv", ["pairstream", "scan", *flags])
    with pytest.raises(SystemExit, match=words):
        main()
