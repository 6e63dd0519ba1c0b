"""The rolling numbers of an analysis as a chart that stands still."""

from typing import Any, Literal, NamedTuple, get_args

from services.common.clock import SECOND
from services.ui import charts, palette
from services.ui.analysis.answer import Analysis, Point
from services.ui.charts import DASHED, DOTTED, Series, line_options, price_format
from services.ui.formatting import significant_decimals
from services.ui.view import Props

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
    """Where the z-score is marked."""

    entry: float = 2.0
    exit: float = 0.5


def chart(chart_id: str, found: Analysis, thresholds: Thresholds, key: str) -> Props:
    """Return the properties of the chart; `key` tells this answer from the one before."""
    made = [_line(pane, number, found, thresholds) for number, pane in enumerate(PANES)]
    count = len(found.data)
    return {chart_id: {"series": made, "visibleLogicalRange": charts.newest_points(count, count, key)}}


def nothing(chart_id: str) -> Props:
    """Return the properties of a chart without an answer."""
    return {chart_id: {"series": charts.nothing_in(len(PANES))}}


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
        "data": [_point(pane, point) for point in found.data],
        "options": {**line_options(COLORS[pane]), "priceFormat": price_format(decimals)},
        "priceScaleOptions": {"scaleMargins": MARGINS},
    }
    return {**series, "priceLines": _bands(thresholds)} if pane == "zscore" else series


def _point(pane: PaneName, point: Point) -> dict[str, Any]:
    value = getattr(point, pane)
    place = {"time": point.start_us // SECOND}
    return place if value is None else {**place, "value": value}


def _bands(thresholds: Thresholds) -> list[dict[str, Any]]:
    entry = {"color": palette.BEYOND, "lineWidth": 1, "lineStyle": DASHED, "axisLabelVisible": False}
    exits = {"color": palette.SPREAD, "lineWidth": 1, "lineStyle": DOTTED, "axisLabelVisible": False}
    return [
        {**style, "price": price}
        for style, level in ((entry, thresholds.entry), (exits, thresholds.exit))
        for price in (level, -level)
    ]
