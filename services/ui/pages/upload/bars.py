"""Static candle chart of a dataset."""

from collections.abc import Sequence
from typing import Any

from services.common.clock import SECOND
from services.contracts.intervals import INTERVALS, WIDTHS_US
from services.ui.api.types import Bar, Dataset, DatasetDetail
from services.ui.charts import lightweight
from services.ui.pages.market.candles import candle_series
from services.ui.pages.upload.listing import width_name
from services.ui.state.page_context import Props
from services.ui.widgets.formatting import MAX_DECIMALS, decimals_of, moment, number

OWN = "own"
"""The interval of the files themselves."""
WIDTHS_S: dict[str, int] = {interval: WIDTHS_US[interval] // SECOND for interval in INTERVALS[1:]}
COUNTS = ("500", "2000", "10000")
ALL = "all"
"""As many as an analysis takes; a chart of candles draws the most that it can."""
CHART = "chart-dataset"
IN_VIEW = 400


def intervals(dataset: Dataset | DatasetDetail) -> list[dict[str, str]]:
    """Return the intervals that a dataset has bars of: its own, and those that are a multiple of it."""
    wider = [
        {"value": name, "label": name}
        for name, width_s in WIDTHS_S.items()
        if width_s > dataset.width_s and width_s % dataset.width_s == 0
    ]
    known = {float(width_s): name for name, width_s in WIDTHS_S.items()}
    return [{"value": OWN, "label": known.get(dataset.width_s) or width_name(dataset.width_s)}, *wider]


def chart(bars: Sequence[Bar], key: str) -> Props:
    """Return candles, with their volume if the files have any; `key` tells these bars from others."""
    decimals = min(MAX_DECIMALS, max((decimals_of(bar.close) for bar in bars), default=2))
    has_volume = any(bar.volume is not None for bar in bars)
    made = candle_series(key, bars, decimals, 0)
    wanted = ("candles", "volume") if has_volume else ("candles",)
    drawn: dict[str, Any] = {
        "series": [one for one in made if one["id"].partition("|")[0] in wanted],
        "visibleLogicalRange": lightweight.newest_points(len(bars), IN_VIEW, key),
    }
    return {CHART: drawn}


def coverage(bars: Sequence[Bar], symbol: str, limit: int, zone: str) -> str:
    """Return which bars are drawn, of up to `limit`."""
    if not bars:
        return ""
    span = f"{moment(bars[0].start_us, zone)} to {moment(bars[-1].start_us, zone)}"
    which = "All" if len(bars) < limit else "The newest"
    carried, part = sum(bar.carried for bar in bars), sum(bar.coverage < 1 for bar in bars)
    asides = [f", nothing traded in {number(carried, 0)} of them"] if carried else []
    asides += [f", {number(part, 0)} of only a part of their time"] if part else []
    return f"{which} {number(len(bars), 0)} bars of {symbol}, {span}{''.join(asides)}"
