"""Time spans of the charts of a pair."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from services.common.clock import MINUTE, SECOND
from services.contracts.messages import Signal
from services.ui.series import day
from services.ui.series.buffer import SeriesBuffer
from services.ui.series.gap_shading import SilentStretch
from services.ui.state.page_context import PageContext

A_DAY = "1d"
# Points that a browser draws without effort.
MOST = 10_000


class ChartSpan(NamedTuple):
    """Choice of a time span: its name, the points in view at first, and the seconds between two of them."""

    name: str
    label: str
    shown: int
    kept: int
    apart_s: int = 0


SPANS = (
    ChartSpan("5m", "5 min", 300, 1_800),
    ChartSpan("30m", "30 min", 1_800, 1_800),
    ChartSpan("2h", "2 h", 7_200, 7_200),
    ChartSpan(A_DAY, "1 day", day.MINUTES * day.A_MINUTE, day.MINUTES * day.A_MINUTE, apart_s=120),
)
DEFAULT = SPANS[1]
CHOICES = [{"value": span.name, "label": span.label} for span in SPANS]


def quiet(span: ChartSpan, stale_after_s: float) -> SilentStretch:
    """Return when a line is broken."""
    longest_us = round((span.apart_s + stale_after_s) * SECOND)
    return SilentStretch(max(SECOND, span.apart_s * SECOND // 2), longest_us, "no signal")


def named(name: Any) -> ChartSpan:
    """Return the span of this name, or the usual one."""
    return next((span for span in SPANS if span.name == name), DEFAULT)


def wanted(span: ChartSpan, track: SeriesBuffer[Signal], older: Any) -> int:
    """Return how many points the chart should have; `older` is how many the page asks for."""
    if span.name == A_DAY and track.points:
        return len(track.since(track.points[-1].event_us - day.MINUTES * MINUTE))
    return max(span.kept, min(older, MOST)) if isinstance(older, int) else span.kept


def older(track: SeriesBuffer[Signal], span: ChartSpan, wanted: int) -> str:
    """Return the note at the left end of the chart."""
    if track.is_reading_older:
        return "Loading older signals…"
    if track.older_error is not None:
        return f"No older signals: {track.older_error}"
    if track.is_whole:
        return "No older signals"
    if span.name == A_DAY:
        return "One day is the longest range. The CSV of the API goes further back."
    return "The chart holds no more signals; choose a longer range." if wanted >= MOST else ""


def track(site: PageContext, pair: str, span: ChartSpan) -> SeriesBuffer[Signal]:
    """Return the signals that lie within `span`, kept current by the stream while there is one."""
    corrections = site.market.corrections[pair]
    if span.name == A_DAY:
        return site.tracks.day(pair, corrections)
    closes: Sequence[Signal] = tuple(site.market.closes.get(pair, ())) if site.market.connected else ()
    return site.tracks.signals(pair, closes, corrections, span.kept)
