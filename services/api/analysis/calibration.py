"""Calibration of a z-score, as the worker processes compute it."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import asdict

from services.api.analysis.encoding import encoded
from services.api.analysis.requests import CalibrationRequest
from services.api.models import calibration as models
from services.api.models.base import Record
from services.api.models.calibration import CalibrationTable
from services.api.serialization.rows import JsonRecords, Row, encode, row
from services.common import clock
from services.quant.analysis.calibration import calibrate

ENTRIES_MOST = 1_000
_MODELS: dict[CalibrationTable, type[Record]] = {
    "histogram": models.Bin,
    "qq": models.Quantile,
    "acf": models.Lag,
    "beyond": models.Level,
    "waits": models.Wait,
    "entries": models.Entry,
}


def answer(question: CalibrationRequest) -> bytes:
    """Return everything as one JSON document, or one table as CSV or Parquet."""
    past, bands = question.past, question.bands
    found = calibrate(past.known, bands)
    known = len(past.known.at_us)
    members: Row = {
        "feed": question.feed,
        "pair": question.pair,
        "window": question.window,
        "entry_z": bands.entry,
        "exit_z": bands.exit,
        "only_while_reverting": bands.only_while_reverting,
        "stop_z": bands.stop,
        "windows": question.windows,
        "within_s": bands.within_us // clock.SECOND,
        **row([("first_us", past.first_us), ("last_us", past.last_us)]),
        "signals": past.signals,
        "known": known,
        "stale": past.stale,
        "collecting": past.collecting,
        "without_zscore": past.signals - known - past.stale - past.collecting,
        "fits": past.fits,
    }
    if question.form != "json":
        table = _rows(getattr(found, question.table))
        return encoded(question, _MODELS[question.table], members, [JsonRecords.of(table)])
    parts = {name: getattr(found, name) for name in found.__struct_fields__}
    return encode({**members, **parts, "entries": _rows(found.entries[-ENTRIES_MOST:])})


def _rows(of: Sequence[Struct]) -> list[Row]:
    return [row(asdict(one).items()) for one in of]
