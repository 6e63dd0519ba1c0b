"""Static chart of the rolling numbers of an analysis."""

from typing import Any, Literal, NamedTuple, get_args

from services.common.clock import SECOND
from services.ui.api.types import Analysis, Point
from services.ui.charts import lightweight, palette
from services.ui.charts.lightweight import DASHED, DOTTED, Series, line_options, price_format
from services.ui.state.page_context import Props
from services.ui.widgets.formatting import significant_decimals

PaneName = Literal["hedge_ratio", "spread", "zscore", "correlation"]
PANES: tuple[PaneName, ...] = get_args(PaneName)
TITLES: dict[PaneName, str] = {
    "hedge_ratio": "Hedge ratio",
    "spread": "Spread",
    "zscore": "z-score",
    "correlation": "Correlation of prices",
}
SHARES = {"hedge_ratio": 0.24, "spread": 0.24, "zscore": 0.3, "correlation": 0.22}
COLORS = {
    "hedge_ratio": palette.LEG_Y,
    "spread": palette.SPREAD,
    "zscore": palette.ZSCORE,
    "correlation": palette.SPREAD,
}
DIGITS = {"hedge_ratio": 5, "spread": 4}
DECIMALS = {"zscore": 2, "correlation": 3}
# Room for the name at the top of a pane.
MARGINS = {"top": 0.28, "bottom": 0.08}


class Thresholds(NamedTuple):
    """Thresholds marked on the z-score."""

    entry: float = 2.0
    exit: float = 0.5


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


def _line(pane: PaneName, number: int, found: Analysis, thresholds: Thresholds) -> Series:
    known = [abs(value) for point in found.data if (value := getattr(point, pane)) is not None]
    decimals = DECIMALS.get(pane) or significant_decimals(max(known, default=1.0), DIGITS[pane])
    series: Series = {
        "id": f"{pane}|{found.pair}|{found.bar_s:g}",
        "type": "line",
        "pane": number,
        "data": _points(pane, found),
        "options": {**line_options(COLORS[pane]), "priceFormat": price_format(decimals)},
        "priceScaleOptions": {"scaleMargins": MARGINS},
    }
    if found.structural_break is not None and found.structural_break.found:
        second = found.structural_break.at_us // SECOND
        name = f"{pane}-break"
        series["markers"] = [
            lightweight.marker(second, "arrowDown", palette.BEYOND, name, above=True, text="break")
        ]
    return {**series, "priceLines": _bands(thresholds)} if pane == "zscore" else series


def _points(pane: PaneName, found: Analysis) -> list[dict[str, Any]]:
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


def _breaks(pane: PaneName, one: Point, following: Point, bar_s: float) -> bool:
    return getattr(following, pane) is None or following.start_us - one.start_us > 1.5 * bar_s * SECOND


def _bands(thresholds: Thresholds) -> list[dict[str, Any]]:
    entry = {"color": palette.BEYOND, "lineWidth": 1, "lineStyle": DASHED, "axisLabelVisible": False}
    exits = {"color": palette.SPREAD, "lineWidth": 1, "lineStyle": DOTTED, "axisLabelVisible": False}
    return [
        {**style, "price": price}
        for style, level in ((entry, thresholds.entry), (exits, thresholds.exit))
        for price in (level, -level)
    ]
