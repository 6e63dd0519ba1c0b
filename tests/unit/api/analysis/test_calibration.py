"""Calibration responses of the workers."""

import json

import numpy as np

from services.api.analysis.calibration import ENTRIES_MOST
from services.api.analysis.requests import CalibrationRequest
from services.api.analysis.worker import solve
from services.api.queries.signal_history import SignalHistory
from services.api.serialization.listing import Format
from services.common.clock import SECOND
from services.quant.analysis.entries import Bands, Seconds

ENTRIES = ENTRIES_MOST + 7


def ask(form: Format) -> bytes:
    """Return the answer of a z-score that enters every other second."""
    zscore = np.tile([0.0, 3.0], ENTRIES)
    seconds = Seconds(SECOND * np.arange(2 * ENTRIES), zscore, zscore, zscore > 0)
    past = SignalHistory(0, 1, 2 * ENTRIES, 0, 0, 1, seconds)
    question = CalibrationRequest(
        form=form,
        path="/p",
        feed=None,
        pair="YYY-XXX",
        past=past,
        bands=Bands(entry=2.0, exit=0.5, stop=4.0, within_us=900 * SECOND),
        window=300,
        windows=3,
        table="entries",
    )
    return solve(question)


def test_json_has_the_newest_entries_and_csv_all() -> None:
    answer, lines = json.loads(ask("json")), ask("csv").decode().splitlines()
    assert answer["hit_rate"]["entries"] == len(lines) - 1 == ENTRIES
    assert len(answer["entries"]) == ENTRIES_MOST
    assert answer["entries"][-1]["entry_us"] == (2 * ENTRIES - 1) * SECOND
    assert answer["entries"][-1]["outcome"] == "unresolved"
    assert (answer["window"], answer["within_s"]) == (300, 900)
