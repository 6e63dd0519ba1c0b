"""Requests to the worker processes."""

from typing import Any

import numpy as np
from msgspec import Struct

from services.api.models.calibration import CalibrationTable
from services.api.models.correlation import CorrelationMethod, Of
from services.api.models.datasets import Carried
from services.api.queries.closes import Closes
from services.api.queries.signal_history import SignalHistory
from services.api.serialization.listing import Format
from services.quant.analysis.entries import Bands
from services.quant.analysis.recomputation import Prices
from services.quant.estimators.registry import Method
from services.quant.options import AnalysisOptions
from services.quant.transform import Transform

BARS_MAX = 1_000_000


class Cut(Struct, frozen=True, kw_only=True):
    """Cut of a dataset: the newest `taken` of its `bars`, of which the first begins at `first_us`."""

    taken: int
    bars: int
    first_us: int


class Subject(Struct, frozen=True, kw_only=True):
    """The closes of each symbol, and where they are from.

    `carried_bars` counts the bars of the range in which a symbol did not trade: of a dataset those that it has carried,
    None or nothing where that is not known, of the market those that there are none of.
    """

    feed: str | None
    dataset: str | None
    width_us: int
    closes: dict[str, Closes]
    carried_bars: dict[str, int | None] = {}
    carried: Carried = "drop"
    cut: Cut | None = None

    @property
    def bars(self) -> int:
        """The bars of the symbol that has most of them."""
        return max((len(leg.price) for leg in self.closes.values()), default=0)


class AnalysisRequest(Struct, frozen=True, kw_only=True):
    """Request to a worker: the question of the route `path`, and the format of the response."""

    form: Format
    path: str

    @property
    def bars(self) -> int:
        """Return the number of bars per symbol."""
        return 0


class PairRequest(AnalysisRequest, frozen=True, kw_only=True):
    """The first of the closes is Y, the second X; the name of both is `pair`."""

    subject: Subject
    pair: str
    options: AnalysisOptions
    series: bool

    @property
    def bars(self) -> int:
        return self.subject.bars


class MatrixRequest(AnalysisRequest, frozen=True, kw_only=True):
    """All of the closes against each other."""

    subject: Subject
    method: CorrelationMethod
    of: Of

    @property
    def bars(self) -> int:
        return self.subject.bars


class CalibrationRequest(AnalysisRequest, frozen=True, kw_only=True):
    """The past of a pair's z-score, by `bands`; `window` is the pair's in seconds, `windows` how many an entry has."""

    feed: str | None
    pair: str
    past: SignalHistory
    bands: Bands
    window: int
    windows: int
    table: CalibrationTable


class WorkRequest(AnalysisRequest, frozen=True, kw_only=True):
    """One closed signal as it was `published`, and the window `legs` (y, x) before it; `url` is its own."""

    url: str
    feed: str | None
    pair: str
    event_us: int
    method: Method
    window: int
    transform: Transform
    zscore: float | None
    published: dict[str, Any]
    y: float
    x: float
    at_us: np.ndarray[Any, np.dtype[np.int64]]
    legs: tuple[Prices, Prices]
    is_whole: bool
