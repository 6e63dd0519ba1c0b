"""A second pair over the chart of the first: its z-score on the same scale, its spread on one of its own."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from services.common.clock import SECOND
from services.contracts.messages import Signal
from services.ui.api.types import WatchedPair
from services.ui.charts import palette
from services.ui.charts.lightweight import Series, Updates, line_options, price_format
from services.ui.pages.pairs import spans
from services.ui.pages.pairs.lines import MARGINS, MARGINS_OF_MARKED, VALUES, Canvas, distinct
from services.ui.series.buffer import SeriesBuffer, point_us
from services.ui.state.live_state import LiveState
from services.ui.state.page_context import PageContext, Props, Selection

COMPARED = ("zscore", "spread")
OWN_SCALE = "vs"
# Signals of the second pair may come a little later than those of the first, and corrections later still.
_LAST, _CORRECTED = 5, 20


def choice(
    market: LiveState, pair: WatchedPair | None, selection: Selection
) -> tuple[WatchedPair | None, Props]:
    """Return the second pair, if one is chosen, and those that there are."""
    pairs = market.pairs or {}
    names = [name for name in pairs if pair and name != pair.pair]
    asked = selection.text("vs") if "vs" in selection.asks else selection.opened_with("vs")
    chosen = pairs[asked] if asked in names else None
    return chosen, {"vs-select": {"data": names, "style": {} if names else {"display": "none"}}}


def legend(market: LiveState, other: WatchedPair | None) -> Props:
    """Return the names of the lines of the second pair."""
    nothing = other is not None and (other.paused or other.pair not in market.signals)
    why = (", paused" if other.paused else ", no signal yet") if other and nothing else ""
    ends = {"zscore": "", "spread": ", on its own scale"}
    return {
        f"legend-vs-{name}": {
            "children": f"{other.pair}{why or ends[name]}" if other else "",
            "className": "key is-vs" if other else "is-away",
        }
        for name in COMPARED
    }


class Comparison:
    """Lines of a second pair at the seconds of the first, so that the time axis stays that of the first."""

    def __init__(self, site: PageContext, canvas: Canvas, other: WatchedPair, wanted: int) -> None:
        self._id = f"{canvas.pair.pair}|{canvas.span.name}"
        self._canvas = replace(canvas, pair=other)
        self._track: SeriesBuffer[Signal] = spans.track(site, other.pair, canvas.span)
        self._track.ensure_length(wanted)
        self._names = [name for name in COMPARED if name in canvas.panes]

    @property
    def drawing(self) -> str:
        """Return what changes when the lines have to be drawn anew."""
        return f"{self._canvas.pair.pair}|{self._track.generation}|{self._track.revision}"

    def series(self, signals: Sequence[Signal]) -> list[Series]:
        """Return the lines at the seconds of `signals`, which are those of the first pair."""
        aligned = self._aligned(list(distinct(signals)))
        return [self._line(name, aligned) for name in self._names]

    def updates(self, signals: Sequence[Signal]) -> Updates:
        """Return the updates of the newest of `signals`, and of those that were corrected lately."""
        corrected = set(self._track.corrected.kept()[-_CORRECTED:])
        last = signals[-1 - _LAST :]
        stretches = [signals[max(0, at - 1) : at + 2] for at in _places(signals[: -len(last)], corrected)]
        found: Updates = []
        for stretch in (*stretches, last):
            aligned = self._aligned(stretch)
            for name in self._names:
                points = self._canvas.points(name, aligned)
                kept = points if stretch is last else points[:-1]
                found += [{"id": f"vs-{name}|{self._id}", "bar": point} for point in kept]
        newest = signals[-1].event_us // SECOND
        return [one if one["bar"]["time"] == newest else {**one, "historicalUpdate": True} for one in found]

    def _aligned(self, signals: Sequence[Signal]) -> list[Signal]:
        """Return for each of `signals` what the second pair said then, without numbers where it said nothing."""
        points, apart_us = self._track.points, self._canvas.span.apart_s * SECOND
        found = []
        for signal in signals:
            at = bisect_right(points, signal.event_us, key=point_us) - 1
            is_near = at >= 0 and signal.event_us - points[at].event_us <= apart_us
            values = points[at] if is_near else _nothing(signal)
            found.append(msgspec.structs.replace(values, event_us=signal.event_us))
        return found

    def _line(self, name: str, signals: Sequence[Signal]) -> Series:
        known = [abs(value) for one in signals if (value := VALUES[name](one)) is not None]
        scale: dict[str, Any] = {"priceScaleId": OWN_SCALE} if name == "spread" else {}
        format_ = price_format(self._canvas.digits(name, max(known, default=1.0)))
        return {
            "id": f"vs-{name}|{self._id}",
            "type": "line",
            "pane": self._canvas.panes.index(name),
            "data": self._canvas.points(name, signals),
            "options": {**line_options(palette.COMPARED), "priceFormat": format_, **scale},
            "priceScaleOptions": {"scaleMargins": MARGINS_OF_MARKED if name == "zscore" else MARGINS},
        }


def _places(signals: Sequence[Signal], wanted: Iterable[int]) -> list[int]:
    found = []
    for us in sorted(wanted):
        at = bisect_right(signals, us, key=point_us) - 1
        if at >= 0 and signals[at].event_us == us:
            found.append(at)
    return found


def _nothing(signal: Signal) -> Signal:
    return msgspec.structs.replace(signal, zscore=None, spread=None)
