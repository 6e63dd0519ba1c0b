"""Files of the venue's archive with a trade id twice, imported and replayed."""

import asyncio
import io
from pathlib import Path

import psycopg
import pytest

from services.cli.importing.command import import_files
from services.cli.importing.report import Findings
from services.common.settings import StoreSettings
from services.contracts.messages import Tick
from services.datasets.options import ReadOptions
from services.ingest.feed import Rejected
from services.ingest.feeds.archive.archive import CONFLICT, Archive

pytestmark = pytest.mark.integration

FILES = Path(__file__).parents[1] / "fixtures" / "files"


def test_import_and_replay_judge_a_doubled_id_alike(database_url: str) -> None:
    paths = [FILES / f"IOTABTC-aggTrades-{day}.csv" for day in ("2021-02-28", "2021-03-01")]
    settings = StoreSettings(database_url=database_url)
    # The second time everything is there already.
    for _ in range(2):
        found = Findings(report := io.StringIO())
        asyncio.run(import_files(settings, paths, None, None, ReadOptions(), found))
        assert found.counts["conflicting"] == 1
        assert f"{paths[1]}:1: conflicting: {CONFLICT}" in report.getvalue()
        with psycopg.connect(database_url) as connection:
            stored = connection.execute("SELECT trade_id, size FROM ticks ORDER BY trade_id").fetchall()
        assert stored == [(7000054, 150.0), (7000055, 420.0), (7000056, 610.0)]
    played = [item for _, item in Archive("IOTABTC", paths).items()]
    assert [(item.trade_id, item.size) for item in played if isinstance(item, Tick)] == stored
    (rejected,) = [item for item in played if isinstance(item, Rejected)]
    assert (rejected.origin, rejected.reason) == (f"{paths[1]}:1", f"{CONFLICT}: id 7000055")
