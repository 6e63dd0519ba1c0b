"""The recipe for a column of signals, from the message to a file: three edits, and everything carries it."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.howto import run, walked

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

# Runs in the changed tree: `demo_metric` is there alone.
COLUMN = """
import asyncio
import json
import sys
from pathlib import Path

from msgspec import structs

from pairstream_client import Client
from services.cli import client_types
from services.cli.export.command import ExportRequest, export
from services.cli.schemas import documents
from services.common.settings import DatabaseSettings
from services.store import schema
from services.store.relations import SIGNALS
from services.ui.pages.pairs.layout import LABELS, TITLES
from services.ui.pages.pairs.metrics import METRICS
from services.ui.script_constants import CONSTANTS
from tests.api_process import PAIR, pair_signal, running_api, store
from tests.fix_broker import embedded_broker

url, directory = sys.argv[1], Path(sys.argv[2])
schema.upgrade(url)
signals = [structs.replace(pair_signal(number), demo_metric=number / 2) for number in (1, 2)]
store(url, [*signals, pair_signal(3)])
told = {}
with embedded_broker() as broker, running_api(broker, url) as api:
    path = f"/v1/pairs/{PAIR}/signals"
    told["json"] = [row["demo_metric"] for row in api.data(path)]
    told["csv"] = api.get(path, format="csv").text
    with Client(api.url) as client:
        told["client"] = [row["demo_metric"] for row in client.signals(PAIR)]
wanted = ExportRequest(SIGNALS)
asyncio.run(export(DatabaseSettings(database_url=url), wanted, directory / "signals.csv", replace=False))
told["exported"] = (directory / "signals.csv").read_text()
(metric,) = [metric for metric in METRICS if metric.name == "demo-metric"]
told["page"] = [LABELS[metric.name], TITLES[metric.name], metric.value(signals[1]), metric.measure.text(1.0)]
told["script"] = CONSTANTS["panes"][-1]
told["types"] = "demo_metric: float | None" in client_types.renewed(client_types.PATH.read_text())
told["schema"] = json.loads(documents()["signal.v1.json"])["properties"]["demo_metric"]["description"]
print(json.dumps(told))
"""


def test_a_column_is_three_edits(tmp_path: Path, empty_database_url: str) -> None:
    root = walked("add-a-signal-column", tmp_path / "tree")
    shown = run(root, "-c", COLUMN, empty_database_url, str(tmp_path))
    told = json.loads(shown.splitlines()[-1])
    for text in (told["csv"], told["exported"]):
        column = [row["demo_metric"] for row in csv.DictReader(io.StringIO(text))]
        assert [float(cell) if cell else None for cell in column] == [0.5, 1.0, None]
    assert told["json"] == told["client"] == [0.5, 1.0, None]
    assert told["page"] == ["Demo metric", "Demo metric", 1.0, "+1.00"]
    assert told["script"] == "demo-metric"
    assert told["types"]
    assert told["schema"] == "What a recipe measures."
