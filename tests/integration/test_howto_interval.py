"""The recipe for an interval of bars: made of those before it, of what is stored and of what comes."""

import json
from pathlib import Path

import psycopg
import pytest

from services.common.clock import HOUR, SECOND
from services.store import schema
from tests.api_process import START_US, store, tick
from tests.howto import run, walked

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

# Runs in the changed tree, on a store that had trades before.
INTERVAL = """
import json
import sys

from services.api.queries.bars import BARS
from services.cli import client_types
from services.common.clock import HOUR
from services.common.settings import StoreSettings, load
from services.contracts.intervals import INTERVALS, source_of
from services.store import schema
from services.ui.script_constants import CONSTANTS
from tests.api_process import START_US, store, tick

url = sys.argv[1]
applied = schema.upgrade(url)
store(url, [tick(900, event_us=START_US + 5 * HOUR, price=7.0)])
print(json.dumps({
    "applied": len(applied),
    "stored": list(INTERVALS),
    "derived": [interval for interval in BARS if source_of(interval) != interval],
    "day": source_of("1d"),
    "script": CONSTANTS["widths"]["4h"],
    "kept": str(load(StoreSettings, {"PAIRSTREAM_RETENTION_BARS_4H": "400d", **{
        f"PAIRSTREAM_RETENTION_{name}": "400d" for name in ("TICKS", "BARS_1S", "BARS_1M", "BARS_5M", "BARS_1H")
    }}).retentions["ohlc_4h"].days),
    "types": '"4h"' in client_types.renewed(client_types.PATH.read_text()),
}))
"""


def test_an_interval_is_made_of_what_was_stored_and_of_what_comes(
    tmp_path: Path, empty_database_url: str
) -> None:
    schema.upgrade(empty_database_url)
    stored = [(0, 2.0), (HOUR, 5.0), (3 * HOUR + SECOND, 3.0), (4 * HOUR, 4.0)]
    store(
        empty_database_url,
        [tick(number, event_us=START_US + us, price=price) for number, (us, price) in enumerate(stored)],
    )
    root = walked("add-a-bar-interval", tmp_path)
    shown = run(root, "-c", INTERVAL, empty_database_url)
    assert "{1s,1m,5m,1h,4h}" in run(root, "-m", "services.cli", "export", "--help")
    assert json.loads(shown.splitlines()[-1]) == {
        "applied": 1,
        "stored": ["1s", "1m", "5m", "1h", "4h"],
        "derived": ["5s", "15s", "15m", "1d"],
        "day": "4h",
        "script": 14_400,
        "kept": "400",
        "types": True,
    }
    with psycopg.connect(empty_database_url) as connection:
        bars = connection.execute("SELECT open, high, low, close, trade_count FROM ohlc_4h ORDER BY ts")
        assert bars.fetchall() == [(2.0, 5.0, 2.0, 3.0, 3), (4.0, 7.0, 4.0, 7.0, 2)]
