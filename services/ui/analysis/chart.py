"""Static chart of the rolling numbers of an analysis."""

from typing import Any, NamedTuple

from services.common.clock import SECOND
from services.contracts.pair_messages import DEFAULTS
from services.ui.api.types import Analysis, Point
from services.ui.charts import lightweight, measures, palette
from services.ui.charts.lightweight import DASHED, DOTTED, Series, line_options, price_format
from services.ui.state.page_context import Props

SHARES = {"hedge_ratio": 0.24, "spread": 0.24, "zscore": 0.3, "correlation": 0.22}
PANES = tuple(SHARES)
TITLES = {name: measures.ROLLING[name].label for name in PANES} | {"correlation": "Correlation of prices"}
# Room for the name at the top of a pane.
MARGINS = {"top": 0.28, "bottom": 0.08}


class Thresholds(NamedTuple):
    """Thresholds marked on the z-score."""

    entry: float = DEFAULTS.entry_z
    exit: float = DEFAULTS.exit_z


def chart(chart_id: str, found: Analysis, thresholds: Thresholds, key: str) -> Props:
    """Return the properties of the chart; `key` tells this answer from the one before."""
    made = [_line(pane, number, found, thresholds) for number, pane in enumerate(PANES)]
    count = len(found.data)
    return {chart_id: {"series": made, "visibleLogicalRange": lightweight.newest_points(count, count, key)}}


def nothing(chart_id: str) -> Props:
    """Return the properties of a chart without an answer."""
    return {chart_id: {"series": lightweight.nothing_in(len(PANES))}}


def has_points(found: Analysis) -> bool:
    """Return whether there is anything to draw."""
    return any(getattr(point, pane) is not None for point in found.data for pane in PANES)


def _line(pane: str, number: int, found: Analysis, thresholds: Thresholds) -> Series:
    known = [abs(value) for point in found.data if (value := getattr(point, pane)) is not None]
    measure = measures.ROLLING[pane]
    decimals = measure.decimals(max(known, default=1.0))
    series: Series = {
        "id": f"{pane}|{found.pair}|{found.bar_s:g}",
        "type": "line",
        "pane": number,
        "data": _points(pane, found),
        "options": {**line_options(measure.color), "priceFormat": price_format(decimals)},
        "priceScaleOptions": {"scaleMargins": MARGINS},
    }
    if found.structural_break is not None and found.structural_break.found:
        second = found.structural_break.at_us // SECOND
        name = f"{pane}-break"
        series["markers"] = [
            lightweight.marker(second, "arrowDown", palette.BEYOND, name, above=True, text="break")
        ]
    return {**series, "priceLines": _bands(thresholds)} if pane == "zscore" else series


def _points(pane: str, found: Analysis) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = []
    for one, following in zip(found.data, [*found.data[1:], None], strict=True):
        value = getattr(one, pane)
        point: dict[str, Any] = {"time": one.start_us // SECOND}
        if value is not None:
            point["value"] = value
            # A point's colour is that of the line from it to the next.
            if following is not None and _breaks(pane, one, following, found.bar_s):
                point["color"] = palette.NOTHING
        points.append(point)
    return points


def _breaks(pane: str, one: Point, following: Point, bar_s: float) -> bool:
    return getattr(following, pane) is None or following.start_us - one.start_us > 1.5 * bar_s * SECOND


def _bands(thresholds: Thresholds) -> list[dict[str, Any]]:
    entry = {"color": palette.BEYOND, "lineWidth": 1, "lineStyle": DASHED, "axisLabelVisible": False}
    exits = {"color": palette.SPREAD, "lineWidth": 1, "lineStyle": DOTTED, "axisLabelVisible": False}
    return [
        {**style, "price": price}
        for style, level in ((entry, thresholds.entry), (exits, thresholds.exit))
        for price in (level, -level)
    ]
