"""What the workers do: from closes to the bytes of an answer, so that the API only has to send them."""

import math
from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np

from services.api.analysis.parts import has_broken, parts
from services.api.analysis.questions import MatrixQuestion, PairQuestion, Question, Subject
from services.api.answers.encoders import CsvEncoder, Encoder, JsonEncoder, ParquetEncoder
from services.api.answers.rows import Records, Row, row
from services.api.models.analysis import Point
from services.api.models.base import Record
from services.api.models.correlation import Cell
from services.api.stored.history import align
from services.common import clock
from services.common.assets import same_asset
from services.quant.correlation_matrix import correlate
from services.quant.pair_analysis import Analysis, analyse, refuse
from services.quant.rolling import Rolling, refit_every

# Of bars that only one leg has there may not be more than of those that both have.
_COMMON = 0.5


def solve(question: Question) -> bytes:
    """Return the answer to `question`."""
    match question:
        case PairQuestion():
            return _analyse(question)
        case MatrixQuestion():
            return _correlate(question)
    raise AssertionError(f"nobody knows how to answer {question}")


def _analyse(question: PairQuestion) -> bytes:
    (y, leg_y), (x, leg_x) = question.subject.closes.items()
    start_us, (y_price, x_price) = align((leg_y, leg_x))
    options, n = question.options, len(start_us)
    most = max(len(leg_y.price), len(leg_x.price))
    if n < _COMMON * most:
        analysis = refuse(n, f"only {n} of {most} bars are there for both legs")
    else:
        analysis = analyse(
            y_price,
            x_price,
            options,
            (start_us // question.subject.width_us).tolist(),
            same_asset=same_asset(y, x),
            moment=lambda bar: clock.to_iso(int(start_us[bar])),
        )
    members: Row = {
        **_head(question.subject),
        "pair": question.pair,
        "y": y,
        "x": x,
        "bar_s": question.subject.width_us / clock.SECOND,
        "method": options.method,
        "transform": options.transform,
        "window": options.window,
        "min_samples": min(options.window, options.min_samples),
        "refit_every": refit_every(options.method, options.window),
        "trend": options.trend,
        "lags": options.lags,
        **_range(start_us),
        "bars": n,
        "bars_y": len(leg_y.price),
        "bars_x": len(leg_x.price),
        "breaks": _breaks(start_us, question.subject),
        "verdict": analysis.verdict,
        "not_enough_data": analysis.not_enough_data,
        **parts(analysis, start_us),
    }
    points = _points(start_us, y_price, x_price, analysis) if question.series else Records({})
    return _encoded(question, Point, members, points)


def _correlate(question: MatrixQuestion) -> bytes:
    names = list(question.subject.closes)
    known: dict[frozenset[str], Row] = {}
    for number, name in enumerate(names):
        for other in names[number:]:
            start_us, (a, b) = align((question.subject.closes[name], question.subject.closes[other]))
            found = correlate(a, b, question.method, question.of)
            known[frozenset((name, other))] = {
                "correlation": 1.0 if name == other and found.value is not None else found.value,
                "samples": found.samples,
                "breaks": _breaks(start_us, question.subject),
                "reason": found.reason,
            }
    rows = [
        {"symbol": name, "other": other, **known[frozenset((name, other))]}
        for name, other in product(names, repeat=2)
    ]
    starts = [leg.start_us for leg in question.subject.closes.values()]
    members = {
        **_head(question.subject),
        "bar_s": question.subject.width_us / clock.SECOND,
        "method": question.method,
        "of": question.of,
        **_range(np.unique(np.concatenate(starts)) if starts else []),
        "symbols": names,
    }
    return _encoded(question, Cell, members, Records.of(rows))


def _encoded(question: Question, model: type[Record], members: Row, records: Records) -> bytes:
    encoder: Encoder
    match question.form:
        case "json":
            encoder = JsonEncoder(members)
        case "csv":
            encoder = CsvEncoder(model)
        case "parquet":
            said = {
                name: str(value) for name, value in members.items() if isinstance(value, str | int | float)
            }
            encoder = ParquetEncoder(model, {**said, "path": question.path})
    return encoder.encode(records) + encoder.finish()


def _head(subject: Subject) -> Row:
    return {"feed": subject.feed, "dataset": subject.dataset}


def _range(start_us: Any) -> Row:
    first, last = (int(start_us[0]), int(start_us[-1])) if len(start_us) else (None, None)
    return row([("first_us", first), ("last_us", last)])


def _breaks(start_us: Any, subject: Subject) -> int:
    return int(np.count_nonzero(np.diff(start_us) != subject.width_us))


def _points(start_us: Any, y_price: Any, x_price: Any, analysis: Analysis) -> Records:
    nothing = [None] * len(start_us)
    rolling = analysis.rolling._asdict() if analysis.rolling else dict.fromkeys(Rolling._fields, nothing)
    broke_at = analysis.structural_break.at if analysis.structural_break and has_broken(analysis) else None
    sample = {"sample_spread": analysis.sample_spread, "sample_zscore": analysis.sample_zscore}
    return Records.timed(
        {
            "start_us": start_us.tolist(),
            "y_price": y_price.tolist(),
            "x_price": x_price.tolist(),
            **rolling,
            **{
                name: nothing if values is None else _finite(values.tolist())
                for name, values in sample.items()
            },
            "structural_break": [number == broke_at for number in range(len(start_us))],
        }
    )


def _finite(values: Iterable[float]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values]
