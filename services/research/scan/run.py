"""Run of a scan: closes to the result that is stored."""

import asyncio
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from services.contracts.scans import ScanRequest, ScanSummary
from services.quant.scan.scan import Scan, ScanOptions, scan
from services.research.scan.history import History, UnfitError

Tell = Callable[[float], None]


class FoundPairs:
    """What a scan found, with the names of its symbols, its times and its closes as they were tested."""

    def __init__(self, request: ScanRequest, history: History, found: Scan, seconds: float) -> None:
        self.request, self.closes, self.found = request, history.closes, found
        self.prices = transformed(request, history)
        order = clustered([*range(len(self.closes.symbols))], found.returns)
        at_us = self.closes.at_us
        self.summary = ScanSummary(
            symbols=[self.closes.symbols[number] for number in order],
            left_out=self.closes.left_out,
            width_us=history.width_us,
            first_us=int(at_us[0]),
            last_us=int(at_us[-1]),
            bars=found.bars,
            held_out_bars=found.held_out_bars,
            asked_bars=request.bars if request.start_us is None else None,
            carried=sum(self.closes.carried),
            tried=found.tried,
            significant=found.significant,
            corrected=found.corrected,
            confirmed=found.confirmed,
            refused=len(set(map(frozenset, found.reasons))),
            seconds=seconds,
        )


def transformed(request: ScanRequest, history: History) -> NDArray[np.float64]:
    """Return the prices of a history as they are tested."""
    prices = history.closes.prices
    return np.log(prices) if request.transform == "log" else prices


async def run(request: ScanRequest, history: History, tell: Tell) -> FoundPairs:
    """Scan the pairs of a history, in a thread; UnfitError if there are too few bars."""
    options = ScanOptions(trend=request.trend, lags=request.lags, held_out=request.held_out)
    began = time.monotonic()
    try:
        found = await asyncio.to_thread(scan, transformed(request, history), options, tell)
    except ValueError as error:
        raise UnfitError(str(error)) from error
    return FoundPairs(request, history, found, time.monotonic() - began)


def clustered(numbers: Sequence[int], correlations: NDArray[np.float64]) -> list[int]:
    """Return `numbers` so that those whose returns go together stand together; what has no correlation comes last.

    The order of the leaves of a hierarchical clustering by average linkage; the distance is 1 - |correlation|.
    """
    known = [number for number in numbers if np.isfinite(correlations[number, number])]
    rest = [number for number in numbers if number not in set(known)]
    if len(known) < 3:
        return known + rest
    distances = 1 - np.abs(np.nan_to_num(correlations[np.ix_(known, known)]))
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(np.clip(distances, 0, 1), checks=False), "average")
    return [known[place] for place in leaves_list(tree).tolist()] + rest
