"""Work behind one signal, as the worker processes compute it."""

from collections.abc import Sequence
from itertools import chain

from msgspec.structs import asdict

from services.api.analysis.encoding import encoded
from services.api.analysis.requests import WorkRequest
from services.api.models.work import WindowSample
from services.api.serialization.rows import JsonRecords, Row, row
from services.quant.analysis.recomputation import Recomputation, program, recompute
from services.quant.transform import Transform

# Published numbers were summed up sample by sample: their last digits may differ.
_SAME = 1e-9


def answer(question: WorkRequest) -> bytes:
    """Return the arithmetic, the program and the window as JSON, or the window alone as CSV or Parquet."""
    found = _recomputed(question)
    members: Row = {
        "feed": question.feed,
        "pair": question.pair,
        **row([("event_us", question.event_us)]),
        "method": question.method,
        "window": question.window,
        "zscore": question.zscore,
        **question.published,
        "arithmetic": asdict(found),
        "agrees": _agrees(found, question),
        "is_whole": question.is_whole,
        "python": program(question.method, question.window, found.transform, f"{question.url}?format=csv"),
    }
    return encoded(question, WindowSample, members, [_samples(question)])


def _recomputed(question: WorkRequest) -> Recomputation:
    """Return the arithmetic by the pair's transform, or by the other one if only that gives what was published."""
    now = question.y, question.x
    tried: list[Recomputation] = []
    transforms: Sequence[Transform] = ("price", "log") if question.transform == "price" else ("log", "price")
    for transform in transforms:
        tried.append(recompute(question.method, question.window, transform, question.legs, now))
        if _agrees(tried[-1], question):
            return tried[-1]
    return tried[0]


def _agrees(found: Recomputation, question: WorkRequest) -> bool:
    if found.zscore is None or question.zscore is None:
        return found.zscore is question.zscore
    return abs(found.zscore - question.zscore) <= _SAME * max(1.0, abs(question.zscore))


def _samples(question: WorkRequest) -> JsonRecords:
    y, x = question.legs
    count = len(question.at_us)
    return JsonRecords.timed(
        {
            "event_us": [*question.at_us.tolist(), question.event_us],
            "y_price": list(chain(y.tolist(), [question.y])),
            "x_price": list(chain(x.tolist(), [question.x])),
            "in_window": [True] * count + [False],
        }
    )
