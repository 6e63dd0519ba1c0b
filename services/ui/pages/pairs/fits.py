"""Fits of the newest bars of a pair: the uncertainty of the hedge ratio."""

from typing import Any

from services.ui.api.poll_cache import PolledAnswer
from services.ui.api.types import Analysis, WatchedPair
from services.ui.state.page_context import PageContext
from services.ui.widgets.formatting import number, significant_decimals

EVERY_S = 15.0
BARS_MAX = 10_000
MOVING = ("rls", "kalman", "ewma")


def fit(site: PageContext, pair: WatchedPair) -> PolledAnswer[Analysis]:
    """Return the analysis of the pair's last window of 1s bars, read again every 15 s."""
    bars = min(pair.window, BARS_MAX)
    asked: dict[str, Any] = {
        "interval": "1s",
        "limit": bars,
        "window": bars,
        "min_samples": min(pair.min_samples, bars),
        "method": pair.method if pair.intercept else "ols_origin",
        "transform": pair.transform,
        "series": "false",
    }
    path = f"/v1/pairs/{pair.pair}/analysis"
    return site.readings.get(
        (path, *asked.values()), lambda: site.client.read(path, Analysis, **asked), EVERY_S
    )


def band_words(reading: PolledAnswer[Analysis] | None) -> str:
    """Return what the band of the hedge ratio is, or why there is none."""
    if reading is None:
        return ""
    found = reading.value
    if found is None:
        return f"no interval: {reading.error}" if reading.error else ""
    if found.regression is None:
        return f"no interval: {found.not_enough_data.get('regression', 'not enough data')}"
    low, high = found.regression.low, found.regression.high
    if low is None or high is None:
        return f"no interval: the method {found.method} has none"
    decimals = significant_decimals(max(abs(low), abs(high)), 5)
    what = "of the last state over" if found.method in MOVING else "of one line through"
    interval = f"{number(low, decimals)} to {number(high, decimals)}"
    return f"band: {100 * found.regression.level:g} % interval {interval} {what} the last {found.bars} bars of 1 s"
