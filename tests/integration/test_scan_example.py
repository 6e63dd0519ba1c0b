"""Worked example of a scan, docs/worked-example.md: its numbers are those of the commands on real prices."""

import csv
import importlib.util
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest
from arch.data import crude

import services
from tests.integration.test_import import Commands

pytestmark = pytest.mark.integration

PAGE = Path(services.__file__).parents[1] / "docs" / "worked-example.md"


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    """Return what runs a command."""
    monkeypatch.setenv("PAIRSTREAM_DATABASE_URL", database_url)
    return Commands(monkeypatch, capsys)


def told(command: str) -> list[str]:
    """Return the lines that the page has below a command; "..." stands for any more."""
    block = PAGE.read_text(encoding="utf-8").partition(f"    {command}\n")[2]
    assert block, f"{PAGE.name}: expected the command {command}"
    lines = []
    for line in block.splitlines():
        if not line.startswith("    ") or line.startswith("    pairstream "):
            break
        lines.append(line.removeprefix("    "))
    return lines


def save(path: Path, prices: pd.DataFrame) -> None:
    """Write closes, a line for each time and column."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("date", "symbol", "close"))
        for at, row in prices.iterrows():
            table.writerows((str(at)[:10], name.upper(), price) for name, price in row.items())


def require_as_told(said: str, lines: Iterable[str]) -> None:
    found = said.splitlines()
    for expected, line in zip(lines, found, strict=False):
        if expected == "...":
            return
        assert line == expected


def test_of_twenty_stocks_nothing_that_was_found_lasts(tmp_path: Path, run: Commands) -> None:
    package = importlib.util.find_spec("skfolio")
    assert package is not None
    assert package.submodule_search_locations is not None
    data = Path(package.submodule_search_locations[0], "datasets", "data", "sp500_dataset.csv.gz")
    save(tmp_path / "stocks.csv", pd.read_csv(data, index_col=0))
    run("import", tmp_path / "stocks.csv", "--dataset", "stocks")
    command = "pairstream scan --dataset stocks --bars 2520 --correction measured"
    require_as_told(run(*command.split()[1:]), told(command))


def test_brent_and_wti_belong_together_and_broke_in_january_2011(tmp_path: Path, run: Commands) -> None:
    save(tmp_path / "crude.csv", crude.load())
    run("import", tmp_path / "crude.csv", "--dataset", "crude")
    command = "pairstream scan --dataset crude --held-out 0.3"
    out = tmp_path / "pairs.csv"
    require_as_told(run(*command.split()[1:], "--output", out), told(command))
    with out.open() as file:
        (row,) = csv.DictReader(file)
    assert row["break_time"].startswith("2011-01-15")
