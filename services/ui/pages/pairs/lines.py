"""Line series of a pair: signals as series of a chart with a pane for each metric."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from services.common.clock import SECOND
from services.contracts.messages import Signal
from services.ui.api.types import WatchedPair
from services.ui.charts import lightweight, palette
from services.ui.charts.lightweight import (
    DASHED,
    DOTTED,
    SOLID,
    Marker,
    Options,
    Series,
    Updates,
    line_options,
    price_format,
)
from services.ui.pages.pairs import marks
from services.ui.pages.pairs.metrics import DRAWN
from services.ui.pages.pairs.spans import ChartSpan
from services.ui.series.gap_shading import NO_SHADE, Shade

PaneName = str
SHARES: dict[PaneName, float] = {"prices": 0.28, **{name: metric.share for name, metric in DRAWN.items()}}
PANES: tuple[PaneName, ...] = tuple(SHARES)
LEGS = {"y": palette.LEG_Y, "x": palette.LEG_X}
LINES: dict[PaneName, tuple[str, ...]] = {"prices": tuple(LEGS), **{name: (name,) for name in DRAWN}}
COLORS = LEGS | {name: metric.measure.color for name, metric in DRAWN.items()}
VALUES: dict[str, Callable[[Signal], float | None]] = {
    **{leg: attrgetter(f"{leg}_price") for leg in LEGS},
    **{name: metric.value for name, metric in DRAWN.items() if metric.value},
}
INDEXED_TO_100 = 3
# Room for the label at the top of a pane; markers above the z-score make their own.
MARGINS = {"top": 0.22, "bottom": 0.08}
MARGINS_OF_MARKED = {"top": 0.12, "bottom": 0.04}
# The bands are in sight at every zoom, with a little room beyond them.
REACH = 1.15


class Band(NamedTuple):
    """An interval, and the first and last second on the chart that it is of."""

    low: float
    high: float
    first: int
    last: int


Extras = dict[str, dict[str, Any]]
"""Series id to those of its properties that change without its points, or to a whole series that comes and goes."""


@dataclass(frozen=True)
class Canvas:
    """Canvas of a pair's chart: the span, and the panes from the top."""

    pair: WatchedPair
    span: ChartSpan
    panes: tuple[PaneName, ...]
    decimals: int

    def series(self, signals: Sequence[Signal], extras: Extras) -> list[Series]:
        """Return a line for each number, and what lies around them."""
        shown_once = list(distinct(signals))
        made = [self._line(name, pane, shown_once) for pane in self.panes for name in LINES[pane]]
        if "zscore" in self.panes:
            made.append(self._signals_within_reach(shown_once))
        if "hedge-ratio" in self.panes:
            made += [
                self._edge("high", "baseline", lightweight.band_options(0.0)),
                self._edge("low", "line", {}),
            ]
        shades = [one for one in extras.values() if "type" in one]
        return [{**one, **extras.get(one["id"], {})} for one in made] + shades

    def updates(self, signals: Sequence[Signal]) -> Updates:
        """Return the updates that bring `signals`, oldest first, into an existing chart."""
        names = [name for pane in self.panes for name in LINES[pane]]
        lines = [(name, point) for name in names for point in self.points(name, signals)]
        if "zscore" in self.panes:
            lines += [("reach", self._reach_point(signal)) for signal in signals]
        return [{"id": self._id(name), "bar": point} for name, point in lines]

    def extras(self, markers: list[Marker], band: Band | None, shade: Shade = NO_SHADE) -> Extras:
        """Return the markers, the band around the hedge ratio, and the shading in every pane."""
        extras: Extras = {self._id(self._bearer): {"markers": markers}}
        if shade.points:
            named = lightweight.shade(self._id(self.panes[0]), shade.points, shade.markers)
            others = (
                lightweight.shade(self._id(pane), shade.silent, (), n)
                for n, pane in enumerate(self.panes)
                if n
            )
            extras |= {one["id"]: one for one in (named, *others)}
        if "hedge-ratio" in self.panes:
            low = band.low if band else 0.0
            times = sorted({band.first, band.last}) if band else []
            extras[self._id("high")] = {
                "data": [{"time": time, "value": band.high} for time in times if band],
                "options": lightweight.band_options(low),
            }
            extras[self._id("low")] = {"data": [{"time": time, "value": low} for time in times]}
        return extras

    @property
    def _bearer(self) -> str:
        """Return the line that has the marks."""
        return "zscore" if "zscore" in self.panes else LINES[self.panes[0]][0]

    def _id(self, name: str) -> str:
        return f"{name}|{self.pair.pair}|{self.span.name}"

    def _line(self, name: str, pane: PaneName, signals: Sequence[Signal]) -> Series:
        scale = {"mode": INDEXED_TO_100} if pane == "prices" else {}
        series: Series = {
            "id": self._id(name),
            "type": "line",
            "pane": self.panes.index(pane),
            "data": self.points(name, signals),
            "options": {**line_options(COLORS[name]), **self._format(name, signals)},
            "priceScaleOptions": {
                "scaleMargins": MARGINS_OF_MARKED if name == "zscore" else MARGINS,
                **scale,
            },
        }
        return {**series, "priceLines": _bands(self.pair)} if name == "zscore" else series

    def _format(self, name: str, signals: Sequence[Signal]) -> Options:
        if name in LEGS:
            return {}
        known = [abs(value) for signal in signals if (value := VALUES[name](signal)) is not None]
        return {"priceFormat": price_format(self.digits(name, max(known, default=1.0)))}

    def digits(self, name: str, largest: float) -> int:
        """Return the decimals of a line whose largest size is `largest`."""
        digits = DRAWN[name].measure.decimals(largest)
        return max(self.decimals, digits) if DRAWN[name].in_prices else digits

    def _signals_within_reach(self, signals: Sequence[Signal]) -> Series:
        # Price lines do not widen a scale: unseen bars keep both entry bands in sight.
        unseen = {"upColor": palette.NOTHING, "downColor": palette.NOTHING, "thinBars": True}
        silent = {"lastValueVisible": False, "priceLineVisible": False}
        return {
            "id": self._id("reach"),
            "type": "bar",
            "pane": self.panes.index("zscore"),
            "data": [self._reach_point(signal) for signal in signals],
            "options": {**unseen, **silent},
        }

    def _reach_point(self, signal: Signal) -> dict[str, Any]:
        high = self.pair.entry_z * REACH
        return {"time": signal.event_us // SECOND, "open": high, "high": high, "low": -high, "close": -high}

    def _edge(self, name: str, kind: str, options: Options) -> Series:
        line = {**line_options(palette.LEG_Y), "lineStyle": DOTTED, "lastValueVisible": False}
        silent = {"crosshairMarkerVisible": False}
        return {
            "id": self._id(name),
            "type": kind,
            "pane": self.panes.index("hedge-ratio"),
            "data": [],
            "options": options or {**line, **silent},
        }

    def points(self, name: str, signals: Sequence[Signal]) -> list[dict[str, Any]]:
        """Return the points of the line `name`."""
        points: list[dict[str, Any]] = []
        for signal, following in zip(signals, [*signals[1:], None], strict=False):
            value = VALUES[name](signal)
            point: dict[str, Any] = {"time": signal.event_us // SECOND}
            if value is not None:
                point["value"] = value
                # A point's colour is that of the line from it to the next: nothing is drawn across what is not known.
                if following is not None and self._breaks(name, signal, following):
                    point["color"] = palette.NOTHING
                elif name == "zscore" and abs(value) >= self.pair.entry_z:
                    point["color"] = palette.BEYOND
                if name == self._bearer and (words := marks.correction_words(signal)):
                    point["customValues"] = {"text": words}
            points.append(point)
        return points

    def _breaks(self, name: str, signal: Signal, following: Signal) -> bool:
        silent_s = (following.event_us - signal.event_us) / SECOND - self.span.apart_s
        return VALUES[name](following) is None or silent_s > self.pair.stale_after_s


def shown(asked: Any) -> tuple[PaneName, ...]:
    """Return the panes that are asked for in their order, all of them if none is."""
    chosen = tuple(pane for pane in PANES if isinstance(asked, list) and pane in asked)
    return chosen or PANES


def tops(panes: Sequence[PaneName]) -> dict[PaneName, float]:
    """Return where each pane begins, as a share of the height of all.

    >>> tops(("prices", "zscore"))
    {'prices': 0.0, 'zscore': 0.5283}
    """
    whole, above = sum(SHARES[pane] for pane in panes), 0.0
    begins: dict[PaneName, float] = {}
    for pane in panes:
        begins[pane] = round(above / whole, 4)
        above += SHARES[pane]
    return begins


def distinct(signals: Iterable[Signal]) -> Iterable[Signal]:
    """Yield signals whose second is later than the one before; the library refuses anything else."""
    last = -1
    for signal in signals:
        if signal.event_us // SECOND > last:
            last = signal.event_us // SECOND
            yield signal


def _bands(pair: WatchedPair) -> list[dict[str, Any]]:
    entry = {
        "color": palette.BEYOND,
        "lineWidth": 1,
        "lineStyle": DASHED,
        "axisLabelColor": palette.BAND_LABEL,
    }
    middle = {"color": palette.SPREAD, "lineWidth": 1, "axisLabelVisible": False}
    exits = [{**middle, "price": price, "lineStyle": DOTTED} for price in (pair.exit_z, -pair.exit_z)]
    return [
        {**entry, "price": pair.entry_z},
        {**middle, "price": 0, "lineStyle": SOLID},
        *exits,
        {**entry, "price": -pair.entry_z},
    ]
