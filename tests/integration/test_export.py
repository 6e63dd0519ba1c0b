"""export of alerts as a command on the embedded database."""

import asyncio
import csv
import json
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.contract.store import alert, price_move, write_all
from tests.integration.test_import import Commands

pytestmark = pytest.mark.integration


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    """Return what runs a command."""
    monkeypatch.setenv("PAIRSTREAM_DATABASE_URL", database_url)
    return Commands(monkeypatch, capsys)


def test_an_export_of_alerts_holds_those_of_every_subject(
    tmp_path: Path, database_url: str, run: Commands
) -> None:
    known = [alert("a"), price_move("b"), price_move("c", "sink")]
    asyncio.run(write_all(database_url, "alerts", [known]))
    out, parquet = tmp_path / "alerts.csv", tmp_path / "alerts.parquet"
    run("export", "alerts", "--output", out)
    with out.open() as file:
        rows = {row["alert_id"]: row for row in csv.DictReader(file)}
    assert [rows[one.alert_id]["subject"] for one in known] == ["ETHUSDT-BTCUSDT", "BTCUSDT", "sink"]
    assert [rows[one.alert_id]["pair"] for one in known] == ["ETHUSDT-BTCUSDT", "", ""]
    assert [json.loads(rows[one.alert_id]["values"]) for one in known] == [one.values for one in known]
    run("export", "alerts", "--subject", "BTCUSDT", "--output", parquet)
    (saved,) = pyarrow.parquet.read_table(parquet).to_pylist()
    assert (saved["alert_id"], json.loads(saved["labels"])) == ("b", known[1].labels)
    run("export", "alerts", "--pair", "ETHUSDT-BTCUSDT", "--output", out, "--force")
    with out.open() as file:
        assert [row["alert_id"] for row in csv.DictReader(file)] == ["a"]
    for flags in (["--symbol", "BTCUSDT"], ["--subject", "sink", "--pair", "ETHUSDT-BTCUSDT"]):
        run("export", "alerts", *flags, "--output", tmp_path / "none.csv", fails=True)
