"""Work of a worker process: closes in, bytes of the response out."""

import math
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

import numpy as np

from services.api.analysis import calibration, work
from services.api.analysis.encoding import encoded
from services.api.analysis.requests import (
    BARS_MAX,
    AnalysisRequest,
    CalibrationRequest,
    MatrixRequest,
    PairRequest,
    Subject,
    WorkRequest,
)
from services.api.analysis.response_parts import has_broken, parts
from services.api.models.analysis import Point
from services.api.models.correlation import Cell
from services.api.queries.closes import align
from services.api.serialization.rows import JsonRecords, Row, row
from services.common import clock
from services.contracts.symbols import same_asset
from services.quant.analysis.pair_analysis import Analysis, analyse, refuse
from services.quant.analysis.rolling import RollingStatistics, refit_every
from services.quant.correlation.matrix import correlate

# Of bars that only one leg has there may not be more than of those that both have.
_COMMON = 0.5
# More of them are no chart but a file, which CSV and Parquet are.
_POINTS = 10_000
_DAY_US = 86_400 * clock.SECOND
_SLICE_ROWS = 20_000


def solve(question: AnalysisRequest) -> bytes:
    """Return the answer to `question`."""
    match question:
        case PairRequest():
            return _analyse(question)
        case MatrixRequest():
            return _correlate(question)
        case CalibrationRequest():
            return calibration.answer(question)
        case WorkRequest():
            return work.answer(question)
    raise AssertionError(f"nobody knows how to answer {question}")


def _analyse(question: PairRequest) -> bytes:
    (y, leg_y), (x, leg_x) = question.subject.closes.items()
    start_us, (y_price, x_price) = align((leg_y, leg_x))
    options, n = question.options, len(start_us)
    most = max(len(leg_y.price), len(leg_x.price))
    if why := _nothing_traded(question.subject):
        analysis = refuse(n, why)
    elif n < _COMMON * most:
        analysis = refuse(n, f"only {n} of {most} bars are there for both legs")
    else:
        analysis = analyse(
            y_price,
            x_price,
            options,
            _bar_numbers(start_us, question.subject.width_us).tolist(),
            same_asset=same_asset(y, x),
            moment=lambda bar: clock.to_iso(int(start_us[bar])),
        )
    every = -(-n // _POINTS) if question.form == "json" else 1
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
        "carried": question.subject.carried,
        **_carried(question.subject, y, "y"),
        **_carried(question.subject, x, "x"),
        **_cut(question.subject),
        "data_every": max(1, every),
        "verdict": analysis.verdict,
        "not_enough_data": analysis.not_enough_data,
        **parts(analysis, start_us),
    }
    points = _points(start_us, y_price, x_price, analysis, max(1, every)) if question.series else ()
    return encoded(question, Point, members, points)


def _correlate(question: MatrixRequest) -> bytes:
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
        "carried": question.subject.carried,
        "carried_bars": question.subject.carried_bars,
        **_cut(question.subject),
        "symbols": names,
    }
    return encoded(question, Cell, members, [JsonRecords.of(rows)])


def _head(subject: Subject) -> Row:
    return {"feed": subject.feed, "dataset": subject.dataset}


def _nothing_traded(subject: Subject) -> str | None:
    if subject.dataset is None or subject.carried == "keep":
        return None
    for name, leg in subject.closes.items():
        if not len(leg.price) and (bars := subject.carried_bars.get(name)):
            return f"nothing traded in any of the {bars} bars of {name} in the range: carried=keep has them"
    return None


def _carried(subject: Subject, name: str, leg: str) -> Row:
    bars, count = len(subject.closes[name].price), subject.carried_bars.get(name)
    if count is None:
        return {f"carried_{leg}": None, f"carried_share_{leg}": None}
    whole = bars if subject.carried == "keep" else bars + count
    return {f"carried_{leg}": count, f"carried_share_{leg}": count / whole if whole else None}


def _cut(subject: Subject) -> Row:
    cut = subject.cut
    if cut is None:
        return {"bars_available": None, "cut": None}
    start = clock.to_iso(cut.first_us)
    words = f"the newest {cut.taken:,} of {cut.bars:,} bars: ask for all by start={start}"
    if cut.bars > BARS_MAX:
        words = f"the newest {cut.taken:,} of {cut.bars:,} bars: ask for up to {BARS_MAX:,} by start and end"
    return {"bars_available": cut.bars, "cut": words}


def _range(start_us: Any) -> Row:
    first, last = (int(start_us[0]), int(start_us[-1])) if len(start_us) else (None, None)
    return row([("first_us", first), ("last_us", last)])


def _breaks(start_us: Any, subject: Subject) -> int:
    if subject.width_us < _DAY_US:
        return int(np.count_nonzero(np.diff(start_us) != subject.width_us))
    return int(np.count_nonzero(np.diff(_bar_numbers(start_us, subject.width_us)) != 1))


def _bar_numbers(start_us: Any, width_us: int) -> Any:
    """Return the place of each bar on the time axis, in widths; the days and months of a calendar differ in length."""
    if width_us < _DAY_US or not len(start_us):
        return start_us // width_us
    return np.rint((start_us - start_us[0]) / width_us).astype(np.int64)


def _points(
    start_us: Any, y_price: Any, x_price: Any, analysis: Analysis, every: int
) -> Iterator[JsonRecords]:
    """Yield the points of one bar in `every`, the newest among them, some at a time.

    The first point from a break on is marked.
    """
    nothing = [None] * len(start_us)
    rolling = (
        analysis.rolling._asdict() if analysis.rolling else dict.fromkeys(RollingStatistics._fields, nothing)
    )
    broke_at = analysis.structural_break.at if analysis.structural_break and has_broken(analysis) else None
    sample = {"sample_spread": analysis.sample_spread, "sample_zscore": analysis.sample_zscore}
    first = (len(start_us) - 1) % every
    for begin in range(first, len(start_us), _SLICE_ROWS * every):
        some = slice(begin, begin + _SLICE_ROWS * every, every)
        yield JsonRecords.timed(
            {
                "start_us": start_us[some].tolist(),
                "y_price": y_price[some].tolist(),
                "x_price": x_price[some].tolist(),
                **{name: values[some] for name, values in rolling.items()},
                **{
                    name: nothing[some] if values is None else _finite(values[some].tolist())
                    for name, values in sample.items()
                },
                "structural_break": [
                    broke_at is not None and number - every < broke_at <= number
                    for number in range(len(start_us))[some]
                ],
            }
        )


def _finite(values: Iterable[float]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values]
